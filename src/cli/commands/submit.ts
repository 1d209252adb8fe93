/** `autoexp submit`: submits what the manifest's session has not submitted yet. */
import * as Effect from "effect/Effect"
import { look } from "../../monitor/held.ts"
import type { Handler } from "../Handler.ts"
import { sessionExists } from "../place.ts"
import { printJson, printLines } from "../print.ts"
import { pursue, sessionOf } from "../pursuing.ts"
import { machine } from "../watching.ts"

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
