/** A tiny image, and what the demo needs of this machine to run inside of it. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** Where `install` puts the programs. */
export const bin = "/opt/apptainer-test/bin"
export const isInstalled = fs.existsSync(path.join(bin, "apptainer"))

/** A folder with a `tiny.sif` of busybox alone. */
export const makeImages = (): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-images-"))
  execFileSync(path.join(import.meta.dirname, "rootfs"), [path.join(folder, "tiny")], { stdio: "pipe" })
  execFileSync(path.join(bin, "apptainer"), ["build", path.join(folder, "tiny.sif"), path.join(folder, "tiny")], {
    stdio: "pipe"
  })
  return folder
}

/** The folders that Node and its libraries are in: busybox has neither. */
const programs = ["/usr", "/lib", "/lib64", "/bin", path.resolve(process.execPath, "../..")].filter((folder) =>
  fs.existsSync(folder)
)

/** Overrides that run a plan's jobs inside the image, `folder` and this project visible there. */
export const inside = (image: string, folder: string): ReadonlyArray<string> => [
  `container.image=${image}`,
  `container.bind=[${[...programs, folder, path.resolve(import.meta.dirname, "../..")].join(",")}]`,
  "++slurm.launcher_cmd='${container.runtime} exec {{bind_flags}}{{env_flags}}${container.image}'"
]
