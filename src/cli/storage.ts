/** What lies below a directory. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"

/** A tree of checkpoints has thousands of files; one of a million is not worth the metadata server's time. */
const mostEntries = 50_000

/**
 * Bytes of the files below `directory`, links not followed; null if it cannot be read, or holds more than 50,000 entries.
 * A directory that is not there holds nothing.
 */
export const bytesBelow = (directory: string): Effect.Effect<number | null> =>
  Effect.tryPromise(async () => {
    const open = [directory]
    let bytes = 0
    let entries = 0
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for await (const entry of await fs.opendir(at)) {
        entries += 1
        if (entries > mostEntries) return null
        const file = path.join(at, entry.name)
        if (entry.isDirectory()) open.push(file)
        else if (entry.isFile()) bytes += (await fs.lstat(file)).size
      }
    }
    return bytes
  }).pipe(
    Effect.catchAll(({ error }) =>
      Effect.succeed(error instanceof Error && "code" in error && error.code === "ENOENT" ? 0 : null)
    )
  )
