/** `autoexp session list`: apart from its siblings, for it must stay quick. */
import * as Effect from "effect/Effect"
import * as FileJournal from "../../journal/FileJournal.ts"
import type { Handler } from "../Handler.ts"
import { allSessions } from "../place.ts"
import { printJson, printTable } from "../print.ts"
import { summarise } from "../summary.ts"

export const list: Handler<"session list"> = (given) =>
  Effect.gen(function*() {
    const places = yield* allSessions(given["state-dir"])
    const summaries = yield* Effect.forEach(places, summarise)
    const rows = summaries.map(({ attention, created, jobs, planId, project, status }) => ({
      plan_id: planId,
      project,
      status,
      jobs,
      created,
      attention
    })).sort((a, b) => a.created < b.created ? -1 : 1)
    if (given.json) return yield* Effect.as(printJson(rows), 0)
    yield* printTable(
      [
        { title: "PLAN", value: ({ plan_id }) => plan_id },
        { title: "PROJECT", value: ({ project }) => project },
        { title: "STATUS", value: ({ status }) => status },
        { title: "JOBS", value: ({ jobs }) => jobs, right: true },
        { title: "CREATED", value: ({ created }) => created },
        { title: "NEEDS ATTENTION", value: ({ attention }) => attention }
      ],
      rows,
      "no sessions"
    )
    return 0
  }).pipe(Effect.provide(FileJournal.layer))
