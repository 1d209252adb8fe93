/** `autoexp sweep show`: the points that the config spans, their stages, and what they would cost. */
import * as Effect from "effect/Effect"
import { Screen } from "../../report/Screen.ts"
import { dotOf } from "../../report/sweep/dot.ts"
import { pointsOf } from "../../report/sweep/points.ts"
import { sweepText } from "../../report/sweep/text.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { planned, printNotes, workshop } from "../planning.ts"
import { printJson, printLines } from "../print.ts"
import { usage } from "../UsageError.ts"

/** Jobs of each stage that people see unless they ask for more. */
const shownPerStage = 20

export const sweepShow: Handler<"sweep show"> = (given) =>
  Effect.gen(function*() {
    const perStage = given["max-per-stage"]
    if (given.json && given.dot) return yield* usage("--json and --dot exclude one another")
    const { manifest, notes, sizes } = yield* planned({
      ...given,
      manifest: null,
      "plan-id": "sweep-show",
      "array-subset": null,
      "dry-run": true,
      check: false,
      "no-submit": true,
      "no-monitor": true,
      "monitor-only": false,
      resume: null,
      from: null,
      yes: false,
      "allow-unknown-args": false,
      container: false,
      image: null,
      "no-actions": false
    })
    const plan = { project: manifest.project, jobs: manifest.jobs, sizes }
    yield* printNotes(notes)
    const screen = yield* Screen
    if (given.json) yield* printJson(pointsOf(plan, perStage ?? Infinity))
    else if (given.dot) yield* screen.out(dotOf(plan))
    else {
      yield* printLines(sweepText(plan, {
        columns: (yield* screen.size).columns,
        color: screen.color,
        perStage: perStage ?? shownPerStage,
        cwd: (yield* Invocation).cwd
      }))
    }
    return 0
  }).pipe(Effect.provide(workshop))
