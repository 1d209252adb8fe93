/** What autoexp asks of the files that jobs write. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A file could not be read for another reason than not being there. */
export class FileUnreadableError extends Schema.TaggedError<FileUnreadableError>()("FileUnreadableError", {
  path: Schema.String,
  message: Schema.String
}) {}

/** New bytes of a file. */
export interface Chunk {
  /** Which file stands at the path: changes when it is replaced or rotated. */
  readonly identity: string
  /** Size in bytes when it was read. */
  readonly size: number
  /** When it was last written, in milliseconds since 1970 by the file system's clock. */
  readonly modified: number
  /** The bytes from the asked offset on (at most as many as were asked for). */
  readonly bytes: Uint8Array
  /** The file's first bytes, at most `headBytes`: by them a file is known again whose identity was given to another. */
  readonly head: Uint8Array
}

export const headBytes = 1024

export class Files extends Context.Tag("autoexp/Files")<Files, {
  /** Bytes of `path` from `offset` (0-based) on, at most `limit`; null if there is no such file. */
  readonly read: (
    path: string,
    offset: number,
    limit: number
  ) => Effect.Effect<Chunk | null, FileUnreadableError>
  /** Where the file of that identity stands now, beside `path` and under a longer name (`log.1`); null if nowhere. */
  readonly moved: (path: string, identity: string) => Effect.Effect<string | null>
  /** Whether something stands at `path`; a leading `~/` is the user's home. */
  readonly exists: (path: string) => Effect.Effect<boolean, FileUnreadableError>
  /**
   * Whether at least so many paths match the pattern, whose parts may hold `*`, `?` and `[…]`. No part of it matches more
   * than one part of a path, nor a leading dot that it does not have itself; a leading `~/` is the user's home.
   */
  readonly matches: (pattern: string, atLeast: number) => Effect.Effect<boolean, FileUnreadableError>
  /**
   * Appends the text and a line end in one write, and says whether it did. `unlessThere`: not if the file holds that very
   * line; `parents`: directories that are not there are made. A leading `~/` is the user's home.
   */
  readonly append: (
    path: string,
    text: string,
    how: { readonly unlessThere: boolean; readonly parents: boolean }
  ) => Effect.Effect<boolean, FileUnreadableError>
}>() {}
