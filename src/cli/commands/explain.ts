/** `autoexp explain`: why a job is where it is. */
import * as Effect from "effect/Effect"
import * as FileJournal from "../../journal/FileJournal.ts"
import { recall } from "../../monitor/held.ts"
import { explain as explainJob, type Explanation } from "../../report/explain.ts"
import { clean } from "../../report/width.ts"
import type { Handler } from "../Handler.ts"
import { findSession } from "../place.ts"
import { printJson, printLines } from "../print.ts"
import type { Given } from "../spec.ts"
import { usage } from "../UsageError.ts"
import { namedJobs } from "./job.ts"

/** Whose budget it is: a rule's own, or one of the job that all its rules share. */
const budgetName = ({ kind, rule }: Explanation["budgets"][number]): string => {
  switch (kind) {
    case "rule":
      return `restarts by ${rule}`
    case "fingerprint":
      return "restarts after this same failure"
    case "no_progress":
      return "restarts without progress"
    case "total":
      return "restarts in all"
  }
}

/** What restarts have taken from; those that are whole are one line. Of a job that ended well none counts any more. */
const budgetLines = ({ budgets, outcome }: Explanation): ReadonlyArray<string> => {
  if (outcome === "success" || budgets.length === 0) return []
  const touched = budgets.filter(({ before, max }) => before < max)
  const told = touched.map((budget) => `  budget: ${budgetName(budget)}: ${budget.before} of ${budget.max} left`)
  const rest = touched.length === 0
    ? "  budget: of every rule and failure, all is left"
    : "  budget: of all others, all is left"
  return [...new Set(told), ...touched.length === budgets.length ? [] : [rest]]
}

const lines = (told: Explanation): ReadonlyArray<string> =>
  [
    `${told.job}:`,
    ...told.statements.map(({ evidence, text }) =>
      `  ${text}${evidence.length === 0 ? "" : `  [${evidence.join(" ← ")}]`}`
    ),
    ...budgetLines(told)
  ].map(clean)

/** The same of one job among the commands about jobs. */
export const why: Handler<"job why"> = (given) => tellWhy(given)

export const explain: Handler<"explain"> = (given) => tellWhy(given)

const tellWhy = (given: Pick<Given<"explain">, "session" | "state-dir" | "job" | "json">) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.session, given["state-dir"])
    const { records, session } = yield* recall(place)
    const [name, ...others] = yield* namedJobs(session, given.job)
    if (name === undefined || others.length > 0) return yield* usage("name one job by --job", [...session.jobs.keys()])
    const told = explainJob(session, records, name)
    if (told === null) return 2
    yield* given.json ? printJson(told) : printLines(lines(told))
    return 0
  }).pipe(Effect.provide(FileJournal.layer))
