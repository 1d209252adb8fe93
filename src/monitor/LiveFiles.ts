/** `Files` on this machine's file system. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs/promises"
import { Files, FileUnreadableError } from "../port/Files.ts"

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR")

const reading = <A>(path: string, missing: A, attempt: () => Promise<A>): Effect.Effect<A, FileUnreadableError> =>
  Effect.catchAll(
    Effect.tryPromise({ try: attempt, catch: (cause) => cause }),
    (cause) => isMissing(cause) ? Effect.succeed(missing) : new FileUnreadableError({ path, message: String(cause) })
  )

const read = (path: string, offset: number, limit: number) =>
  reading(path, null, async () => {
    const handle = await fs.open(path, "r")
    try {
      const { dev, ino, size } = await handle.stat()
      const length = Math.min(limit, Math.max(0, size - offset))
      const buffer = new Uint8Array(length)
      const { bytesRead } = length === 0 ? { bytesRead: 0 } : await handle.read(buffer, 0, length, offset)
      return { identity: `${dev}:${ino}`, size, bytes: buffer.subarray(0, bytesRead) }
    } finally {
      await handle.close()
    }
  })

export const layer: Layer.Layer<Files> = Layer.succeed(Files, {
  read,
  exists: (path) => reading(path, false, () => fs.stat(path).then(() => true))
})
