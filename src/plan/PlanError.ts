import * as Schema from "effect/Schema"
import { type Origin, Problem } from "../config/Problem.ts"

/** A config from which no plan can be made. `message` is a sentence without the place. */
export class PlanError extends Schema.TaggedError<PlanError>()("PlanError", {
  /** The place in the config (`slurm.env.HOSTS`), whose origin the config knows; null if it is a file's. */
  at: Schema.NullOr(Schema.String),
  /** The place in another file, such as a template; line and column count from 1. */
  file: Schema.NullOr(Schema.String),
  line: Schema.NullOr(Schema.Int),
  column: Schema.NullOr(Schema.Int),
  message: Schema.String,
  /** The override that set the value at `at`, if one did. */
  override: Schema.optionalWith(Problem.fields.override, { exact: true }),
  /** The configs whose defaults lists led to the file, where `at` stands in one. */
  chain: Schema.optionalWith(Problem.fields.chain, { exact: true })
}) {
  /** An error of the value at `at` of the config. */
  static at(at: string, message: string): PlanError {
    return new PlanError({ at, file: null, line: null, column: null, message })
  }
  /** An error of another file; `offset` counts its characters from 0. */
  static inFile(file: string, text: string, offset: number | null, message: string): PlanError {
    const before = offset === null ? null : text.slice(0, offset).split("\n")
    return new PlanError({
      at: null,
      file,
      line: before === null ? null : before.length,
      column: before === null ? null : (before.at(-1)?.length ?? 0) + 1,
      message
    })
  }
  /** The error of a value that was written at `origin`, in a file to which the defaults `chain` led. */
  static located(error: PlanError, origin: Origin, chain: ReadonlyArray<string>): PlanError {
    const { at, message } = error
    switch (origin.source) {
      case "file": {
        const { column, file, line } = origin
        return new PlanError({ at, message, file, line, column, chain })
      }
      case "override": {
        const { column, text } = origin
        return new PlanError({ at, message, file: null, line: null, column: null, override: { text, column } })
      }
      case "point":
        return error
    }
  }
}
