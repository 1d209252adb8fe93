/** `autoexp sweep show`: the points that the config spans. */
import * as Effect from "effect/Effect"
import type { Handler } from "../Handler.ts"
import { planned, workshop } from "../planning.ts"
import { printJson, printTable } from "../print.ts"

export const sweepShow: Handler<"sweep show"> = (given) =>
  Effect.gen(function*() {
    const { manifest } = yield* planned({
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
      "no-actions": false
    })
    const points = manifest.jobs.map(({ index, name, parameters }) => ({ index, name, parameters }))
    yield* given.json ? printJson(points) : printTable(
      [
        { title: "INDEX", value: ({ index }) => index, right: true },
        { title: "JOB", value: ({ name }) => name },
        { title: "PARAMETERS", value: ({ parameters }) => JSON.stringify(parameters) }
      ],
      points,
      "no points"
    )
    return 0
  }).pipe(Effect.provide(workshop))
