/** What a plan may cost, and whether whoever runs it wants that. */
import * as Effect from "effect/Effect"
import * as readline from "node:readline/promises"
import { type StageSize, stageSizes } from "../plan/gpuHours.ts"
import type { PlannedFiles } from "../plan/PlannedFiles.ts"
import { Screen } from "../report/Screen.ts"
import { counted, numberText, sizeText } from "../report/sweep/words.ts"
import { usage } from "./UsageError.ts"

/** The plan's jobs of these names together, and by stage. */
interface Budget {
  readonly total: StageSize
  readonly stages: ReadonlyArray<StageSize>
}

/** What the plan's jobs may cost: those of the names `added`, all if it is null. */
export const budgetOf = (
  { manifest, sizes }: Pick<PlannedFiles, "manifest" | "sizes">,
  added: ReadonlyArray<string> | null
): Budget => {
  const jobs = manifest.jobs.flatMap(({ name, stage }) => {
    const size = added === null || added.includes(name) ? sizes.get(name) : undefined
    return size === undefined ? [] : [{ stage, size }]
  })
  const [total = { stage: "", jobs: 0, nodes: 0, gpuHours: 0, unlimited: 0 }] = stageSizes(
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

const plainSize = ({ gpuHours, jobs, nodes, unlimited }: StageSize) => ({
  jobs,
  nodes,
  gpu_hours: gpuHours,
  unlimited_jobs: unlimited
})

/** The same for programs. */
export const budgetJson = ({ stages, total }: Budget) => ({
  ...plainSize(total),
  stages: stages.map((size) => ({ stage: size.stage, ...plainSize(size) }))
})

const ask = (question: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => readline.createInterface({ input: process.stdin, output: process.stderr })),
    (lines) => Effect.promise((signal) => lines.question(question, { signal })),
    (lines) => Effect.sync(() => lines.close())
  )

/**
 * Whether to submit the plan: it may use at most `project.gpu_hours_confirm`, or `yes` was given, or whoever sits at the
 * terminal says so. Without a terminal that is a usage error.
 */
export const confirmed = (
  plan: Pick<PlannedFiles, "manifest" | "sizes" | "gpuHoursConfirm">,
  added: ReadonlyArray<string> | null,
  given: { readonly yes: boolean; readonly json: boolean }
) =>
  Effect.gen(function*() {
    const limit = plan.gpuHoursConfirm
    const budget = budgetOf(plan, added)
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
    return /^\s*y(?:es)?\s*$/i.test(answer)
  })
