/** `autoexp config …` and `autoexp sweep …`: what the config comes to. */
import * as Effect from "effect/Effect"
import { load } from "../../config/load.ts"
import { plainMap, yamlText } from "../../plan/texts.ts"
import { Screen } from "../../report/Screen.ts"
import type { Handler } from "../Handler.ts"
import { planned, requestOf, workshop } from "../planning.ts"
import { printJson, printTable } from "../print.ts"
import { usage } from "../UsageError.ts"

export const show: Handler<"config show"> = (given) =>
  Effect.gen(function*() {
    if (given.json && given.yaml) return yield* usage("--json and --yaml exclude one another")
    const { resolved, unresolved } = yield* load(requestOf(given))
    const config = given.unresolved ? unresolved : resolved
    yield* given.json
      ? printJson(plainMap(config))
      : Effect.flatMap(Screen, (screen) => screen.out(yamlText(config)))
    return 0
  }).pipe(Effect.provide(workshop))

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
