/** How long a configuration takes: figures to read, beside what they should be. Called with the project's directory. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { Value } from "../../src/backend/Value.ts"
import { layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"

const root = process.argv[2] ?? "."
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-bench-"))

/** A part of an experiment as users write them: nested sections, lists, a fifth of the values interpolated. */
const part = (name: string, sections: number): string =>
  Array.from({ length: sections }, (_, section) =>
    [
      `layer_${section}:`,
      `  size: ${section * 64 + 64}`,
      `  rate: ${section + 1}e-4`,
      `  rate_min: \${oc.mul:0.1,\${.rate}}`,
      `  heads: \${oc.divi:\${.size},8}`,
      `  name: ${name}-\${project.name}-${section}`,
      "  flags: [yes, off, 'text', 1.5]",
      "  optimizer: {betas: [0.9, 0.95], eps: 1e-08, fused: true}"
    ].join("\n")).join("\n")

const write = (file: string, text: string): void => {
  fs.mkdirSync(path.dirname(path.join(directory, file)), { recursive: true })
  fs.writeFileSync(path.join(directory, file), `${text}\n`)
}

fs.cpSync(path.join(root, "config"), directory, { recursive: true })
for (const name of ["model", "data", "optim", "eval"]) write(`${name}/large.yaml`, part(name, 10))
write(
  "experiments/large.yaml",
  [
    "# @package _global_",
    "defaults:",
    "  - /autoexp",
    "  - /model@metadata.model: large",
    "  - /data@metadata.data: large",
    "  - /optim@metadata.optim: large",
    "  - /eval@metadata.eval: large",
    "  - _self_",
    "metadata:",
    "  optim: {layer_3: {rate: 0.5}}"
  ].join("\n")
)
write(
  "experiments/small.yaml",
  [
    "# @package _global_",
    "defaults: [/autoexp, override /sweep: none, _self_]",
    "metadata: {lr: 1e-3, min_lr: '${oc.mul:0.1,${.lr}}', name: 'r${.lr}'}"
  ].join("\n")
)

const leaves = (value: Value): number =>
  value !== null && typeof value === "object" && !("value" in value && Object.keys(value).length === 1)
    ? Object.values(value).reduce<number>((sum, item) => sum + leaves(item), 0)
    : 1

const milliseconds = (run: () => void): number => {
  const start = performance.now()
  run()
  return performance.now() - start
}

const median = (times: ReadonlyArray<number>): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN

const repeated = (times: number, run: () => void): ReadonlyArray<number> =>
  Array.from({ length: times }, () => milliseconds(run))

const print = (what: string, figure: number, unit: string, target: number): void =>
  console.log(
    `${what.padEnd(64)} ${figure.toFixed(2).padStart(9)} ${unit.padEnd(3)} of ${target} ${unit} (${
      (figure / target).toFixed(2)
    })`
  )

const read = (configRef: string) =>
  Effect.runSync(load({ configDir: directory, configRef, overrides: [] }).pipe(Effect.provide(layer)))

const times = repeated(60, () => read("experiments/large"))
const large = read("experiments/large")
console.log(`an experiment of ${leaves(large.resolved)} leaves; node ${process.version}, median of several runs\n`)
print("composed, resolved and typed, the first time", times[0] ?? NaN, "ms", 200)
print("composed, resolved and typed, warm", median(times.slice(20)), "ms", 15)

const small = read("experiments/small")
const points = (): void => {
  for (let index = 0; index < 1000; index++) {
    const point = small.at({
      index,
      stage: "",
      parameters: { "metadata.lr": index, "project.name": `run${index}` },
      siblings: {}
    })
    if (Either.isLeft(point)) console.log(point.left.message)
  }
}
print(
  `1,000 points of a config of ${leaves(small.resolved)} leaves, resolved again`,
  median(repeated(5, points)),
  "ms",
  1000
)

const spawned = (args: ReadonlyArray<string>): void => {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" })
  if (status !== 0) console.log(stderr)
}
const show = ["config", "show", "-C", directory, "--config-ref", "experiments/large"]
const program = path.join(root, "dist/autoexp.js")
// One after the other, so that a busy machine is as slow for both.
const both = Array.from({ length: 11 }, () => [
  milliseconds(() => spawned(["-e", "0"])),
  milliseconds(() => spawned([program, ...show]))
])
const empty = median(both.map(([time = NaN]) => time))
const shown = median(both.map(([, time = NaN]) => time))
print("`config show` of the experiment, as a process", shown, "ms", Math.round(4 * empty))
print("the same, against `node -e 0`", shown / empty, "x", 4)

if (process.env["KEEP"] === undefined) fs.rmSync(directory, { recursive: true })
