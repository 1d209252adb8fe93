/** `autoexp actions`: executes queued actions of a session, beside its monitor or without one. */
import * as Effect from "effect/Effect"
import { workQueue } from "../../monitor/worker.ts"
import { Screen } from "../../report/Screen.ts"
import { clean } from "../../report/width.ts"
import { queueView } from "../../session/view.ts"
import type { Handler } from "../Handler.ts"
import { findSession } from "../place.ts"
import { usage } from "../UsageError.ts"
import { machine } from "../watching.ts"

export const actions: Handler<"actions"> = (given) =>
  Effect.gen(function*() {
    const modes = (["once", "drain", "follow"] as const).filter((mode) => given[mode])
    const [mode = "drain"] = modes
    if (modes.length > 1) return yield* usage(`${modes.map((each) => `--${each}`).join(" and ")} exclude one another`)
    const screen = yield* Screen
    const place = yield* findSession(given.session, given["state-dir"])
    let failed = false
    yield* workQueue(place, mode, ({ entry, outcome, refused }) => {
      const attempt = entry.attempts + 1
      const { max_attempts } = entry.retries
      failed ||= refused !== null || outcome.status === "failed" && attempt >= max_attempts
      const which = max_attempts === 1
        ? ""
        : ` (attempt ${attempt}${attempt > max_attempts ? "" : ` of ${max_attempts}`})`
      const lost = refused === null ? "" : `  not recorded: ${refused}`
      return screen.out(
        given.json
          ? `${JSON.stringify({ ...queueView(entry), attempts: attempt, ...outcome, refused })}\n`
          : `${
            clean(
              `${entry.queueId}  ${entry.event}  ${entry.job}  ${outcome.status}${which}  ${
                JSON.stringify(outcome.result)
              }${lost}`
            )
          }\n`
      )
    })
    return failed ? 1 : 0
  }).pipe(Effect.provide(machine))
