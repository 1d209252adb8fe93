/** Requests of other commands to whoever holds a session. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { NewEvent } from "../event/EventRecord.ts"
import { Request } from "../event/Request.ts"
import { Actor } from "../event/terms.ts"
import { Journal, type JournalIoError, type SessionPlace } from "../port/Journal.ts"
import type { Session } from "../session/Session.ts"

/** What a request file holds. */
export const RequestFile = Schema.Struct({ actor: Actor, request: Request })

const decode = Schema.decodeUnknownOption(RequestFile)

/**
 * The requests waiting in a session's inbox as facts, each once: not if the session has recorded it already. `discard`
 * removes their files, for when the facts are durable; files that hold no request are removed too, with a warning.
 */
export const inboxFacts = (
  { planId, stateDir }: SessionPlace,
  session: Session
): Effect.Effect<
  {
    readonly facts: ReadonlyArray<NewEvent<"OperatorRequested">>
    readonly discard: Effect.Effect<void, JournalIoError>
  },
  JournalIoError,
  Journal
> =>
  Effect.gen(function*() {
    const journal = yield* Journal
    const place = { planId, stateDir }
    const waiting = yield* journal.inbox(place)
    const facts: Array<NewEvent<"OperatorRequested">> = []
    const taken = new Set<string>()
    for (const { body, id } of waiting) {
      const request = decode(body)
      if (Option.isNone(request)) {
        yield* Effect.logWarning(`${id} in the inbox of ${planId} is no request; it is removed`)
      } else if (!session.requests.has(id) && !taken.has(id)) {
        taken.add(id)
        const asked = request.value.request
        const cause = asked.kind === "result" || asked.kind === "worker_lost"
          ? session.queue.get(asked.queue_id)?.claimSeq ?? null
          : null
        facts.push({
          type: "OperatorRequested",
          ...(cause === null ? {} : { cause }),
          data: { request_id: id, ...request.value }
        })
      }
    }
    return { facts, discard: Effect.forEach(waiting, ({ id }) => journal.discard(place, id), { discard: true }) }
  })
