/**
 * A disk in memory in the place of `node:fs/promises`, for tests that end a process at any of its operations. It knows
 * what a power cut takes: bytes that were not synced, and names whose directory was not.
 *   vi.mock("node:fs/promises", () => import("./memoryDisk.ts"))
 */
import { Buffer } from "node:buffer"
import type * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { Readable, Writable } from "node:stream"

/** A file: its bytes, those that outlast a power cut, and in how many places it stands. */
interface Inode {
  data: Buffer
  durable: Buffer
  links: number
  /** What failed to be synced once is never on disk, although it can be read and later syncs succeed: see fsync(2). */
  lost: boolean
  modified: bigint
}

/** What a process that dies now leaves behind. */
export type Death = "crash" | "power cut"

/** The operations that change something. */
export type Operation = "write" | "fsync" | "sync names" | "rename" | "link" | "remove" | "make" | "create"

/** What an operation meets: nothing, or an error of the system, or the end; the latter two after so many of its bytes. */
export type Fault = null | { readonly fails: string | "dies"; readonly bytes: number }

export const dies: Fault = { fails: "dies", bytes: 0 }

export interface Faults {
  readonly before: (operation: Operation, file: string, bytes: Buffer | null) => Fault
  readonly after: (operation: Operation, file: string) => Fault
}

const none: Faults = { before: () => null, after: () => null }

const disk = {
  dirs: new Set<string>(["/"]),
  names: new Map<string, Inode>(),
  durable: new Map<string, Inode>(),
  faults: none,
  dead: false,
  modified: 0n
}

/** Whether the process has died: none of its operations ends any more. */
export const isDead = (): boolean => disk.dead
/** Ends the process here. */
export const die = (): void => {
  disk.dead = true
}
export const setFaults = (faults: Faults | null): void => {
  disk.faults = faults ?? none
}

/** An empty disk. */
export const format = (): void => {
  disk.dirs = new Set(["/"])
  disk.names = new Map()
  disk.durable = new Map()
  disk.faults = none
  disk.dead = false
  disk.modified = 0n
}

/** The next process finds what the dead one left: after a power cut only what was synced. */
export const restart = (death: Death): void => {
  disk.dead = false
  if (death === "crash") return
  disk.names = new Map(disk.durable)
  for (const inode of disk.names.values()) inode.data = inode.durable
}

/** Text of a file, as the test sees it; null if there is none. */
export const peek = (file: string): string | null => disk.names.get(file)?.data.toString("utf8") ?? null
/** Bytes of a file, as the test sees them; null if there is none. */
export const bytesOf = (file: string): Buffer | null => disk.names.get(file)?.data ?? null
/** Paths of all files, sorted. */
export const files = (): ReadonlyArray<string> => [...disk.names.keys()].sort()
/** Replaces a file from outside, durably. */
export const poke = (file: string, text: string | Buffer): void => {
  disk.dirs.add(path.dirname(file))
  const data = Buffer.from(text)
  const inode = { data, durable: data, links: 1, lost: false, modified: disk.modified++ }
  disk.names.set(file, inode)
  disk.durable.set(file, inode)
}

const systemError = (code: string, file: string): Error =>
  Object.assign(new Error(`${code}: as the test wants it, '${file}'`), { code })

const never = new Promise<never>(() => {})

const suffer = ({ fails }: NonNullable<Fault>, file: string): Promise<never> => {
  if (fails !== "dies") return Promise.reject(systemError(fails, file))
  disk.dead = true
  return never
}

/** Lets the fault that is due happen instead of `act`, in its middle, or after it. */
const operate = async <A>(
  operation: Operation,
  file: string,
  bytes: Buffer | null,
  act: (bytes: Buffer) => A
): Promise<A> => {
  await null
  if (disk.dead) return never
  const before = disk.faults.before(operation, file, bytes)
  if (before !== null) {
    if (bytes !== null && before.bytes > 0) act(bytes.subarray(0, before.bytes))
    return suffer(before, file)
  }
  const made = act(bytes ?? Buffer.alloc(0))
  const after = disk.faults.after(operation, file)
  return after === null ? made : suffer(after, file)
}

/** An operation that changes nothing. */
const look = async <A>(act: () => A): Promise<A> => {
  await null
  return disk.dead ? never : act()
}

const found = (file: string): Inode => {
  const inode = disk.names.get(file)
  if (inode === undefined) throw systemError("ENOENT", file)
  return inode
}

const touch = (inode: Inode, data: Buffer): void => {
  inode.data = data
  inode.modified = disk.modified++
}

const made = (file: string): Inode => {
  if (!disk.dirs.has(path.dirname(file))) throw systemError("ENOENT", file)
  const inode = { data: Buffer.alloc(0), durable: Buffer.alloc(0), links: 1, lost: false, modified: disk.modified++ }
  disk.names.set(file, inode)
  return inode
}

const unlink = (file: string): void => {
  const inode = disk.names.get(file)
  if (inode !== undefined) inode.links -= 1
  disk.names.delete(file)
}

const children = (dir: string): ReadonlyArray<string> =>
  [...disk.names.keys(), ...disk.dirs].filter((file) => path.dirname(file) === dir && file !== dir)

