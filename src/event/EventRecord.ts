/** Journal envelopes as typed records, and back. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Draft, Envelope } from "../port/Journal.ts"
import { type EventData, events, type EventType, type FactType, isFactType } from "./events.ts"
import { readLogRead } from "./readLogRead.ts"

/** An event that has no place in the journal yet. */
export type NewEvent<Type extends EventType = EventType> = {
  [T in Type]: Omit<Draft, "type" | "data"> & { readonly type: T; readonly data: EventData<T> }
}[Type]

/** What the journal position adds. `at` is ISO 8601 UTC. */
export interface Stamp {
  readonly seq: number
  readonly at: string
  readonly epoch: number
}

/** A record of a type this release knows. */
export type EventRecord<Type extends EventType = EventType> = NewEvent<Type> & Stamp

export type Fact = EventRecord<FactType>

/** A record that this release cannot understand: a newer release's, or one whose data does not fit its type. */
export class UnreadableRecordError extends Schema.TaggedError<UnreadableRecordError>()("UnreadableRecordError", {
  seq: Schema.Int,
  type: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return `record ${this.seq} (${this.type}) cannot be understood: ${this.why}`
  }
}

export const isFact = (record: EventRecord): record is Fact => isFactType(record.type)

const codecs = new Map(
  Object.entries(events).map(([type, schema]) => [type, {
    decode: Schema.decodeUnknownEither(schema as Schema.Schema<unknown>),
    encode: Schema.encodeSync(schema as Schema.Schema<unknown>)
  }])
)

/** The envelope's data, decoded by its type's schema. */
export const decodeRecord = (envelope: Envelope): Either.Either<EventRecord, UnreadableRecordError> => {
  const read = envelope.type === "LogRead" ? readLogRead(envelope.data) : null
  return read === null ? bySchema(envelope) : Either.right({ ...envelope, type: "LogRead", data: read })
}

const bySchema = (envelope: Envelope): Either.Either<EventRecord, UnreadableRecordError> => {
  const codec = codecs.get(envelope.type)
  if (codec === undefined) {
    return Either.left(
      new UnreadableRecordError({ seq: envelope.seq, type: envelope.type, why: "its type is not known" })
    )
  }
  return Either.mapBoth(codec.decode(envelope.data), {
    onLeft: (error) =>
      new UnreadableRecordError({
        seq: envelope.seq,
        type: envelope.type,
        why: ParseResult.TreeFormatter.formatErrorSync(error)
      }),
    onRight: (data) => ({ ...envelope, data }) as EventRecord
  })
}

/** All envelopes decoded, or the first that cannot be. */
export const decodeRecords = (
  envelopes: ReadonlyArray<Envelope>
): Either.Either<ReadonlyArray<EventRecord>, UnreadableRecordError> => Either.all(envelopes.map(decodeRecord))

/** The event as the journal keeps it: a JSON value. */
export const encodeEvent = (event: NewEvent): Draft => {
  const { cause, data, job, attempt, type } = event
  return {
    type,
    ...(job === undefined ? {} : { job }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(cause === undefined ? {} : { cause }),
    data: codecs.get(type)?.encode(data)
  }
}
