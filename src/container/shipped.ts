/** Where files about images are: those of the folder `container/`, and what is remembered of images. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** The folder that holds this program's package.json, wherever the program was bundled to. */
const home = (from: string): string =>
  fs.existsSync(path.join(from, "package.json")) || path.dirname(from) === from ? from : home(path.dirname(from))

/** The first of both that has the file `name` (relative to `container/`); null if none has. */
export const containerFile = (cwd: string, name: string): string | null =>
  [cwd, home(import.meta.dirname)].map((folder) => path.join(folder, "container", name))
    .find((file) => fs.existsSync(file)) ?? null

/** The script that reads parsers; null if this installation lacks it. */
export const probeScript = (cwd: string): string | null => containerFile(cwd, "probe_arguments.py")

/** Where digests and parsers of images are remembered. */
export const cacheDir = (env: Readonly<Record<string, string | undefined>>): string =>
  path.join(env["XDG_CACHE_HOME"] || path.join(env["HOME"] || os.homedir(), ".cache"), "autoexp")
