/** `Checkpoints` on this machine's file system. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { Checkpoints, CheckpointsError, trackerName } from "../port/Checkpoints.ts"

const asking = <A>(file: string, attempt: () => Promise<A>): Effect.Effect<A, CheckpointsError> =>
  Effect.tryPromise({ try: attempt, catch: (cause) => new CheckpointsError({ path: file, message: String(cause) }) })

const missing = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT"

const look = (dir: string) =>
  asking(dir, async () => {
    const names = await fs.readdir(dir)
    const tracker = await fs.readFile(path.join(dir, trackerName), "utf8").catch((cause: unknown) => {
      if (missing(cause)) return null
      throw cause
    })
    return { tracker: tracker === null ? null : tracker.trim(), names }
  })

/** Files that torch's distributed checkpoints are made of, by the names that their `.metadata` (a pickle) holds as text. */
const shard = /__\d+_\d+\.distcp/g

const isEmpty = async (file: string): Promise<boolean> => (await fs.stat(file)).size === 0

/**
 * A checkpoint is whole if all shards that its metadata names are there, or, of the older form, every rank's directory holds
 * a file; and if no file that is looked at is empty.
 */
const fault = (dir: string, name: string) =>
  asking(path.join(dir, name), async () => {
    const place = path.join(dir, name)
    const entries = await fs.readdir(place, { withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
    if (entries.length === 0) return "it is empty"
    if (files.includes(".metadata")) {
      const there = new Set(files)
      const named = (await fs.readFile(path.join(place, ".metadata"), "latin1")).match(shard) ?? []
      const gone = [...new Set(named)].filter((file) => !there.has(file))
      if (gone.length > 0) return `${gone.length} of its ${new Set(named).size} shards are missing`
      if (named.length === 0) return "its metadata name no shards"
    } else if (files.some((file) => file.endsWith(".distcp"))) {
      return "its metadata are missing"
    }
    for (const rank of entries.filter((entry) => entry.isDirectory() && /^mp_rank_/.test(entry.name))) {
      const inside = await fs.readdir(path.join(place, rank.name))
      if (inside.length === 0) return `${rank.name} is empty`
      for (const file of inside) if (await isEmpty(path.join(place, rank.name, file))) return `${file} is empty`
    }
    for (const file of files) if (await isEmpty(path.join(place, file))) return `${file} is empty`
    return null
  })

const rename = (dir: string, from: string, to: string) =>
  asking(path.join(dir, from), async () => {
    if ((await fs.readdir(dir)).includes(to)) throw new Error(`${to} is there already`)
    await fs.rename(path.join(dir, from), path.join(dir, to))
  })

const point = (dir: string, iteration: number) =>
  asking(path.join(dir, trackerName), async () => {
    const fresh = path.join(dir, `.${trackerName}.${process.pid}.new`)
    const handle = await fs.open(fresh, "w")
    try {
      await handle.writeFile(`${iteration}`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.rename(fresh, path.join(dir, trackerName))
  })

export const layer: Layer.Layer<Checkpoints> = Layer.succeed(Checkpoints, { look, fault, rename, point })
