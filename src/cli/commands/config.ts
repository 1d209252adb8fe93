/** `autoexp config …` and `autoexp sweep …`: what the config comes to. */
import * as Effect from "effect/Effect"
import { load } from "../../config/load.ts"
import { showJson, showYaml } from "../../config/show.ts"
import { Screen } from "../../report/Screen.ts"
import type { Handler } from "../Handler.ts"
import { planned, requestOf, workshop } from "../planning.ts"
import { printJson, printTable } from "../print.ts"
import { usage } from "../UsageError.ts"
import { showOrigins } from "./configOrigin.ts"

export const show: Handler<"config show"> = (given) =>
  Effect.gen(function*() {
    if (given.json && given.yaml) return yield* usage("--json and --yaml exclude one another")
    if (given.origin && given.yaml) return yield* usage("--origin is a table, or JSON, not YAML")
    const loaded = yield* load(requestOf(given))
    const config = given.unresolved ? loaded.unresolved : loaded.resolved
    yield* given.origin
      ? showOrigins(loaded, config, given.json)
      : given.json
      ? Effect.flatMap(Screen, (screen) => screen.out(showJson(config)))
      : Effect.flatMap(Screen, (screen) => screen.out(showYaml(config)))
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
