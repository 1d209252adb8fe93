/** Compressed segments. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { pipeline } from "node:stream/promises"
import { createGunzip, createGzip } from "node:zlib"
import { JournalIoError } from "../port/Journal.ts"
import { codeOf, sync } from "./disk.ts"

/** The text of a compressed file as far as it can be decompressed, at most `limit` bytes, and what kept it from the rest. */
export const inflate = (
  file: string,
  limit = Number.MAX_SAFE_INTEGER
): Effect.Effect<{ readonly bytes: Buffer; readonly problem: string | null }, JournalIoError> =>
  Effect.tryPromise({
    try: async () => {
      const chunks: Array<Buffer> = []
      let size = 0
      const source = fs.createReadStream(file)
      // An error of the file itself is no damage: it goes through the stream that is read.
      const stream = source.on("error", (error) => void stream.destroy(error)).pipe(createGunzip())
      try {
        for await (const chunk of stream) {
          chunks.push(chunk)
          size += chunk.length
          if (size >= limit) break
        }
        return { bytes: Buffer.concat(chunks), problem: null }
      } catch (error) {
        if (!codeOf(error).startsWith("Z_")) throw error
        return { bytes: Buffer.concat(chunks), problem: error instanceof Error ? error.message : String(error) }
      } finally {
        source.destroy()
      }
    },
    catch: (error) =>
      new JournalIoError({ path: file, message: error instanceof Error ? error.message : String(error) })
  })

/** Compresses a file into another one, whatever stood there, and makes its content durable. */
export const deflate = (from: string, to: string): Effect.Effect<void, JournalIoError> =>
  Effect.tryPromise({
    try: (signal) => pipeline(fs.createReadStream(from), createGzip(), fs.createWriteStream(to), { signal }),
    catch: (error) => new JournalIoError({ path: to, message: error instanceof Error ? error.message : String(error) })
  }).pipe(Effect.zipRight(sync(to)))
