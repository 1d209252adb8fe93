#!/usr/bin/env node
/** The entry. `--version` is answered before anything else is loaded; the command line is a chunk of its own. */
import * as nodeModule from "node:module"

/** Put in by the build, from package.json. */
declare const AUTOEXP_VERSION: string

if (process.argv.length === 3 && process.argv[2] === "--version") {
  process.stdout.write(`${AUTOEXP_VERSION}\n`)
} else {
  // Node 22.1 and later keep compiled code from one start to the next; Node 20 has no such function.
  const enableCompileCache: unknown = Reflect.get(nodeModule, "enableCompileCache")
  if (typeof enableCompileCache === "function") enableCompileCache()
  const { run } = await import("./cli/run.ts")
  run(AUTOEXP_VERSION)
}
