/** What is wrong with a configuration, and where. */
import * as Schema from "effect/Schema"

/**
 * One mistake. `kind` is its category, a word that stays; `message` is a sentence that says what would fit.
 * Lines and columns count from 1; file, line and column are null where the mistake stands in no file.
 */
export const Problem = Schema.Struct({
  kind: Schema.String,
  message: Schema.String,
  file: Schema.NullOr(Schema.String),
  line: Schema.NullOr(Schema.Int),
  column: Schema.NullOr(Schema.Int),
  suggestions: Schema.Array(Schema.String),
  /** The override that holds the mistake, and where in its text; null where none does. */
  override: Schema.NullOr(Schema.Struct({ text: Schema.String, column: Schema.Int })),
  /** The configs whose defaults lists led to the file, the primary one first; empty if that is not known. */
  chain: Schema.Array(Schema.String)
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

/** Where a value was written: a place in a file or in the text of an override, or a sweep point. */
export type Origin =
  | { readonly source: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly source: "override"; readonly text: string; readonly column: number }
  | { readonly source: "point"; readonly key: string }

/** A problem at `origin`; a message that does not name the override says which one it is. */
export const problemAt = (
  origin: Origin | null,
  kind: string,
  message: string,
  suggestions: ReadonlyArray<string> = []
): Problem => {
  const nowhere = { kind, file: null, line: null, column: null, suggestions, override: null, chain: [] }
  switch (origin?.source) {
    case "file": {
      const { column, file, line } = origin
      return { ...nowhere, message, file, line, column }
    }
    case "override": {
      const { column, text } = origin
      const about = message.includes(`"${text}"`) ? "" : ` (set by the override "${text}")`
      return { ...nowhere, message: message + about, override: { text, column } }
    }
    case "point":
      return { ...nowhere, message: `${message} (set by the sweep's "${origin.key}")` }
    case undefined:
      return { ...nowhere, message }
  }
}
