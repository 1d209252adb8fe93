// Bundles the benchmarks, which are TypeScript, and runs them by the Node at hand. `npm run build` comes first. Names of benchmarks: only these.
import * as esbuild from "esbuild"
import { spawnSync } from "node:child_process"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "../..")
const named = process.argv.slice(2)
for (const name of named.length > 0 ? named : ["config", "points", "sweep", "detect", "replay", "journal"]) {
  const outfile = path.join(root, `node_modules/.cache/bench/${name}.mjs`)
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [`test/bench/${name}.ts`],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    alias: { yaml: path.join(root, "node_modules/yaml/browser/index.js") },
    logLevel: "warning"
  })
  const { status } = spawnSync(process.execPath, [...process.execArgv, outfile, root], { stdio: "inherit" })
  process.exitCode ||= status ?? 1
}
