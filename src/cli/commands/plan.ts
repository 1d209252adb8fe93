/** `autoexp plan`: scripts, manifest and all that belongs to them, written or only shown. */
import * as Effect from "effect/Effect"
import { checkPlan, checkScripts } from "../../plan/checkPlan.ts"
import { planOutput } from "../../plan/Manifest.ts"
import { type PlannedFiles, writePlan } from "../../plan/PlannedFiles.ts"
import type { Handler } from "../Handler.ts"
import { sessionExists } from "../place.ts"
import { planned, printNotes, workshop } from "../planning.ts"
import { printJson, printLines, printTable } from "../print.ts"
import type { Given } from "../spec.ts"
import { usage } from "../UsageError.ts"

/** Prints the plan; `done` says in words what happened to it. */
export const printPlan = ({ manifest, manifestPath }: PlannedFiles, json: boolean, done: string) =>
  Effect.gen(function*() {
    if (json) return yield* printJson(planOutput(manifest, manifestPath))
    yield* printTable(
      [
        { title: "INDEX", value: ({ index }) => index, right: true },
        { title: "JOB", value: ({ name }) => name },
        { title: "SCRIPT", value: ({ script }) => script }
      ],
      manifest.jobs,
      "no jobs"
    )
    yield* printLines(["", `plan ${manifest.plan_id}: ${manifest.jobs.length} jobs, ${done}`, manifestPath])
  })

/** Makes the plan and writes it, unless its options say otherwise; null if nothing was written. */
export const makeAndWrite = (given: Given<"plan">) =>
  Effect.gen(function*() {
    const plan = yield* planned(given)
    const { manifest } = plan
    yield* printNotes(plan.notes)
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
      yield* printPlan(plan, given.json, "nothing written")
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
    yield* writePlan(plan)
    yield* checkScripts(plan)
    return plan
  })

export const plan: Handler<"plan"> = (given) =>
  Effect.gen(function*() {
    const stray = (["manifest", "resume", "no-monitor", "monitor-only"] as const).find((option) =>
      given[option] !== null && given[option] !== false
    )
    if (stray !== undefined) return yield* usage(`autoexp plan only plans: --${stray} is an option of autoexp run`)
    const written = yield* makeAndWrite(given)
    if (written !== null) yield* printPlan(written, given.json, "written; `autoexp submit --manifest` submits it")
    return 0
  }).pipe(Effect.provide(workshop))
