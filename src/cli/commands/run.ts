/** `autoexp run`: plan, submit and monitor in one go. */
import * as Effect from "effect/Effect"
import { confirmed } from "../budget.ts"
import { admit, type Change } from "../growing.ts"
import type { Handler } from "../Handler.ts"
import { findSession, namedStateDir } from "../place.ts"
import { printLines } from "../print.ts"
import { existing, pursue, sessionOf, watchedBy } from "../pursuing.ts"
import type { Given } from "../spec.ts"
import { maySubmit } from "../submitting.ts"
import { usage } from "../UsageError.ts"
import { machine } from "../watching.ts"
import { makeAndWrite, printPlan } from "./plan.ts"

/** What `run` works on: a session that exists, a manifest, or a plan that is made now; null if nothing is to be done. */
const subject = (given: Given<"run">) =>
  Effect.gen(function*() {
    const sources = (["resume", "manifest", "from"] as const).filter((option) => given[option] !== null)
    if (sources.length > 1) {
      return yield* usage(`${sources.map((source) => `--${source}`).join(" and ")} exclude one another`)
    }
    const [override] = given.operands
    if (given.manifest !== null && override !== undefined) {
      return yield* usage(`--manifest takes a plan as it was made: the override "${override}" cannot change it`)
    }
    const isPlanned = override !== undefined || given["array-subset"] !== null || given["config-ref"] !== null
    if (given.resume !== null && !isPlanned) {
      return {
        place: yield* findSession(given.resume, given["state-dir"]),
        opening: null,
        begunHere: false,
        growth: null
      }
    }
    if (given.manifest !== null) {
      const watched = yield* sessionOf(given.manifest, given["state-dir"])
      return given["monitor-only"] || (yield* maySubmit(watched, given)) ? growthIn(watched, null) : null
    }
    if (given["monitor-only"]) {
      return yield* usage("--monitor-only needs a plan that was submitted: --resume or --manifest", ["--resume last"])
    }
    const made = yield* makeAndWrite(given, !given["dry-run"] && !given.check && !given["no-submit"])
    if (made === null) return null
    const { growth, plan } = made
    if (given["no-submit"]) {
      yield* printPlan(made, given.json, "written, not submitted")
      return null
    }
    if (!(yield* confirmed(plan.manifest, growth?.added ?? null, given))) return null
    const named = yield* namedStateDir(given["state-dir"])
    const watched = watchedBy(plan.manifest, plan.manifestPath, growth?.place.stateDir ?? named)
    return growth !== null && growth.added.length + growth.gone.length === 0
      ? { ...watched, growth: null }
      : growthIn(watched, growth)
  })

/** With the further plan that is to be taken into the session, if it is one. */
const growthIn = (watched: ReturnType<typeof watchedBy>, told: Change | null) => {
  const { file, manifest } = watched
  return { ...watched, growth: manifest.session === null ? null : { file, manifest, told } }
}

export const run: Handler<"run"> = (given) =>
  Effect.gen(function*() {
    const watched = yield* subject(given)
    if (watched === null) return 0
    const idle = (["dry-run", "check", "no-submit"] as const).find((option) => given[option])
    if (idle !== undefined) {
      return yield* usage(`--${idle} is about a plan that is made now, not one of --manifest or --resume`)
    }
    const { growth, place } = watched
    if (given["monitor-only"]) yield* existing(place)
    else if (growth !== null && (yield* admit({ ...growth, place, submit: true }))) {
      if (!given.json) yield* printLines([`session ${place.planId} is being watched, and submits what is new`])
      return 0
    }
    return yield* pursue(watched, {
      json: given.json,
      submit: !given["monitor-only"],
      monitor: !given["no-monitor"],
      worker: !given["no-actions"]
    })
  }).pipe(Effect.provide(machine))
