/** `Files` on this machine's file system. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { Files, FileUnreadableError, headBytes } from "../port/Files.ts"
import { literalOf, nameRegex } from "../rule/glob.ts"

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR")

const reading = <A>(file: string, missing: A, attempt: () => Promise<A>): Effect.Effect<A, FileUnreadableError> =>
  Effect.catchAll(
    Effect.tryPromise({ try: attempt, catch: (cause) => cause }),
    (cause) =>
      isMissing(cause) ? Effect.succeed(missing) : new FileUnreadableError({ path: file, message: String(cause) })
  )

const identityOf = ({ dev, ino }: { readonly dev: number; readonly ino: number }): string => `${dev}:${ino}`

/** As many of `length` bytes from `offset` on as are there: a file may end earlier than its size said. */
const bytesAt = async (handle: fs.FileHandle, offset: number, length: number): Promise<Uint8Array> => {
  const buffer = new Uint8Array(Math.max(0, length))
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

const read = (file: string, offset: number, limit: number) =>
  reading(file, null, async () => {
    // To open a pipe would wait for its writer.
    const handle = await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = await handle.stat()
      if (!stats.isFile()) throw new Error("it is no regular file")
      const { mtimeMs, size } = stats
      const bytes = await bytesAt(handle, offset, Math.min(limit, size - offset))
      const headSize = Math.min(headBytes, size)
      const head = offset === 0 && bytes.length >= headSize
        ? bytes.slice(0, headSize)
        : await bytesAt(handle, 0, headSize)
      return { identity: identityOf(stats), size, modified: mtimeMs, bytes, head }
    } finally {
      await handle.close()
    }
  })

const moved = (file: string, identity: string) =>
  Effect.promise(async () => {
    const folder = path.dirname(file)
    const beside = await fs.readdir(folder).catch(() => [])
    for (const name of beside) {
      if (!name.startsWith(path.basename(file)) || name === path.basename(file)) continue
      const stats = await fs.stat(path.join(folder, name)).catch(() => null)
      if (stats !== null && identityOf(stats) === identity) return path.join(folder, name)
    }
    return null
  })

const fromHome = (file: string): string => file.startsWith("~/") ? path.join(os.homedir(), file.slice(2)) : file

/** The paths that match, found part by part: only where a part is a pattern a directory is listed. */
const matching = async (pattern: string): Promise<ReadonlyArray<string>> => {
  const [first = "", ...parts] = pattern.split("/").filter((part, at) => part !== "" || at === 0)
  let found: ReadonlyArray<string> = first === "" ? ["/"] : await matchesIn(".", first)
  for (const part of parts) {
    const next: Array<string> = []
    for (const folder of found) next.push(...await matchesIn(folder, part))
    found = next
  }
  return found
}

const matchesIn = async (folder: string, part: string): Promise<ReadonlyArray<string>> => {
  const literal = literalOf(part)
  if (literal !== null) {
    const file = path.join(folder, literal)
    return await fs.stat(file).then(() => [file], () => [])
  }
  const regex = nameRegex(part)
  const names = await fs.readdir(folder).catch(() => [])
  return names.filter((name) => regex.test(name) && (part.startsWith(".") || !name.startsWith(".")))
    .map((name) => path.join(folder, name))
}

const append = (file: string, text: string, how: { readonly unlessThere: boolean; readonly parents: boolean }) =>
  Effect.tryPromise({
    try: async () => {
      if (how.parents) await fs.mkdir(path.dirname(file), { recursive: true })
      const handle = await fs.open(file, "a+")
      try {
        const known = await handle.readFile("utf8")
        if (how.unlessThere && known.split(/\r?\n/).includes(text)) return false
        // What another left without an end is not continued.
        const gap = known === "" || known.endsWith("\n") ? "" : "\n"
        await handle.appendFile(`${gap}${text}\n`)
        return true
      } finally {
        await handle.close()
      }
    },
    catch: (cause) => new FileUnreadableError({ path: file, message: String(cause) })
  })

export const layer: Layer.Layer<Files> = Layer.succeed(Files, {
  read,
  moved,
  append: (file, text, how) => append(fromHome(file), text, how),
  exists: (file) => reading(file, false, () => fs.stat(fromHome(file)).then(() => true)),
  matches: (pattern, atLeast) =>
    reading(pattern, false, async () => (await matching(fromHome(pattern))).length >= atLeast)
})
