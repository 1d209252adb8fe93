/** `autoexp explain`: why a job is where it is. */
import * as Effect from "effect/Effect"
import * as FileJournal from "../../journal/FileJournal.ts"
import { look } from "../../monitor/held.ts"
import { explain as explainJob, type Explanation } from "../../report/explain.ts"
import { clean } from "../../report/width.ts"
import type { Handler } from "../Handler.ts"
import { findSession } from "../place.ts"
import { printJson, printLines } from "../print.ts"
import { usage } from "../UsageError.ts"
import { namedJobs } from "./job.ts"

const lines = ({ budgets, job, statements }: Explanation): ReadonlyArray<string> => [
  `${job}:`,
  ...statements.map(({ evidence, text }) =>
    clean(`  ${text}${evidence.length === 0 ? "" : `  [${evidence.join(" ← ")}]`}`)
  ),
  ...budgets.map(({ before, kind, max, rule }) =>
    clean(`  budget of ${rule}, ${kind.replace("_", " ")}: ${before} of ${max} left`)
  )
]

export const explain: Handler<"explain"> = (given) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.session, given["state-dir"])
    const { records, session } = yield* look(place)
    const [name, ...others] = yield* namedJobs(session, given.job)
    if (name === undefined || others.length > 0) return yield* usage("name one job by --job", [...session.jobs.keys()])
    const told = explainJob(session, records, name)
    if (told === null) return 2
    yield* given.json ? printJson(told) : printLines(lines(told))
    return 0
  }).pipe(Effect.provide(FileJournal.layer))
