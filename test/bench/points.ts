/** How long the points of a sweep take: figures to read, beside what they should be. Called with the project's directory. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { PyFloat } from "../../src/backend/Value.ts"
import { layer } from "../../src/config/ConfigFiles.ts"
import { load, type PointLoaded } from "../../src/config/load.ts"

const POINTS = 6000
const LEAVES = 30

const root = process.argv[2] ?? "."
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-bench-"))
fs.cpSync(path.join(root, "config"), directory, { recursive: true })

/** Backend arguments as users have them: more than a sweep changes, a third of them following others. */
const args = Array.from({ length: 100 }, (_, index) =>
  [
    `    size_${index}: ${index}`,
    `    rate_${index}: \${oc.mul:0.1,\${.size_${index}}}`,
    `    name_${index}: \${project.name}-${index}`
  ].join("\n"))
fs.mkdirSync(path.join(directory, "experiments"), { recursive: true })
fs.writeFileSync(
  path.join(directory, "experiments/points.yaml"),
  [
    "# @package _global_",
    "defaults: [/autoexp, override /sweep: none, _self_]",
    "backend:",
    "  args:",
    ...args,
    "    save: ${project.base_output_dir}/${stage}/${index}"
  ].join("\n")
)

const loaded = Effect.runSync(
  load({ configDir: directory, configRef: "experiments/points", overrides: [] }).pipe(Effect.provide(layer))
)

const point = (index: number): PointLoaded | null => {
  const leaves = Array.from({ length: LEAVES }, (_, leaf) => {
    const value = new PyFloat(index + leaf / LEAVES)
    return [`backend.args.size_${leaf * 3}`, leaf % 3 === 0 ? "${index}" : value] as const
  })
  const made = loaded.at({
    index,
    stage: index % 2 === 0 ? "stable" : "decay",
    parameters: { "slurm.sbatch.time": `0:${index % 60}:00`, ...Object.fromEntries(leaves), seed: index },
    siblings: { stable: loaded.resolved }
  })
  if (Either.isLeft(made)) console.log(made.left.message)
  return Either.getOrNull(made)
}

/** What is held, collected rubbish left out where Node was started with `--expose-gc`. */
const held = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}

const before = held()
const start = process.cpuUsage()
const points = Array.from({ length: POINTS }, (_, index) => point(index))
// Not the clock's time: a busy machine would be measured too.
const { system, user } = process.cpuUsage(start)
const after = held()
const print = (what: string, figure: number, unit: string, target: number): void =>
  console.log(
    `${what.padEnd(64)} ${figure.toFixed(2).padStart(9)} ${unit.padEnd(3)} of ${target} ${unit} (${
      (figure / target).toFixed(2)
    })`
  )
print(
  `${points.length} points of ${LEAVES} changed leaves, resolved again and typed (CPU)`,
  (user + system) / 1e6,
  "s",
  2
)
print("what they hold", after - before, "MB", 200)
fs.rmSync(directory, { recursive: true })
