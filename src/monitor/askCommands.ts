/** Questions that a command answers: asked beside the loop, again and again until one is a yes or nobody waits any more. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { NewEvent } from "../event/EventRecord.ts"
import { Commands } from "../port/Commands.ts"
import { isOpen, type OpenQuestion, toAsk } from "../session/pending.ts"
import type { Session } from "../session/Session.ts"
import { answerFact } from "./observe.ts"

type CommandQuestion = Extract<OpenQuestion["question"], { readonly kind: "command" }>

/** How many commands run at once; each is bounded by a time-out of its own. */
const atOnce = 16

interface Answer {
  readonly holds: boolean
  readonly why: string
}

/** What the command says now. One that cannot be run, or runs too long, says no. */
const ask = (
  { answer, argv, cwd, env, negated, timeout_seconds }: CommandQuestion
): Effect.Effect<Answer, never, Commands> =>
  Effect.gen(function*() {
    const commands = yield* Commands
    const { exitCode, stderr, stdout } = yield* commands.run({ argv, cwd, env, timeoutSeconds: timeout_seconds })
    const said = stdout.trim()
    const isInteger = /^[+-]?\d+$/.test(said)
    const holds = answer === "value"
      ? (isInteger ? Number(said) : exitCode) === 1
      : answer === "stdout" && said !== ""
      ? /^\+?0*1$/.test(said)
      : exitCode === 0
    const printed = holds ? "" : (stderr.trim() || said).slice(0, 200)
    return {
      holds: holds !== (negated === true),
      why: `${argv[0]} ended with exit code ${exitCode}${printed === "" ? "" : `: ${printed}`}`
    }
  }).pipe(
    Effect.catchTag("CommandFailedError", ({ message }) => Effect.succeed({ holds: false, why: message }))
  )

export interface Asker {
  /** Begins to ask what is not being asked yet. */
  readonly ask: Effect.Effect<void, never, Commands | Scope.Scope>
  /** How many questions have had no answer at all so far. */
  readonly unheard: () => number
}

/**
 * Asks the session's open command questions; answers that count are offered as facts. The same question of many jobs is
 * asked once for all of them. A monitor that is attached later asks anew: nothing but answers is in the journal.
 */
export const makeAsker = (
  session: Session,
  offer: (fact: NewEvent<"ConditionObserved">) => Effect.Effect<unknown>
): Effect.Effect<Asker> =>
  Effect.gen(function*() {
    const limit = yield* Effect.makeSemaphore(atOnce)
    /** Who waits for each question that is being asked. */
    const waiting = new Map<string, Map<string, OpenQuestion>>()
    /** Questions that were answered, by who waits: their facts may be on the way to the journal. */
    const answered = new Set<string>()
    let unheard = 0

    const keyOf = ({ cause, id, part }: OpenQuestion): string => `${cause} ${part} ${id}`

    const run = (key: string, question: CommandQuestion): Effect.Effect<void, never, Commands> =>
      Effect.gen(function*() {
        for (let first = true;; first = false) {
          const { holds, why } = yield* limit.withPermits(1)(ask(question))
          if (first) unheard -= 1
          const asking = waiting.get(key) ?? new Map<string, OpenQuestion>()
          for (const [who, open] of asking) if (!isOpen(session, open)) asking.delete(who)
          if (holds || question.interval_seconds === null) {
            waiting.delete(key)
            for (const [who, open] of asking) {
              answered.add(who)
              yield* offer(answerFact(open, holds, why))
            }
            return
          }
          yield* Effect.sleep(`${question.interval_seconds} seconds`)
          for (const [who, open] of asking) if (!isOpen(session, open)) asking.delete(who)
          if (asking.size > 0) continue
          waiting.delete(key)
          return
        }
      })

    return {
      unheard: () => unheard,
      ask: Effect.gen(function*() {
        for (const open of toAsk(session)) {
          const { question } = open
          const who = keyOf(open)
          if (question.kind !== "command" || answered.has(who)) continue
          const key = JSON.stringify(question)
          const asking = waiting.get(key)
          if (asking !== undefined) {
            asking.set(who, open)
            continue
          }
          waiting.set(key, new Map([[who, open]]))
          unheard += 1
          yield* Effect.forkScoped(run(key, question))
        }
      })
    }
  })
