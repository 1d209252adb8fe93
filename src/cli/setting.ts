/** Values of a session's rules that an operator sets while it runs. */
import * as Effect from "effect/Effect"
import { glance } from "../monitor/held.ts"
import { ask } from "../monitor/sessions.ts"
import { Journal, type SessionPlace } from "../port/Journal.ts"
import { RuleSource } from "../port/RuleSource.ts"
import { withSettings } from "../session/foldRules.ts"
import { usage } from "./UsageError.ts"

/** `key=value` as an override of the `monitoring` section, whether the key names that or not. */
const overrideOf = (setting: string) => {
  const [, key, value] = /^(?:\+\+)?(?:monitoring\.)?([^=\s]+)=(.*)$/s.exec(setting) ?? []
  return key === undefined || value === undefined
    ? usage(`--set takes a key of the monitoring section and its value, not "${setting}"`, [
      "--set poll_interval_seconds=60"
    ])
    : Effect.succeed(`++monitoring.${key}=${value}`)
}

/**
 * Sets values of the rules of a session, unless the config would not take them. Returns whether somebody watches the session,
 * who goes on with them then; otherwise the next monitor does.
 */
export const set = (place: SessionPlace, settings: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const further = yield* Effect.forEach(settings, overrideOf)
    const { session } = yield* glance(place)
    const source = yield* RuleSource
    const { answer } = yield* source.ask({
      manifests: session.manifests,
      settings: withSettings(session.settings?.texts ?? [], further),
      seen: "nothing"
    })
    if (answer.said === "unreadable") {
      return yield* usage(`session ${place.planId} cannot go on with ${settings.join(" ")}: ${answer.message}`)
    }
    const { accepted, why } = yield* ask(place, { kind: "set", settings: further })
    if (!accepted) return yield* usage(`session ${place.planId} does not take it: ${why}`)
    const holder = yield* (yield* Journal).holder(place)
    return holder !== null && holder.alive !== "dead"
  })
