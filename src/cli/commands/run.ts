/** `autoexp run`: plan, submit and monitor in one go. */
import * as Effect from "effect/Effect"
import type { Handler } from "../Handler.ts"
import { findSession, namedStateDir } from "../place.ts"
import { existing, pursue, sessionOf, watchedBy } from "../pursuing.ts"
import type { Given } from "../spec.ts"
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
    const [source] = sources
    const [override] = given.operands
    if (source !== undefined && source !== "from" && override !== undefined) {
      return yield* usage(`--${source} takes a plan as it was made: the override "${override}" cannot change it`)
    }
    if (given.resume !== null) {
      return { place: yield* findSession(given.resume, given["state-dir"]), opening: null, begunHere: false }
    }
    if (given.manifest !== null) return yield* sessionOf(given.manifest, given["state-dir"])
    if (given["monitor-only"]) {
      return yield* usage("--monitor-only needs a plan that was submitted: --resume or --manifest", ["--resume last"])
    }
    const plan = yield* makeAndWrite(given)
    if (plan === null) return null
    if (given["no-submit"]) {
      yield* printPlan(plan, given.json, "written, not submitted")
      return null
    }
    const named = yield* namedStateDir(given["state-dir"])
    return watchedBy(plan.manifest, plan.manifestPath, named)
  })

export const run: Handler<"run"> = (given) =>
  Effect.gen(function*() {
    const watched = yield* subject(given)
    if (watched === null) return 0
    const idle = (["dry-run", "check", "no-submit"] as const).find((option) => given[option])
    if (idle !== undefined) {
      return yield* usage(`--${idle} is about a plan that is made now, not one of --manifest or --resume`)
    }
    if (given["monitor-only"]) yield* existing(watched.place)
    return yield* pursue(watched, {
      json: given.json,
      submit: !given["monitor-only"],
      monitor: !given["no-monitor"],
      worker: !given["no-actions"]
    })
  }).pipe(Effect.provide(machine))
