/** `autoexp monitor`: attaches to sessions and watches them. */
import * as Effect from "effect/Effect"
import { glance } from "../../monitor/held.ts"
import { isFinished } from "../../session/Session.ts"
import type { Handler } from "../Handler.ts"
import { allSessions, findSession } from "../place.ts"
import { printLines } from "../print.ts"
import { existing, sessionOf } from "../pursuing.ts"
import { set } from "../setting.ts"
import type { Given } from "../spec.ts"
import { usage } from "../UsageError.ts"
import { machine, sumUp, watching } from "../watching.ts"

const never = () => false

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
    const observeOnly = given["observe-only"]
    const worker = !given["no-actions"] && !observeOnly
    const all = yield* chosen(given)
    const told = given.set.length === 0 ? [] : yield* Effect.filter(all, (place) => set(place, given.set))
    const places = all.filter((place) => !told.includes(place))
    if (told.length > 0 && !json) {
      yield* printLines(told.map(({ planId }) => `session ${planId} is being watched, and goes on with what was set`))
    }
    if (places.length === 0 && told.length > 0) return 0
    const seen = yield* Effect.forEach(
      places,
      (place) => Effect.map(glance(place), ({ session }) => ({ place, session }))
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
      observeOnly,
      worker,
      requests: [],
      once: given.once,
      leaveHeld: given.all,
      until: never
    })
    const rest = own.filter(({ session }) => isFinished(session, worker)).map(({ session }) => session)
    return yield* sumUp(given["include-completed"] ? [...sessions, ...rest] : sessions, { json, worker })
  }).pipe(Effect.provide(machine))
