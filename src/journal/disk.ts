/** The few file operations the journal is made of; every refusal is a JournalIoError that names the path. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createReadStream, createWriteStream } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { pipeline } from "node:stream/promises"
import { JournalIoError } from "../port/Journal.ts"

/** The system's name for an error (`ENOENT`); empty if it is none of the system's. */
export const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : ""

const io = <A>(file: string, run: () => Promise<A>): Effect.Effect<A, JournalIoError> =>
  Effect.tryPromise({
    try: run,
    catch: (error) =>
      new JournalIoError({ path: file, message: error instanceof Error ? error.message : String(error) })
  })

const instead = <A, B>(codes: ReadonlyArray<string>, value: B, promise: Promise<A>): Promise<A | B> =>
  promise.catch((error: unknown) => codes.includes(codeOf(error)) ? value : Promise.reject(error))

/** Makes a directory and what is missing above it, for its user alone. */
export const makeDir = (dir: string): Effect.Effect<void, JournalIoError> =>
  Effect.asVoid(io(dir, () => fs.mkdir(dir, { recursive: true, mode: 0o700 })))

/** Names in a directory; none if there is no such directory. */
export const names = (dir: string): Effect.Effect<ReadonlyArray<string>, JournalIoError> =>
  io(dir, () => instead(["ENOENT"], [], fs.readdir(dir)))

/** Text of a small file; null if there is none. */
export const readText = (file: string): Effect.Effect<string | null, JournalIoError> =>
  io(file, () => instead(["ENOENT"], null, fs.readFile(file, "utf8")))

/** All bytes of a file. */
export const readAll = (file: string): Effect.Effect<Buffer, JournalIoError> => io(file, () => fs.readFile(file))

/** Modification time in nanoseconds; null if there is no such file. */
export const modified = (file: string): Effect.Effect<bigint | null, JournalIoError> =>
  io(file, () => instead(["ENOENT"], null, fs.stat(file, { bigint: true }).then((stat) => stat.mtimeNs)))

/** Size in bytes. */
export const size = (file: string): Effect.Effect<number, JournalIoError> =>
  io(file, () => fs.stat(file).then((stat) => stat.size))

/** Makes the names in a directory durable, where the file system knows how. */
export const syncDir = (dir: string): Effect.Effect<void, JournalIoError> =>
  io(dir, async () => {
    const handle = await fs.open(dir, "r")
    try {
      await instead(["EINVAL", "ENOTSUP"], undefined, handle.sync())
    } finally {
      await handle.close()
    }
  })

/** Makes the content of a file durable that others may have written. */
export const sync = (file: string): Effect.Effect<void, JournalIoError> =>
  io(file, async () => {
    const handle = await fs.open(file, "r")
    try {
      await handle.datasync()
    } finally {
      await handle.close()
    }
  })

/** Cuts a file off behind so many bytes, durably. */
export const cut = (file: string, bytes: number): Effect.Effect<void, JournalIoError> =>
  Effect.zipRight(io(file, () => fs.truncate(file, bytes)), sync(file))

/** Writes a new file and makes its content durable, not yet its name. */
export const writeNew = (file: string, text: string): Effect.Effect<void, JournalIoError> =>
  io(file, () => fs.writeFile(file, text, { flag: "wx", flush: true }))

/** Writes a file, whatever stood there. */
export const write = (file: string, content: string | Buffer): Effect.Effect<void, JournalIoError> =>
  io(file, () => fs.writeFile(file, content, { flush: true }))

export const rename = (from: string, to: string): Effect.Effect<void, JournalIoError> =>
  io(to, () => fs.rename(from, to))

/**
 * Gives `from` the further name `to` unless that name is taken: whether it was given. A network file system may do it
 * and lose the answer, hence the look at the number of names.
 */
export const link = (from: string, to: string): Effect.Effect<boolean, JournalIoError> =>
  io(to, () =>
    fs.link(from, to).then(
      () => true,
      async (error: unknown) => {
        if ((await fs.stat(from)).nlink === 2) return true
        return codeOf(error) === "EEXIST" ? false : Promise.reject(error)
      }
    ))

/** Removes a file or a whole directory; nothing there is fine. */
export const remove = (file: string): Effect.Effect<void, JournalIoError> =>
  io(file, () => fs.rm(file, { recursive: true, force: true, maxRetries: 3 }))

/** An open file: closed with the scope. */
export const open = (
  file: string,
  flags: "r" | "a" | "ax"
): Effect.Effect<fs.FileHandle, JournalIoError, Scope.Scope> =>
  Effect.acquireRelease(
    io(file, () => fs.open(file, flags)),
    (handle) => Effect.ignore(io(file, () => handle.close()))
  )

/** At most `limit` bytes from `offset` on; none at the end of the file. */
export const readAt = (
  file: string,
  handle: fs.FileHandle,
  offset: number,
  limit: number
): Effect.Effect<Buffer, JournalIoError> =>
  io(file, async () => {
    const buffer = Buffer.allocUnsafe(limit)
    const { bytesRead } = await handle.read(buffer, 0, limit, offset)
    return buffer.subarray(0, bytesRead)
  })

/** Appends in one write and makes it durable; a part written is a failure. How many bytes that were. */
export const append = (file: string, handle: fs.FileHandle, text: string): Effect.Effect<number, JournalIoError> =>
  io(file, async () => {
    const bytes = Buffer.from(text, "utf8")
    const { bytesWritten } = await handle.write(bytes)
    if (bytesWritten < bytes.length) return Promise.reject(new Error(`wrote ${bytesWritten} of ${bytes.length} bytes`))
    await handle.datasync()
    return bytesWritten
  })

/** Writes the first bytes of several files, one behind the other, into a new file, and makes its content durable. */
export const concatenate = (
  parts: ReadonlyArray<{ readonly path: string; readonly bytes: number }>,
  to: string
): Effect.Effect<void, JournalIoError> =>
  io(to, async () => {
    await fs.writeFile(to, "")
    for (const { bytes, path: part } of parts) {
      if (bytes === 0) continue
      await pipeline(createReadStream(part, { end: bytes - 1 }), createWriteStream(to, { flags: "a" }))
    }
    const handle = await fs.open(to, "r+")
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  })

/** Whether the open file still has a name. */
export const isNamed = (file: string, handle: fs.FileHandle): Effect.Effect<boolean, JournalIoError> =>
  io(file, () => handle.stat().then((stat) => stat.nlink > 0))

export const join = path.join
