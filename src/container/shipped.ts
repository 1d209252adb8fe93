/** Files of the folder `container/`: of the project that is worked in, else those that come with autoexp. */
import * as fs from "node:fs"
import * as path from "node:path"

/** The folder that holds this program's package.json, wherever the program was bundled to. */
const home = (from: string): string =>
  fs.existsSync(path.join(from, "package.json")) || path.dirname(from) === from ? from : home(path.dirname(from))

/** The first of both that has the file `name` (relative to `container/`); null if none has. */
export const containerFile = (cwd: string, name: string): string | null =>
  [cwd, home(import.meta.dirname)].map((folder) => path.join(folder, "container", name))
    .find((file) => fs.existsSync(file)) ?? null
