/** `autoexp submit`: submits what the manifest's session has not submitted yet. */
import * as Effect from "effect/Effect"
import { glance } from "../../monitor/held.ts"
import { admit, changeOf, grownSession, growthLines } from "../growing.ts"
import type { Handler } from "../Handler.ts"
import { sessionExists } from "../place.ts"
import { printNotes } from "../planning.ts"
import { printJson, printLines } from "../print.ts"
import { pursue, sessionOf } from "../pursuing.ts"
import { maySubmit, openJobs } from "../submitting.ts"
import { machine } from "../watching.ts"

export const submit: Handler<"submit"> = (given) =>
  Effect.gen(function*() {
    const asked = yield* sessionOf(given.manifest, given["state-dir"])
    const { file, manifest, ...watched } = asked
    const { place } = watched
    if (given["dry-run"]) {
      const session = manifest.session !== null
        ? yield* grownSession(place)
        : sessionExists(place)
        ? (yield* glance(place)).session
        : null
      const open = openJobs(manifest, session)
      if (manifest.session !== null && session !== null) {
        yield* printNotes(growthLines(changeOf(manifest, place, session)))
      }
      yield* given.json
        ? printJson({ plan_id: manifest.plan_id, submit: open })
        : printLines([...open, `${open.length} of ${manifest.jobs.length} jobs would be submitted`])
      return 0
    }
    if (!(yield* maySubmit(asked, given))) return 0
    if (manifest.session !== null && (yield* admit({ manifest, file, place, submit: true, told: null }))) {
      yield* given.json
        ? printJson({ plan_id: manifest.plan_id, session: place.planId, watched: true })
        : printLines([`session ${place.planId} is being watched, and submits what is new`])
      return 0
    }
    return yield* pursue(watched, {
      json: given.json,
      submit: true,
      monitor: !given["no-monitor"],
      worker: !given["no-actions"]
    })
  }).pipe(Effect.provide(machine))
