/** `autoexp run`, `submit` and `monitor`: sessions begun, gone on with, and watched. */
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { look } from "../../monitor/held.ts"
import { actorOf, openingOf, submitRequest } from "../../monitor/sessions.ts"
import { type Manifest, readManifest } from "../../plan/Manifest.ts"
import type { SessionPlace } from "../../port/Journal.ts"
import { isFinished, type Session } from "../../session/Session.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { allSessions, findSession, namedStateDir, sessionExists } from "../place.ts"
import { printJson, printLines } from "../print.ts"
import type { Given } from "../spec.ts"
import { UnknownNameError } from "../UnknownNameError.ts"
import { usage } from "../UsageError.ts"
import { machine, sumUp, type Watched, watching } from "../watching.ts"
import { makeAndWrite, printPlan } from "./plan.ts"

const always = () => true
const never = () => false
/** Nothing is left to submit, or to learn of what was submitted. */
const submitted = ({ submissions }: Session): boolean => submissions.size === 0

/** The session of a manifest: where it says, unless a state directory was named. */
const sessionOf = (manifestFile: string, stateDir: string | null) =>
  Effect.gen(function*() {
    const { cwd } = yield* Invocation
    const file = path.resolve(cwd, manifestFile)
    const manifest = yield* readManifest(file)
    const named = yield* namedStateDir(stateDir)
    return watchedBy(manifest, file, named)
  })

const watchedBy = (manifest: Manifest, file: string, stateDir: string | null) => ({
  manifest,
  place: { planId: manifest.plan_id, stateDir: stateDir ?? manifest.monitoring_state_dir },
  opening: openingOf(manifest, file),
  begunHere: stateDir === null
})

interface Pursuit {
  readonly json: boolean
  readonly submit: boolean
  readonly monitor: boolean
  readonly worker: boolean
}

/** Submits and watches one session as far as asked, and sums it up. */
const pursue = (watched: Watched, { json, monitor, submit, worker }: Pursuit) =>
  Effect.gen(function*() {
    const sessions = yield* watching([watched], {
      json,
      takeover: false,
      worker: worker && monitor,
      requests: submit ? [submitRequest(actorOf("operator"))] : [],
      until: monitor ? never : submitted
    })
    return yield* sumUp(sessions, { json, worker: worker && monitor })
  })

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

const existing = (place: SessionPlace) =>
  sessionExists(place) ? Effect.void : new UnknownNameError({
    message: `nothing of plan ${place.planId} was submitted: there is no session of it in ${place.stateDir}`,
    suggestions: []
  })

export const submit: Handler<"submit"> = (given) =>
  Effect.gen(function*() {
    const { manifest, ...watched } = yield* sessionOf(given.manifest, given["state-dir"])
    if (!given["dry-run"]) {
      return yield* pursue(watched, {
        json: given.json,
        submit: true,
        monitor: !given["no-monitor"],
        worker: !given["no-actions"]
      })
    }
    const begun = sessionExists(watched.place) ? (yield* look(watched.place)).session.jobs : null
    const names = manifest.jobs.map(({ name }) => name).filter((name) =>
      (begun?.get(name)?.state ?? "planned") === "planned"
    )
    yield* given.json
      ? printJson({ plan_id: manifest.plan_id, submit: names })
      : printLines([...names, `${names.length} of ${manifest.jobs.length} jobs would be submitted`])
    return 0
  }).pipe(Effect.provide(machine))

/** The sessions that the options of `monitor` name. */
const chosen = (given: Given<"monitor">) =>
  Effect.gen(function*() {
    const named = (["session", "manifest", "all"] as const).filter((option) =>
      given[option] !== null && given[option] !== false
    )
    if (named.length !== 1) {
      return yield* usage("autoexp monitor needs one of --session, --manifest and --all", ["--session last"])
    }
    if (given["include-completed"] && !given.all) return yield* usage("--include-completed goes with --all")
    if (given.session !== null) return [yield* findSession(given.session, given["state-dir"])]
    if (given.manifest === null) return yield* allSessions(given["state-dir"])
    const { place } = yield* sessionOf(given.manifest, given["state-dir"])
    yield* existing(place)
    return [place]
  })

export const monitor: Handler<"monitor"> = (given) =>
  Effect.gen(function*() {
    const { json } = given
    const worker = !given["no-actions"]
    const places = yield* chosen(given)
    const seen = yield* Effect.forEach(
      places,
      (place) => Effect.map(look(place), ({ session }) => ({ place, session }))
    )
    const known = new Set(seen.map(({ session }) => session.planId))
    // A follow-up is watched by whoever watches its parent.
    const own = seen.filter(({ session }) => session.parent === null || !known.has(session.parent.plan_id))
    const open = own.filter(({ session }) => !isFinished(session, worker))
    if (open.length === 0) {
      const finished = given.all && !given["include-completed"] ? [] : own.map(({ session }) => session)
      return yield* sumUp(finished, { json, worker })
    }
    const sessions = yield* watching(open.map(({ place }) => ({ place, opening: null, begunHere: false })), {
      json,
      takeover: given.takeover,
      worker,
      requests: [],
      until: given.once ? always : never
    })
    const rest = own.filter(({ session }) => isFinished(session, worker)).map(({ session }) => session)
    return yield* sumUp(given["include-completed"] ? [...sessions, ...rest] : sessions, { json, worker })
  }).pipe(Effect.provide(machine))
