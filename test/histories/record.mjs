// Records golden histories of this version into test/histories/<version>/: once at a release, never again for a version that is out.
import * as esbuild from "esbuild"
import { spawnSync } from "node:child_process"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "../..")
const outfile = path.join(root, "node_modules/.cache/histories/make.mjs")
await esbuild.build({
  absWorkingDir: root,
  entryPoints: ["test/histories/make.ts"],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "warning"
})
process.exitCode = spawnSync(process.execPath, [outfile, root], { stdio: "inherit" }).status ?? 1
