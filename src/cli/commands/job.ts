/** `autoexp job …`: what an operator decides of a job. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Request } from "../../event/Request.ts"
import * as FileJournal from "../../journal/FileJournal.ts"
import { glance } from "../../monitor/held.ts"
import { ask } from "../../monitor/sessions.ts"
import { Screen } from "../../report/Screen.ts"
import { select } from "../../session/select.ts"
import type { Session } from "../../session/Session.ts"
import type { Handler } from "../Handler.ts"
import { findSession } from "../place.ts"
import { printJson, printLines } from "../print.ts"
import type { Given } from "../spec.ts"
import { UnknownNameError } from "../UnknownNameError.ts"
import { usage } from "../UsageError.ts"

/** The names of the jobs that selectors mean, in the session's order; none for none. */
export const namedJobs = (
  session: Session,
  selectors: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, UnknownNameError> =>
  selectors.length === 0 ? Effect.succeed([]) : Either.match(select(session.jobs.values(), selectors), {
    onLeft: ({ message, suggestions }) =>
      Effect.fail(
        new UnknownNameError({
          message: message.replace(";", ` in session ${session.planId};`),
          suggestions
        })
      ),
    onRight: (jobs) => Effect.succeed(jobs.map(({ plan }) => plan.name))
  })

type JobKind = Extract<Request, { readonly kind: `job_${string}` }>["kind"]

/** Asks for it, job by job; exit 1 if one was refused. */
const decide = (
  given: Pick<Given<"job hold">, "session" | "state-dir" | "job" | "reason" | "json">,
  kind: JobKind,
  all: boolean
) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.session, given["state-dir"])
    const { session } = yield* glance(place)
    const named = yield* namedJobs(session, given.job)
    if (given.job.length === 0 && !all) return yield* usage("name the job by --job")
    if (given.job.length > 0 && named.length === 0) {
      yield* (yield* Screen).err(`no job is ${given.job.join(" or ")} at present\n`)
    }
    const answers: Array<{ readonly job: string | null; readonly accepted: boolean; readonly why: string }> = []
    for (const job of all && given.job.length === 0 ? [null] : named) {
      answers.push({ job, ...yield* ask(place, { kind, job, reason: given.reason ?? "" }) })
    }
    const done = kind.slice("job_".length)
    yield* given.json ? printJson(answers) : printLines(
      answers.map(({ accepted, job, why }) =>
        `${job ?? "all jobs"}: ${accepted ? `${done} is recorded${why === "" ? "" : `; ${why}`}` : `refused: ${why}`}`
      )
    )
    return answers.every(({ accepted }) => accepted) ? 0 : 1
  }).pipe(Effect.provide(FileJournal.layer))

export const restart: Handler<"job restart"> = (given) => decide(given, "job_restart", false)
export const retry: Handler<"job retry"> = (given) => decide(given, "job_retry", false)
export const cancel: Handler<"job cancel"> = (given) => decide(given, "job_cancel", false)
export const ack: Handler<"job ack"> = (given) => decide(given, "job_ack", given.all)
export const hold: Handler<"job hold"> = (given) => decide(given, "job_hold", false)
export const release: Handler<"job release"> = (given) => decide(given, "job_release", false)
