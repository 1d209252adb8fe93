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
