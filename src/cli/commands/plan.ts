/** `autoexp plan`: scripts, manifest and all that belongs to them, written or only shown. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { missingImage as missingImageError } from "../../container/images.ts"
import * as FileJournal from "../../journal/FileJournal.ts"
import { checkPlan, checkScripts } from "../../plan/checkPlan.ts"
import { type Environment, LAYERS, shareOut } from "../../plan/environments.ts"
import { planOutput } from "../../plan/Manifest.ts"
import { missingImage } from "../../plan/missingImage.ts"
import { type PlannedFiles, writePlan } from "../../plan/PlannedFiles.ts"
import { counted } from "../../report/sweep/words.ts"
import { clean } from "../../report/width.ts"
import { budgetJson, budgetLines, budgetOf } from "../budget.ts"
import { growing, type Growth, growthLines } from "../growing.ts"
import type { Handler } from "../Handler.ts"
import { sessionExists } from "../place.ts"
import { planned, printNotes, workshop } from "../planning.ts"
import { printJson, printLines, printTable } from "../print.ts"
import type { Given } from "../spec.ts"
import { usage } from "../UsageError.ts"

/** A plan that was made, and what it changes if it grows a session. */
interface Made {
  readonly plan: PlannedFiles
  readonly growth: Growth | null
}

/** Prints the plan; `done` says in words what happened to it. */
export const printPlan = ({ growth, plan }: Made, json: boolean, done: string) =>
  Effect.gen(function*() {
    const { manifest, manifestPath } = plan
    const budget = budgetOf(manifest, growth?.added ?? null)
    if (json) {
      const { added, gone, place, touched } = growth ?? { added: [], gone: [], place: null, touched: [] }
      const change = place === null ? {} : { session: place.planId, added, gone, touched }
      const { own, shared } = shareOut(plan.environments)
      const output = planOutput(manifest, manifestPath)
      const jobs = output.jobs.map((job) => own.has(job.name) ? { ...job, environment: own.get(job.name) } : job)
      return yield* printJson({ ...output, jobs, ...change, environment: shared, budget: budgetJson(budget) })
    }
    const jobs = growth === null ? manifest.jobs : manifest.jobs.filter(({ name }) => growth.added.includes(name))
    yield* printTable(
      [
        { title: "INDEX", value: ({ index }) => index, right: true },
        { title: "JOB", value: ({ name }) => name },
        { title: "SCRIPT", value: ({ script }) => script }
      ],
      jobs,
      growth === null ? "no jobs" : "no new jobs"
    )
    yield* printLines([
      "",
      `plan ${manifest.plan_id}: ${counted(manifest.jobs.length, "job")}, ${done}`,
      ...budgetLines(budget),
      manifestPath
    ])
  })

const ofLayer = { slurm: "slurm.env", backend: "backend.env", container: "container.env" } as const

const layerLines = (environment: Environment, whole: Environment): ReadonlyArray<string> =>
  LAYERS.flatMap((layer, at) =>
    Object.entries(environment[layer]).map(([name, text]) => {
      const winner = LAYERS.slice(at + 1).findLast((later) => Object.hasOwn(whole[later], name))
      const note = winner === undefined ? "" : ` (${ofLayer[winner]} wins)`
      return `  ${ofLayer[layer].padEnd(13)}  ${clean(`${name}=${text}`)}${note}`
    })
  )

/** What jobs export, by layers: what all share, then what each has of its own. */
const environmentLines = (environments: PlannedFiles["environments"]): ReadonlyArray<string> => {
  const { own, shared } = shareOut(environments)
  const alike = layerLines(shared, shared)
  const each = [...own].flatMap(([job, environment]) => [
    `environment of ${job}:`,
    ...layerLines(environment, environments.get(job) ?? environment)
  ])
  return alike.length + each.length === 0
    ? []
    : ["", ...alike.length === 0 ? [] : ["environment, of which a later line wins:", ...alike], ...each]
}

/**
 * Makes the plan and writes it, unless its options say otherwise; null if nothing was written. `submits`: whether its jobs
 * are to be submitted at once.
 */
export const makeAndWrite = (given: Given<"plan">, submits: boolean) =>
  Effect.gen(function*() {
    const growth = given.resume === null
      ? null
      : yield* growing({ ...given, resume: given.resume }).pipe(Effect.provide(FileJournal.layer))
    const plan = growth?.plan ?? (yield* planned(given))
    const { manifest } = plan
    const image = missingImage(manifest)
    if (image !== null && submits) return yield* missingImageError(image)
    yield* printNotes([
      ...plan.notes,
      ...image === null ? [] : [`there is no image ${image} yet, which the jobs run in`],
      ...growth === null ? [] : growthLines(growth)
    ])
    const place = { planId: manifest.plan_id, stateDir: manifest.monitoring_state_dir }
    if (given.check) {
      const sbatch = yield* checkPlan(plan)
      yield* given.json
        ? printJson({ ok: true, plan_id: manifest.plan_id, jobs: manifest.jobs.length, sbatch })
        : printLines([
          `the config is sound: ${manifest.jobs.length} jobs`,
          ...sbatch.map(({ says, script }) => `${script}: ${says}`)
        ])
      return null
    }
    if (given["dry-run"]) {
      yield* printPlan({ plan, growth }, given.json, "nothing written")
      if (!given.json) yield* printLines(environmentLines(plan.environments))
      return null
    }
    if (sessionExists(place)) {
      const name = place.planId
      return yield* usage(
        `session ${name} exists in ${place.stateDir}, and its jobs use the files of its plan; go on with it ` +
          `(autoexp run --resume ${name}) or choose another --plan-id`,
        [`autoexp run --resume ${name}`]
      )
    }
    const points = plan.files.find(({ path }) => path === manifest.sweep)
    if (points !== undefined && fs.existsSync(points.path) && fs.readFileSync(points.path, "utf8") !== points.text) {
      return yield* usage(
        `${points.path} holds other points already, and tasks that wait in a queue may have to read them yet; choose ` +
          "another --plan-id, or remove that file"
      )
    }
    yield* writePlan(plan)
    yield* checkScripts(plan)
    return { plan, growth }
  })

export const plan: Handler<"plan"> = (given) =>
  Effect.gen(function*() {
    const stray = (["manifest", "no-monitor", "monitor-only"] as const).find((option) =>
      given[option] !== null && given[option] !== false
    )
    if (stray !== undefined) return yield* usage(`autoexp plan only plans: --${stray} is an option of autoexp run`)
    if (given.resume !== null && given.from !== null) return yield* usage("--resume and --from exclude one another")
    const written = yield* makeAndWrite(given, false)
    if (written !== null) yield* printPlan(written, given.json, "written; `autoexp submit --manifest` submits it")
    return 0
  }).pipe(Effect.provide(workshop))
