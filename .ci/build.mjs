// Makes dist/: two programs and the chunks they share, each a few files instead of the thousands of node_modules.
// It stands here because the top level holds the project and its rooms only; `npm ci` runs it by way of `prepare`.
import * as esbuild from "esbuild"
import * as fs from "node:fs"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")
const dist = path.join(root, "dist")
const readJson = (file) => JSON.parse(fs.readFileSync(file, "utf8"))

/** The licence texts of all packages that went into the bundle: they ask to be passed on with it. */
const licences = (outputs) => {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs))
    .flatMap(([input, { bytesInOutput }]) => bytesInOutput > 0 ? [input] : [])
  const folders = inputs.flatMap((input) => input.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? [])
  return [...new Set(folders)].sort().map((folder) => {
    const { license, name, version } = readJson(path.join(root, folder, "package.json"))
    const files = fs.readdirSync(path.join(root, folder)).filter((file) => /^(licen[cs]e|notice)/i.test(file)).sort()
    const texts = files.map((file) => fs.readFileSync(path.join(root, folder, file), "utf8").trim())
    return [`${name} ${version} (${license})`, ...texts].join("\n\n")
  }).join(`\n\n${"-".repeat(80)}\n\n`)
}

const programs = { autoexp: "src/main.ts", "local-controller": "src/scheduler/local/controllerMain.ts" }
const { metafile, outputFiles } = await esbuild.build({
  absWorkingDir: root,
  entryPoints: programs,
  outdir: dist,
  // Beside the programs, so that `new URL("./local-controller.js", import.meta.url)` holds in all of them.
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Names stay, so that a stack trace can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  define: { AUTOEXP_VERSION: JSON.stringify(readJson(path.join(root, "package.json")).version) },
  // Its ES module: the CommonJS one cannot be shaken, and `await import("yaml")` of it would have no named exports here.
  alias: { yaml: path.join(root, "node_modules/yaml/browser/index.js") },
  // CommonJS packages in the bundle call require() for Node's own modules.
  banner: {
    js: `import{createRequire as _createRequire}from"node:module";const require=_createRequire(import.meta.url);`
  },
  metafile: true,
  write: false,
  logLevel: "warning"
})

const files = new Map(outputFiles.map(({ contents, path: file }) => [file, contents]))
files.set(path.join(dist, "THIRD_PARTY_LICENSES"), `${licences(metafile.outputs)}\n`)
fs.mkdirSync(dist, { recursive: true })
for (const [file, contents] of files) {
  // Renamed into place: a program that runs from here never sees half a file.
  fs.writeFileSync(`${file}.${process.pid}`, contents, { mode: path.parse(file).name in programs ? 0o755 : 0o644 })
  fs.renameSync(`${file}.${process.pid}`, file)
}
for (const file of fs.readdirSync(dist).map((name) => path.join(dist, name))) {
  if (file.endsWith(".js") && !files.has(file)) fs.rmSync(file)
}
