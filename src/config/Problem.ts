/** What is wrong with a configuration, and where. */
import * as Schema from "effect/Schema"

/**
 * One mistake. `kind` is its category, a word that stays; `message` is a sentence that says what would fit.
 * Line and column count from 1; all three are null where the mistake stands in no file.
 */
export const Problem = Schema.Struct({
  kind: Schema.String,
  message: Schema.String,
  file: Schema.NullOr(Schema.String),
  line: Schema.NullOr(Schema.Int),
  column: Schema.NullOr(Schema.Int),
  suggestions: Schema.Array(Schema.String)
})
export type Problem = typeof Problem.Type

/** `file:line:column: message`, as far as it is known. */
export const problemText = ({ column, file, line, message }: Problem): string =>
  [...(file === null ? [] : [[file, line, column].filter((part) => part !== null).join(":")]), message].join(": ")

/** A configuration that cannot be used; all mistakes that were found, in the order in which they were found. */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  problems: Schema.NonEmptyArray(Problem)
}) {
  override get message(): string {
    return this.problems.map(problemText).join("\n")
  }
}

/** Where a value was written: a place in a file, the text of an override, or a sweep point. */
export type Origin =
  | { readonly source: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly source: "override"; readonly text: string }
  | { readonly source: "point"; readonly key: string }

/** A problem at `origin`. */
export const problemAt = (
  origin: Origin | null,
  kind: string,
  message: string,
  suggestions: ReadonlyArray<string> = []
): Problem => {
  if (origin?.source === "file") {
    const { column, file, line } = origin
    return { kind, message, file, line, column, suggestions }
  }
  const about = origin === null ? "" : origin.source === "override"
    ? ` (set by the override "${origin.text}")`
    : ` (set by the sweep's "${origin.key}")`
  return { kind, message: message + about, file: null, line: null, column: null, suggestions }
}
