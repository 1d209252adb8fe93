/** Questions about files: asked beside the loop, since a file system that hangs answers nobody. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { NewEvent } from "../event/EventRecord.ts"
import { Files, type FileUnreadableError } from "../port/Files.ts"
import { isOpen, type OpenQuestion, toAsk } from "../session/pending.ts"
import type { Session } from "../session/Session.ts"
import { answerFact } from "./observe.ts"
import { patienceSeconds } from "./patientFiles.ts"
import { searchFile } from "./searchFile.ts"

/** Who waits for an answer, by what is waited for. */
type Waiting = Map<string, OpenQuestion>

type FileQuestion = Extract<
  OpenQuestion["question"],
  { readonly kind: "file_exists" | "files_match" | "file_contains" }
>

/** How many file questions wait for the system at once: what hangs among them leaves room to read logs. */
const atOnce = 2

/** No interval is shorter: seconds. */
const leastSeconds = 1

/** How many are asked again at one call: a file system is not to suffer from a thousand that wait. */
const atCall = 5

export interface FileAsker {
  /** Asks what is open and not being asked; waits for no answer. */
  readonly ask: Effect.Effect<void, never, Files | Scope.Scope>
  /** So many seconds have passed since this was said last: asks again what was a no for as long as its interval. */
  readonly passed: (seconds: number) => Effect.Effect<void, never, Files | Scope.Scope>
  /** How many questions are being asked and may soon be answered. */
  readonly unheard: () => number
}

const isFile = (question: OpenQuestion["question"]): question is FileQuestion =>
  question.kind === "file_exists" || question.kind === "files_match" || question.kind === "file_contains"

const textOf = (question: FileQuestion): string => question.kind === "files_match" ? question.pattern : question.path

/** What a yes says. */
const found = ({ kind, negated }: FileQuestion): string =>
  kind === "file_contains"
    ? `the file ${negated === true ? "has no" : "has a"} such line`
    : `the file is ${negated === true ? "not " : ""}there`

/** The answer; a file system that gives none says neither yes nor no. */
const holds = (question: FileQuestion): Effect.Effect<boolean, never, Files> =>
  Effect.flatMap(Files, (files): Effect.Effect<boolean, FileUnreadableError, Files> => {
    switch (question.kind) {
      case "file_exists":
        return files.exists(question.path)
      case "files_match":
        return files.matches(question.pattern, question.at_least)
      case "file_contains":
        return searchFile(question)
    }
  }).pipe(
    Effect.map((yes) => yes !== (question.negated === true)),
    Effect.orElseSucceed(() => false)
  )

/** Asks the session's open questions about files, one at a time for each; those answered by yes are offered as facts. */
export const makeFileAsker = (
  session: Session,
  offer: (fact: NewEvent<"ConditionObserved">) => Effect.Effect<unknown>
): Effect.Effect<FileAsker> =>
  Effect.gen(function*() {
    const limit = yield* Effect.makeSemaphore(atOnce)
    const asking = new Map<string, Waiting>()
    /** Answered by yes, by who waits: their facts may be on the way to the journal. */
    const answered = new Set<string>()
    const hanging = new Set<string>()
    /** Answered by no, by question: who waits, and the seconds until it is asked again. */
    const resting = new Map<string, { readonly question: FileQuestion; readonly who: Waiting; left: number }>()

    const keyOf = ({ cause, id, part }: OpenQuestion): string => `${cause} ${part} ${id}`

    const complain = (key: string, question: FileQuestion) =>
      Effect.sleep(`${patienceSeconds} seconds`).pipe(
        Effect.andThen(Effect.sync(() => hanging.add(key))),
        Effect.andThen(
          Effect.logWarning(`whether ${textOf(question)} is there has had no answer for ${patienceSeconds} s`)
        )
      )

    const run = (key: string, question: FileQuestion): Effect.Effect<void, never, Files> =>
      Effect.gen(function*() {
        const patience = yield* Effect.fork(complain(key, question))
        const yes = yield* limit.withPermits(1)(holds(question))
        yield* patience.interruptAsFork(patience.id())
        const waiting: Waiting = asking.get(key) ?? new Map()
        asking.delete(key)
        hanging.delete(key)
        const { interval_seconds: interval } = question
        if (!yes && interval !== undefined) {
          resting.set(key, { question, who: waiting, left: Math.max(leastSeconds, interval) })
        }
        if (!yes && question.once !== true) return
        for (const [who, open] of waiting) {
          if (!isOpen(session, open)) continue
          answered.add(who)
          yield* offer(answerFact(open, yes, yes ? found(question) : `${textOf(question)}: no`))
        }
      })

    const begin = (key: string, question: FileQuestion, who: Waiting) => {
      resting.delete(key)
      asking.set(key, who)
      return Effect.asVoid(Effect.forkScoped(run(key, question)))
    }

    return {
      passed: (seconds) =>
        Effect.gen(function*() {
          let begun = 0
          for (const [key, rest] of [...resting]) {
            rest.left -= seconds
            if (rest.left > 0 || begun === atCall) continue
            const open = [...rest.who].filter(([, one]) => isOpen(session, one))
            if (open.length === 0) {
              resting.delete(key)
              continue
            }
            begun += 1
            yield* begin(key, rest.question, new Map(open))
          }
        }),
      unheard: () => asking.size - hanging.size,
      ask: Effect.gen(function*() {
        for (const open of toAsk(session)) {
          const { question } = open
          const who = keyOf(open)
          if (!isFile(question) || answered.has(who)) continue
          const key = JSON.stringify(question)
          const waiting = asking.get(key)
          if (waiting !== undefined) {
            waiting.set(who, open)
            continue
          }
          yield* begin(key, question, new Map([[who, open]]))
        }
      })
    }
  })
