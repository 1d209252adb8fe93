/** Whether a directory can hold sessions: what the journal relies on, tried there. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { codeOf } from "./disk.ts"

/** Magic numbers of file systems. Source: statfs(2), linux/magic.h; Lustre's and GPFS's from their own headers. */
const fileSystems: Readonly<Record<number, string>> = {
  0x0bd00bd0: "lustre",
  0x47504653: "gpfs",
  0x6969: "nfs",
  0x19830326: "beegfs",
  0x00c36400: "ceph",
  0xff534d42: "cifs",
  0x65735546: "fuse",
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x2fc12fc1: "zfs",
  0x01021994: "tmpfs",
  0x794c7630: "overlay",
  0x01021997: "9p"
}

export interface Trial {
  /** The directory, or the nearest one above it that is there, in which was tried. */
  readonly dir: string
  readonly fileSystem: string
  /** What does not work there, as a sentence; null if all does. */
  readonly problem: string | null
}

const nearest = (dir: string): string =>
  fs.existsSync(dir) || path.dirname(dir) === dir ? dir : nearest(path.dirname(dir))

const tryAll = (folder: string): void => {
  const [one, two, link] = ["one", "two", "link"].map((name) => path.join(folder, name)) as [string, string, string]
  const doing = <A>(what: string, step: () => A): A => {
    try {
      return step()
    } catch (error) {
      throw new Error(`${what} does not work there (${codeOf(error) || String(error)})`)
    }
  }
  doing("writing and fsync(2)", () => fs.writeFileSync(one, "1", { flush: true, flag: "wx" }))
  doing("link(2)", () => fs.linkSync(one, two))
  doing("link(2) that nobody else wins", () => {
    try {
      fs.linkSync(one, two)
    } catch (error) {
      if (codeOf(error) === "EEXIST") return
      throw error
    }
    throw new Error("two won")
  })
  doing("rename(2) onto a file", () => {
    fs.writeFileSync(`${one}.new`, "2")
    fs.renameSync(`${one}.new`, one)
    if (fs.readFileSync(one, "utf8") !== "2" || fs.readFileSync(two, "utf8") !== "1") throw new Error("wrong content")
  })
  doing("symlink(2)", () => fs.symlinkSync("one", link))
  doing("fsync(2) of a directory", () => {
    const handle = fs.openSync(folder, "r")
    try {
      fs.fsyncSync(handle)
    } catch (error) {
      // Where a file system has none, the journal does without.
      if (!["EINVAL", "ENOTSUP"].includes(codeOf(error))) throw error
    } finally {
      fs.closeSync(handle)
    }
  })
}

/** Tries `dir`, which need not be there yet, and leaves nothing behind. */
export const tryDirectory = (dir: string): Effect.Effect<Trial> =>
  Effect.sync(() => {
    const there = nearest(path.resolve(dir))
    let fileSystem = "unknown"
    let folder: string | null = null
    try {
      const { type } = fs.statfsSync(there)
      fileSystem = fileSystems[type] ?? `0x${type.toString(16)}`
      folder = fs.mkdtempSync(path.join(there, ".autoexp-trial-"))
      tryAll(folder)
      return { dir: there, fileSystem, problem: null }
    } catch (error) {
      return { dir: there, fileSystem, problem: error instanceof Error ? error.message : String(error) }
    } finally {
      if (folder !== null) fs.rmSync(folder, { recursive: true, force: true })
    }
  })
