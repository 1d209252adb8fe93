/** What a plan may cost, and whether whoever runs it wants that. */
import * as Effect from "effect/Effect"
import * as readline from "node:readline"
import { type StageSize, stageSizes } from "../plan/gpuHours.ts"
import type { Manifest } from "../plan/Manifest.ts"
import { Screen } from "../report/Screen.ts"
import { counted, numberText, sizeText } from "../report/sweep/words.ts"
import { printLines } from "./print.ts"
import { usage } from "./UsageError.ts"

/** The plan's jobs of these names together, and by stage. */
interface Budget {
  readonly total: StageSize
  readonly stages: ReadonlyArray<StageSize>
}

/** What the plan's jobs may cost: those of the names `added`, all if it is null. */
export const budgetOf = (manifest: Manifest, added: ReadonlyArray<string> | null): Budget => {
  const wanted = added === null ? null : new Set(added)
  const sizes = new Map(
    (manifest.budget?.costs ?? []).flatMap(({ gpu_hours: gpuHours, jobs, nodes }) =>
      jobs.map((name) => [name, { nodes, gpuHours }] as const)
    )
  )
  const jobs = manifest.jobs.flatMap(({ chain, name, stage }) => {
    const size = wanted === null || wanted.has(name) ? sizes.get(name) : undefined
    return size === undefined ? [] : [{ stage, size: { ...size, links: chain?.links ?? 1 } }]
  })
  const [total = { stage: "", jobs: 0, links: 0, nodes: 0, gpuHours: 0, unlimited: 0 }] = stageSizes(
    jobs.map(({ size }) => ({ stage: "", size }))
  )
  return { total, stages: stageSizes(jobs) }
}

/** The budget in lines, none where no GPUs are asked for: all together, then each stage. */
export const budgetLines = ({ stages, total }: Budget): ReadonlyArray<string> =>
  total.gpuHours === 0 && total.unlimited === 0 ? [] : [
    sizeText(total),
    ...stages.length < 2
      ? []
      : stages.map((size) => `  ${size.stage || "no stage"}: ${counted(size.jobs, "job")}, ${sizeText(size)}`)
  ]

const plainSize = ({ gpuHours, jobs, links, nodes, unlimited }: StageSize) => ({
  jobs,
  links,
  nodes,
  gpu_hours: gpuHours,
  unlimited_jobs: unlimited
})

/** The same for programs. */
export const budgetJson = ({ stages, total }: Budget) => ({
  ...plainSize(total),
  stages: stages.map((size) => ({ stage: size.stage, ...plainSize(size) }))
})

/** What was typed, null if the input ended. Ctrl-C ends this program, as it does elsewhere. */
const ask = (question: string): Effect.Effect<string | null> =>
  Effect.async((resume) => {
    const lines = readline.createInterface({ input: process.stdin, output: process.stderr })
    lines.on("close", () => {
      process.stderr.write("\n")
      resume(Effect.succeed(null))
    })
    lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"))
    lines.question(question, (answer) => {
      lines.removeAllListeners("close").close()
      resume(Effect.succeed(answer))
    })
    return Effect.sync(() => lines.close())
  })

/**
 * Whether to submit the jobs `added` of a plan, all if it is null: they may use at most `project.gpu_hours_confirm`, or
 * `yes` was given, or whoever sits at the terminal says so. Without a terminal that is a usage error.
 */
export const confirmed = (
  manifest: Manifest,
  added: ReadonlyArray<string> | null,
  given: { readonly yes: boolean; readonly json: boolean }
) =>
  Effect.gen(function*() {
    const limit = manifest.budget?.confirm ?? null
    const budget = budgetOf(manifest, added)
    const { gpuHours, unlimited } = budget.total
    if (given.yes || limit === null || (gpuHours <= limit && unlimited === 0)) return true
    const screen = yield* Screen
    const size = `${counted(budget.total.jobs, "job")} on ${sizeText(budget.total)}`
    const above = `project.gpu_hours_confirm is ${numberText(limit)}`
    if (given.json || !screen.interactive || !process.stdin.isTTY) {
      return yield* usage(`the plan would submit ${size}, and ${above}; --yes submits it`, ["--yes"])
    }
    yield* screen.err(budgetLines(budget).map((line) => `${line}\n`).join(""))
    const answer = yield* ask(`Submit ${size} (${above})? [y/N] `)
    if (/^\s*y(?:es)?\s*$/i.test(answer ?? "")) return true
    yield* printLines(["nothing submitted"])
    return false
  })
