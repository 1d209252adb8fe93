/** `autoexp job logs`: what a job wrote. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs/promises"
import type { EventRecord } from "../../event/EventRecord.ts"
import * as FileJournal from "../../journal/FileJournal.ts"
import { glance, recall } from "../../monitor/held.ts"
import { Screen } from "../../report/Screen.ts"
import type { Handler } from "../Handler.ts"
import { findSession } from "../place.ts"
import { printJson, printLines } from "../print.ts"
import { UnknownNameError } from "../UnknownNameError.ts"
import { usage } from "../UsageError.ts"
import { namedJobs } from "./job.ts"

/** How much of a log is read at once, of how much its last lines are sought, and how often it is looked at again. */
const chunkBytes = 64 * 1024
const mostBytes = 16 * 1024 * 1024
const usualLines = 40
const followSeconds = 0.5

/** Bytes of the file from `from` on, at most so many as are read at once; none if it is not there. */
const readFrom = (file: string, from: number): Effect.Effect<{ readonly text: string; readonly to: number }> =>
  Effect.tryPromise(async () => {
    const handle = await fs.open(file, "r")
    try {
      const { size } = await handle.stat()
      const start = Math.min(from, size)
      const buffer = Buffer.alloc(Math.min(size - start, chunkBytes))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
      return { text: buffer.toString("utf8", 0, bytesRead), to: start + bytesRead }
    } finally {
      await handle.close()
    }
  }).pipe(Effect.orElseSucceed(() => ({ text: "", to: from })))

/** The last `lines` lines, of the file's last 16 MiB, and where the file ended then; none if it is not there. */
const readEnd = (file: string, lines: number): Effect.Effect<{ readonly text: string; readonly to: number }> =>
  Effect.tryPromise(async () => {
    const handle = await fs.open(file, "r")
    try {
      const { size } = await handle.stat()
      for (let bytes = chunkBytes;; bytes *= 4) {
        const buffer = Buffer.alloc(Math.min(size, bytes, mostBytes))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length)
        const text = buffer.toString("utf8", 0, bytesRead)
        const found = text.split("\n")
        const most = lines + (text.endsWith("\n") ? 1 : 0)
        if (found.length > most || buffer.length === size || bytes >= mostBytes) {
          return { text: found.slice(-most).join("\n"), to: size }
        }
      }
    } finally {
      await handle.close()
    }
  }).pipe(Effect.orElseSucceed(() => ({ text: "", to: 0 })))

/** The log of an attempt, as its submission told it; a run that the scheduler itself began anew has that before it. */
const logOf = (records: ReadonlyArray<EventRecord>, name: string, attempt: number): string | null =>
  records.reduce<string | null>(
    (path, record) =>
      record.type === "JobSubmitted" && record.job === name && (record.attempt ?? 1) <= attempt
        ? record.data.log_path
        : path,
    null
  )

export const logs: Handler<"job logs"> = (given) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.session, given["state-dir"])
    const [name, ...others] = yield* namedJobs((yield* glance(place)).session, given.job)
    if (name === undefined || others.length > 0) return yield* usage("name one job by --job")
    if (given.follow && given.attempt !== null) {
      return yield* usage("--follow shows the latest attempt: leave out --attempt")
    }
    const screen = yield* Screen
    const current = Effect.map(glance(place), ({ session }) => session.jobs.get(name))
    const job = yield* current
    const begun = job?.attempt ?? 0
    const attempt = given.attempt ?? begun
    if (attempt > begun) {
      return yield* new UnknownNameError({
        message: `job ${name} has no attempt ${attempt}: ${begun === 0 ? "none was begun" : `the latest is ${begun}`}`,
        suggestions: begun === 0 ? [] : [`--attempt ${begun}`]
      })
    }
    let path = attempt === begun ? job?.logPath ?? null : logOf((yield* recall(place)).records, name, attempt)
    if (given.json) {
      yield* printJson({ job: name, attempt, log_path: path })
      return 0
    }
    if (path === null) {
      yield* printLines([`${name} has no log yet`])
      if (!given.follow) return 0
    }
    let at = -1
    let headed: string | null = null
    for (;;) {
      if (path !== null) {
        const { text, to } = yield* at < 0 ? readEnd(path, given.lines ?? usualLines) : readFrom(path, at)
        if (at <= 0 && path !== headed) yield* screen.err(`==> ${path} <==\n`)
        headed = path
        at = to
        if (text !== "") yield* screen.out(text)
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