/** Makes names durable: which stand in the directory, and which do no more. */
const syncNames = (dir: string): void => {
  for (const file of disk.durable.keys()) if (path.dirname(file) === dir) disk.durable.delete(file)
  for (const [file, inode] of disk.names) if (path.dirname(file) === dir) disk.durable.set(file, inode)
}

export const mkdir = (dir: string): Promise<void> => {
  const missing: Array<string> = []
  for (let at = dir; !disk.dirs.has(at); at = path.dirname(at)) missing.push(at)
  return missing.length === 0 ? look(() => undefined) : operate("make", dir, null, () => {
    for (const one of missing) disk.dirs.add(one)
  })
}

interface Entry {
  readonly name: string
  readonly parentPath: string
  readonly isFile: () => boolean
}

export const readdir = (
  dir: string,
  options?: { readonly recursive: boolean; readonly withFileTypes: boolean }
): Promise<ReadonlyArray<string> | ReadonlyArray<Entry>> =>
  look(() => {
    if (!disk.dirs.has(dir)) throw systemError("ENOENT", dir)
    if (options === undefined) return children(dir).map((file) => path.basename(file))
    return [...disk.names.keys()].filter((file) => file.startsWith(`${dir}/`)).map((file) => ({
      name: path.basename(file),
      parentPath: path.dirname(file),
      isFile: () => true
    }))
  })

export const readFile = (file: string, encoding?: "utf8"): Promise<string | Buffer> =>
  look(() => encoding === undefined ? found(file).data : found(file).data.toString(encoding))

const statOf = (inode: Inode) => ({ size: inode.data.length, nlink: inode.links, mtimeNs: inode.modified })

export const stat = (file: string): Promise<ReturnType<typeof statOf>> => look(() => statOf(found(file)))

export const rename = (from: string, to: string): Promise<void> =>
  operate("rename", to, null, () => {
    const inode = found(from)
    if (disk.names.has(to)) unlink(to)
    disk.names.delete(from)
    disk.names.set(to, inode)
  })

export const truncate = (file: string, bytes: number): Promise<void> =>
  operate("write", file, null, () => {
    const inode = found(file)
    touch(inode, inode.data.subarray(0, bytes))
  })

export const link = (from: string, to: string): Promise<void> =>
  operate("link", to, null, () => {
    if (disk.names.has(to)) throw systemError("EEXIST", to)
    const inode = found(from)
    inode.links += 1
    disk.names.set(to, inode)
  })

export const rm = (file: string): Promise<void> => {
  const gone = [...disk.names.keys(), ...disk.dirs].filter((name) => name === file || name.startsWith(`${file}/`))
  return gone.length === 0 ? look(() => undefined) : operate("remove", file, null, () => {
    for (const name of gone) {
      unlink(name)
      disk.dirs.delete(name)
    }
  })
}

const opened = async (file: string, flags: string): Promise<Inode> => {
  if (disk.dirs.has(file)) {
    return { data: Buffer.alloc(0), durable: Buffer.alloc(0), links: 1, lost: false, modified: 0n }
  }
  if (flags === "r") return look(() => found(file))
  const known = disk.names.get(file)
  if (known === undefined) return operate("create", file, null, () => made(file))
  if (flags.includes("x")) throw systemError("EEXIST", file)
  return look(() => {
    if (flags === "w") touch(known, Buffer.alloc(0))
    return known
  })
}

export const open = async (file: string, flags: string) => {
  const inode = await opened(file, flags)
  const sync = () =>
    operate("fsync", file, null, () => {
      if (inode.lost && inode.data.length > inode.durable.length) return
      inode.lost = false
      inode.durable = inode.data
    }).catch((error: unknown) => {
      inode.lost = true
      throw error
    })
  return {
    write: (bytes: Buffer) =>
      operate("write", file, bytes, (written) => {
        touch(inode, Buffer.concat([inode.data, written]))
        return { bytesWritten: written.length }
      }),
    datasync: sync,
    sync: () => disk.dirs.has(file) ? operate("sync names", file, null, () => syncNames(file)) : sync(),
    read: (buffer: Buffer, at: number, length: number, position: number) =>
      look(() => ({ bytesRead: inode.data.copy(buffer, at, position, position + length) })),
    stat: () => look(() => statOf(inode)),
    close: () => look(() => undefined)
  }
}

export const writeFile = async (
  file: string,
  text: string,
  { flag = "w", flush = false }: { readonly flag?: string; readonly flush?: boolean } = {}
): Promise<void> => {
  const handle = await open(file, flag)
  await handle.write(Buffer.from(text))
  if (flush) await handle.sync()
}

const createReadStream = (file: string, { end = Infinity }: { readonly end?: number } = {}): Readable =>
  Readable.from(function*() {
    yield found(file).data.subarray(0, end + 1)
  }())

const createWriteStream = (file: string, { flags = "w" }: { readonly flags?: string } = {}): Writable => {
  const handle = open(file, flags)
  return new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      handle.then((opened) => opened.write(bytes)).then(() => done(), done)
    },
    final: (done) => {
      handle.then(() => done(), done)
    }
  })
}

const real: typeof fs = createRequire(import.meta.url)("node:fs")

/** What `node:fs` has instead, for those who also need segments compressed, and snapshots. */
export const streams = {
  createReadStream,
  createWriteStream,
  readFileSync: (file: string, how?: "utf8") =>
    file.startsWith("/state/") ? found(file).data : real.readFileSync(file, how)
}
