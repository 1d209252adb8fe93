/** `autoexp queue …`: the actions that wait for a worker, run, or have ended. */
import * as Effect from "effect/Effect"
import { didYouMean, nearest } from "../../backend/nearest.ts"
import type { Request } from "../../event/Request.ts"
import * as FileJournal from "../../journal/FileJournal.ts"
import { glance } from "../../monitor/held.ts"
import { ask } from "../../monitor/sessions.ts"
import type { QueueEntry } from "../../session/entries.ts"
import { queueView } from "../../session/view.ts"
import type { Handler } from "../Handler.ts"
import { findSession } from "../place.ts"
import { printJson, printLines, printTable } from "../print.ts"
import type { Given } from "../spec.ts"
import { UnknownNameError } from "../UnknownNameError.ts"
import { usage } from "../UsageError.ts"

type Chosen = Given<"queue list">

/** The session, and those of its entries that the options choose; a name that chooses nothing is an error. */
const choose = (given: Chosen) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.session, given["state-dir"])
    const all = [...(yield* glance(place)).session.queue.values()]
    const unknown = (what: string, name: string, known: ReadonlyArray<string>) =>
      new UnknownNameError({
        message: `there is no queue entry ${what} "${name}"; ${didYouMean(name, known)}`,
        suggestions: nearest(name, known)
      })
    if (given.id !== null && !all.some(({ queueId }) => queueId === given.id)) {
      return yield* unknown("with the id", given.id, all.map(({ queueId }) => queueId))
    }
    const names = all.flatMap(({ event, eventId }) => [event, eventId])
    const stray = given.event.find((name) => !names.includes(name))
    if (stray !== undefined) return yield* unknown("of the event", stray, all.map(({ event }) => event))
    const entries = all.filter(({ event, eventId, queueId }) =>
      (given.id === null || queueId === given.id) &&
      (given.event.length === 0 || given.event.includes(event) || given.event.includes(eventId))
    )
    return { place, entries }
  })

/** What a person wants to know of the entry beside its status. */
const noteOf = ({ claimedBy, notBefore, result, retries, status }: QueueEntry): string => {
  const { error, exit_code } = result ?? {}
  const said = typeof error === "string" ? error : typeof exit_code === "number" ? `exit code ${exit_code}` : ""
  const tries = retries.max_attempts === 1 ? "" : `at most ${retries.max_attempts} attempts`
  switch (status) {
    case "queued":
      return [notBefore === null ? "" : `again at ${notBefore}`, tries, said].filter((part) => part !== "").join("; ")
    case "running":
      return claimedBy === null
        ? ""
        : `by ${claimedBy.role} ${claimedBy.user}@${claimedBy.host}, process ${claimedBy.pid}`
    case "done":
    case "failed":
    case "skipped":
      return said
  }
}

const printEntries = (entries: ReadonlyArray<QueueEntry>) =>
  printTable(
    [
      { title: "ID", value: ({ queueId }) => queueId },
      { title: "EVENT", value: ({ event }) => event },
      { title: "JOB", value: ({ job }) => job },
      { title: "ACTION", value: ({ action }) => action.class_name },
      { title: "STATUS", value: ({ status }) => status },
      { title: "ATTEMPTS", value: ({ attempts }) => attempts, right: true },
      { title: "ENQUEUED", value: ({ enqueuedAt }) => enqueuedAt },
      { title: "NOTE", value: noteOf }
    ],
    entries,
    "no queued actions"
  )

export const list: Handler<"queue list"> = (given) =>
  Effect.gen(function*() {
    const { entries } = yield* choose(given)
    yield* given.json ? printJson(entries.map(queueView)) : printEntries(entries)
    return 0
  }).pipe(Effect.provide(FileJournal.layer))

export const show: Handler<"queue show"> = (given) =>
  Effect.gen(function*() {
    const { entries } = yield* choose(given)
    yield* given.json
      ? printJson(entries.map(queueView))
      : printLines(entries.map((entry) => JSON.stringify(queueView(entry), null, 2)))
    return 0
  }).pipe(Effect.provide(FileJournal.layer))

/** Asks for a change of each entry; exit 1 if one was refused. */
const change = (given: Chosen, applies: (entry: QueueEntry) => boolean, kind: "queue_retry" | "queue_remove") =>
  Effect.gen(function*() {
    const { entries, place } = yield* choose(given)
    const answers: Array<{ readonly queue_id: string; readonly accepted: boolean; readonly why: string }> = []
    for (const { queueId } of entries.filter(applies)) {
      const request: Request = { kind, queue_id: queueId }
      answers.push({ queue_id: queueId, ...yield* ask(place, request) })
    }
    const done = kind === "queue_retry" ? "queued again" : "removed"
    yield* given.json
      ? printJson(answers)
      : printLines(
        answers.length === 0
          ? ["nothing to do"]
          : answers.map(({ accepted, queue_id, why }) => `${queue_id}: ${accepted ? done : `refused: ${why}`}`)
      )
    return answers.every(({ accepted }) => accepted) ? 0 : 1
  }).pipe(Effect.provide(FileJournal.layer))

/** Without an id: those that failed. */
export const retry: Handler<"queue retry"> = (given) =>
  change(given, ({ status }) => given.id !== null || status === "failed", "queue_retry")

export const remove: Handler<"queue remove"> = (given) =>
  given.id === null && given.event.length === 0
    ? Effect.fail(usage("autoexp queue remove needs --id or --event: it does not drop everything", ["--id", "--event"]))
    : change(given, () => true, "queue_remove")
