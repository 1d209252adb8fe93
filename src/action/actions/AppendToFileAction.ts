import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Outcome } from "../../event/Outcome.ts"
import { Files } from "../../port/Files.ts"

/**
 * Appends `content` as a line to the file at `path`; `dedup`: only if the file does not hold that very line yet.
 * `create_parents`: directories that are not there are made. Both texts are templates.
 */
export const AppendToFileAction = Schema.Struct({
  class_name: Schema.Literal("AppendToFileAction"),
  path: Schema.NonEmptyString,
  content: Schema.optionalWith(Schema.String, { default: () => "{match}" }),
  dedup: Schema.optionalWith(Schema.Boolean, { default: () => true }),
  create_parents: Schema.optionalWith(Schema.Boolean, { default: () => true })
})

export const run = (
  { content, create_parents, dedup, path }: typeof AppendToFileAction.Type
): Effect.Effect<Outcome, never, Files> =>
  Effect.gen(function*() {
    const files = yield* Files
    const line = content.replace(/[\r\n]+$/, "")
    const appended = yield* files.append(path, line, { unlessThere: dedup, parents: create_parents })
    return { status: "done" as const, result: { path, appended } }
  }).pipe(
    Effect.catchTag("FileUnreadableError", ({ message }) =>
      Effect.succeed({ status: "failed" as const, result: { error: `${path}: ${message}` } }))
  )
