/** What `run`, `submit` and `monitor` share: a manifest's session, submitted and watched as far as asked. */
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { actorOf, openingOf, submitRequest } from "../monitor/sessions.ts"
import { type Manifest, readManifest } from "../plan/Manifest.ts"
import type { SessionPlace } from "../port/Journal.ts"
import type { Session } from "../session/Session.ts"
import { Invocation } from "./Invocation.ts"
import { namedStateDir, sessionExists } from "./place.ts"
import { UnknownNameError } from "./UnknownNameError.ts"
import { sumUp, type Watched, watching } from "./watching.ts"

const never = () => false

/** Nothing is left to submit, or to learn of what was submitted. */
const submitted = ({ submissions }: Session): boolean => submissions.size === 0

/** The session of a manifest: where it says, unless a state directory was named. */
export const sessionOf = (manifestFile: string, stateDir: string | null) =>
  Effect.gen(function*() {
    const { cwd } = yield* Invocation
    const file = path.resolve(cwd, manifestFile)
    const manifest = yield* readManifest(file)
    const named = yield* namedStateDir(stateDir)
    return watchedBy(manifest, file, named)
  })

/** A plan's session: its own, or the one that it grows. `stateDir` wins over the place that the plan names. */
export const watchedBy = (manifest: Manifest, file: string, stateDir: string | null) => ({
  manifest,
  file,
  place: { planId: manifest.session ?? manifest.plan_id, stateDir: stateDir ?? manifest.monitoring_state_dir },
  opening: manifest.session === null ? openingOf(manifest, file) : null,
  begunHere: stateDir === null
})

interface Pursuit {
  readonly json: boolean
  readonly submit: boolean
  readonly monitor: boolean
  readonly worker: boolean
}

/** Submits and watches one session as far as asked, and sums it up. */
export const pursue = (watched: Watched, { json, monitor, submit, worker }: Pursuit) =>
  Effect.gen(function*() {
    const sessions = yield* watching([watched], {
      json,
      takeover: false,
      observeOnly: false,
      once: false,
      leaveHeld: false,
      worker: worker && monitor,
      requests: submit ? [submitRequest(actorOf("operator"))] : [],
      until: monitor ? never : submitted
    })
    return yield* sumUp(sessions, { json, worker: worker && monitor })
  })

/** Fails unless the session has been begun. */
export const existing = (place: SessionPlace) =>
  sessionExists(place) ? Effect.void : new UnknownNameError({
    message: `nothing of plan ${place.planId} was submitted: there is no session of it in ${place.stateDir}`,
    suggestions: []
  })
