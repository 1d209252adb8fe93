/** `autoexp job …`: what an operator decides of a job, and what a job wrote. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fs from "node:fs/promises"
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
export const cancel: Handler<"job cancel"> = (given) => decide(given, "job_cancel", false)
export const ack: Handler<"job ack"> = (given) => decide(given, "job_ack", given.all)
export const hold: Handler<"job hold"> = (given) => decide(given, "job_hold", false)
export const release: Handler<"job release"> = (given) => decide(given, "job_release", false)

/** How much of a log's end is shown, and how often it is looked at again. */
const tailBytes = 64 * 1024
const tailLines = 40
const followSeconds = 0.5

/** Bytes of the file from `from` on, at most so many as are shown at once; none if it is not there. */
const readFrom = (file: string, from: number): Effect.Effect<{ readonly text: string; readonly to: number }> =>
  Effect.tryPromise(async () => {
    const handle = await fs.open(file, "r")
    try {
      const { size } = await handle.stat()
      const start = from < 0 ? Math.max(0, size - tailBytes) : Math.min(from, size)
      const buffer = Buffer.alloc(Math.min(size - start, tailBytes))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
      return { text: buffer.toString("utf8", 0, bytesRead), to: start + bytesRead }
    } finally {
      await handle.close()
    }
  }).pipe(Effect.orElseSucceed(() => ({ text: "", to: Math.max(0, from) })))

export const logs: Handler<"job logs"> = (given) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.session, given["state-dir"])
    const [name, ...others] = yield* namedJobs((yield* glance(place)).session, given.job)
    if (name === undefined || others.length > 0) return yield* usage("name one job by --job")
    const screen = yield* Screen
    const current = Effect.map(glance(place), ({ session }) => session.jobs.get(name))
    const job = yield* current
    if (given.json) {
      yield* printJson({ job: name, attempt: job?.attempt ?? 0, log_path: job?.logPath ?? null })
      return 0
    }
    if (job === undefined || job.logPath === null) {
      yield* printLines([`${name} has no log yet`])
      if (!given.follow) return 0
    }
    let path = job?.logPath ?? null
    let at = -1
    let headed: string | null = null
    for (;;) {
      if (path !== null) {
        const { text, to } = yield* readFrom(path, at)
        const shown = at < 0 ? text.split("\n").slice(-tailLines - 1).join("\n") : text
        if (at <= 0 && path !== headed) yield* screen.err(`==> ${path} <==\n`)
        headed = path
        at = to
        if (shown !== "") yield* screen.out(shown)
      }
      if (!given.follow) return 0
      yield* Effect.sleep(`${followSeconds * 1000} millis`)
      const now = yield* current
      if (now !== undefined && now.logPath !== null && now.logPath !== path) {
        path = now.logPath
        at = 0
      } else if (now?.outcome !== null && path !== null && (yield* readFrom(path, at)).text === "") return 0
    }
  }).pipe(Effect.provide(FileJournal.layer))
