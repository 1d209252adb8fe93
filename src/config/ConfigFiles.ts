/** What the configuration reads of the world: files, the environment, where it runs. Nothing is written. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"

export class ConfigFiles extends Context.Tag("autoexp/ConfigFiles")<ConfigFiles, {
  /** The text of a file, null if there is none (or if it is a directory, or unreadable). */
  readonly read: (path: string) => string | null
  /** Names of what stands in a directory, directories with a "/" at their end, sorted; null if it is none. */
  readonly list: (path: string) => ReadonlyArray<string> | null
  /** `path` as an absolute one. */
  readonly absolute: (path: string) => string
  readonly environment: Readonly<Record<string, string | undefined>>
}>() {}

/**
 * The files, and the text of each that is read of them, by its absolute path; null for what is not there. Relative paths are
 * those of `cwd`.
 */
export const noting = (
  files: Context.Tag.Service<ConfigFiles>,
  cwd: string
): { readonly files: Context.Tag.Service<ConfigFiles>; readonly read: ReadonlyMap<string, string | null> } => {
  const read = new Map<string, string | null>()
  return {
    read,
    files: {
      ...files,
      absolute: (file) => path.resolve(cwd, file),
      read: (file) => {
        const text = files.read(path.resolve(cwd, file))
        read.set(path.resolve(cwd, file), text)
        return text
      }
    }
  }
}

const attempt = <A>(run: () => A): A | null => {
  try {
    return run()
  } catch {
    return null
  }
}

/** The real file system and environment. */
export const layer: Layer.Layer<ConfigFiles> = Layer.sync(ConfigFiles, () => ({
  read: (file) => attempt(() => fs.readFileSync(file, "utf8")),
  list: (folder) =>
    attempt(() =>
      fs.readdirSync(folder, { withFileTypes: true })
        .map((entry) =>
          entry.name + (fs.statSync(path.join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() ? "/" : "")
        )
        .sort()
    ),
  absolute: (file) => path.resolve(file),
  environment: process.env
}))
