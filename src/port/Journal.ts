/** What autoexp asks of the journal of one session: the only truth there is. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** A record that is not in the journal yet. */
export interface Draft {
  readonly type: string
  /** The job it is about, by name; absent for what concerns the session. */
  readonly job?: string
  /** The job's attempt, counted from 1. */
  readonly attempt?: number
  /** The seq of the record that led to this one; absent only for facts that come from outside. */
  readonly cause?: number
  /** What its type says; a JSON value. The journal keeps it, the room `event` understands it. */
  readonly data: unknown
}

/** A record of the journal: one JSON object a line, its keys in this order, `hash` last. */
export interface Envelope extends Draft {
  /** Version of the envelope. */
  readonly v: number
  /** Position in the journal, from 1, without holes. */
  readonly seq: number
  /** When the cycle that wrote it looked at the world; ISO 8601 UTC with milliseconds. */
  readonly at: string
  /** The writer's fencing number. */
  readonly epoch: number
  /** SHA-256 in hex of the previous record's hash (64 zeros at first) and this line's bytes before `,"hash"`. */
  readonly hash: string
}

/** Where a session keeps its files. */
export interface SessionPlace {
  /** Directory of sessions, absolute. */
  readonly stateDir: string
  /** The session's name, which is its plan's id. */
  readonly planId: string
}

/** Bytes that no crash explains. What stands before `from` can be read; writing is refused. */
export class JournalDamagedError extends Schema.TaggedError<JournalDamagedError>()("JournalDamagedError", {
  path: Schema.String,
  /** First damaged byte of the file, 0-based. */
  from: Schema.Int,
  /** First byte after the damage. */
  to: Schema.Int,
  /** The seq that was expected there. */
  seq: Schema.Int,
  /** The line that it begins in, counted from 1; null if no line of the file is at fault. */
  line: Schema.optionalWith(Schema.NullOr(Schema.Int), { default: () => null }),
  message: Schema.String
}) {}

/** No journal of that name. */
export class NoJournalError extends Schema.TaggedError<NoJournalError>()("NoJournalError", {
  planId: Schema.String,
  stateDir: Schema.String
}) {}

/** Another living process holds the session. */
export class SessionHeldError extends Schema.TaggedError<SessionHeldError>()("SessionHeldError", {
  planId: Schema.String,
  host: Schema.String,
  pid: Schema.Int,
  since: Schema.String
}) {}

/** A newer epoch exists: this process may neither append nor act any more. */
export class FencedError extends Schema.TaggedError<FencedError>()("FencedError", {
  planId: Schema.String,
  epoch: Schema.Int,
  newest: Schema.Int
}) {}

/** The file system refused (disk full, I/O error, no permission). */
export class JournalIoError extends Schema.TaggedError<JournalIoError>()("JournalIoError", {
  path: Schema.String,
  message: Schema.String
}) {}

export type JournalError = JournalDamagedError | JournalIoError

/** A torn last line (a crash during a write) or bytes beyond a seal, left out on open. */
export interface LeftOut {
  readonly path: string
  readonly from: number
  readonly bytes: number
  readonly why: "torn last line" | "beyond the seal of a later epoch"
}

/** A place between two records: what a snapshot was made of. */
export interface Position {
  /** Name of the segment that the last record before stands in, as seals name it. */
  readonly segment: string
  /** Bytes of that segment up to there. */
  readonly bytes: number
  /** Of the last record before. */
  readonly seq: number
  readonly hash: string
  readonly epoch: number
}

/** Takes the records of a journal one by one, where they are too many to be kept together. */
export interface Reader {
  /** The records up to there are known; null: none is. */
  readonly from: Position | null
  /**
   * Called before the first record, with whether reading begins at `from`. Where that is not certainly a place of this
   * journal it begins with the first record of all. May be called again, to begin anew.
   */
  readonly begin: (resumed: boolean) => (record: Envelope) => void
  /** Done now and then between records, and at the end: what was made of them can be written out. */
  readonly pause?: Effect.Effect<void>
}

/** What a reader that has come to the end is told. */
export interface Walked {
  readonly leftOut: ReadonlyArray<LeftOut>
  /** Where the records end; null if there are none. */
  readonly position: Position | null
}

/** The journal's end is damaged or missing from here on: what a repair cuts off. */
export const Fault = Schema.Struct({
  path: Schema.String,
  /** Line of the file, from 1; null if no line of it is at fault. */
  line: Schema.NullOr(Schema.Int),
  /** Damaged bytes, 0-based; of the decompressed text where the file is compressed. */
  from: Schema.Int,
  to: Schema.Int,
  /** The seq that was expected there. */
  seq: Schema.Int,
  kind: Schema.Literal("changed", "removed", "repeated", "zeroed", "broken", "missing", "unreadable"),
  why: Schema.String
})
export type Fault = typeof Fault.Type

/** What a check of the whole chain has found. */
export interface Verified {
  /** Records and bytes before the first fault. */
  readonly records: number
  readonly bytes: number
  readonly faults: ReadonlyArray<Fault>
  readonly leftOut: ReadonlyArray<LeftOut>
  /** Of the record that was asked for; null if it is not among those before the first fault. */
  readonly hash: string | null
}

/** What a repair did: it is recorded with the first record behind the cut. */
export interface Repair {
  readonly fault: Fault
  /** Directory with the files as they were. */
  readonly kept: string
}

/** What files of a journal were put together or made smaller. */
export interface Compaction {
  readonly merged: ReadonlyArray<string>
  readonly compressed: ReadonlyArray<string>
}

/** The right to append to one session, for as long as its scope lives and no newer epoch is taken. */
export interface JournalWriter {
  readonly epoch: number
  /** All records up to now, as read when the epoch was won; none if a `reader` took them. */
  readonly records: ReadonlyArray<Envelope>
  readonly leftOut: ReadonlyArray<LeftOut>
  /** Where the journal ends by now; null while it has no record. */
  readonly position: () => Position | null
  /** Whether positions of the past mean nothing any more, because segments were merged when the epoch was won. */
  readonly moved: boolean
  /**
   * Appends the events as one write, makes them durable (fdatasync), checks that the epoch is still the newest, and
   * only then returns them stamped with `at` (ISO 8601 UTC), seq and hash. A segment that is full by then is sealed:
   * the seal is a further record, which comes last.
   */
  readonly append: (
    at: string,
    events: ReadonlyArray<Draft>
  ) => Effect.Effect<ReadonlyArray<Envelope>, FencedError | JournalIoError>
  /** Fails unless the epoch is the newest: asked once more right before an effect that cannot be fenced. */
  readonly assertNewest: Effect.Effect<void, FencedError | JournalIoError>
}

/** A request dropped by another command into the holder's inbox. */
export interface InboxRequest {
  /** Its own id: a request counts once, however often it is read. */
  readonly id: string
  /** Undecoded content; `null` if it is not JSON. */
  readonly body: unknown
}

/** How old the newest epoch is known to be held. */
export interface Holder {
  readonly epoch: number
  readonly host: string
  readonly pid: number
  readonly since: string
  /** Certain only for processes of this host and boot. */
  readonly alive: "alive" | "dead" | "unknown"
}

export class Journal extends Context.Tag("autoexp/Journal")<Journal, {
  /** Takes the next epoch and opens the journal for appending, creating it if there is none. */
  readonly hold: (
    place: SessionPlace,
    options: { readonly takeover: boolean; readonly reader?: Reader }
  ) => Effect.Effect<JournalWriter, JournalError | SessionHeldError | FencedError, Scope.Scope>
  /** All acknowledged records, without taking the epoch. */
  readonly read: (place: SessionPlace) => Effect.Effect<
    { readonly records: ReadonlyArray<Envelope>; readonly leftOut: ReadonlyArray<LeftOut> },
    JournalError | NoJournalError
  >
  /** All acknowledged records, one by one. What comes back is where they end. */
  readonly walk: (place: SessionPlace, reader: Reader) => Effect.Effect<Walked, JournalError | NoJournalError>
  /** Checks the chain without decoding records: names every fault. `seq`: of which record the hash is wanted. */
  readonly verify: (place: SessionPlace, seq: number | null) => Effect.Effect<Verified, JournalIoError | NoJournalError>
  /**
   * Cuts the journal at its first fault, in a new epoch: all that stands behind is kept aside, nothing is deleted. The
   * repair is in the journal, with the record that begins the new segment. `end` is a fault that the chain itself does
   * not show: that its last records are missing. Null: there is nothing to repair.
   */
  readonly repair: (
    place: SessionPlace,
    end: Fault | null
  ) => Effect.Effect<Repair | null, JournalError | NoJournalError | SessionHeldError | FencedError>
  /** The lines that a repair kept aside, as they stand there, oldest first; what is no text is replaced. */
  readonly kept: (place: SessionPlace, repair: Repair) => Effect.Effect<ReadonlyArray<string>, JournalIoError>
  /** Merges sealed segments, and compresses them, in a new epoch. */
  readonly compact: (
    place: SessionPlace
  ) => Effect.Effect<Compaction, JournalError | NoJournalError | SessionHeldError | FencedError>
  /** Who holds the newest epoch; null if nobody ever did or the holder let go. */
  readonly holder: (place: SessionPlace) => Effect.Effect<Holder | null, JournalIoError>
  /** Ids of all sessions in a state directory, in the order of their names. */
  readonly list: (stateDir: string) => Effect.Effect<ReadonlyArray<string>, JournalIoError>
  /** Drops a request into the session's inbox (temporary name, then rename). */
  readonly request: (
    place: SessionPlace,
    request: InboxRequest
  ) => Effect.Effect<void, JournalIoError>
  /** Requests waiting in the inbox, oldest first. They stay until `discard`. */
  readonly inbox: (place: SessionPlace) => Effect.Effect<ReadonlyArray<InboxRequest>, JournalIoError>
  /** Removes a request that has become a fact. */
  readonly discard: (place: SessionPlace, id: string) => Effect.Effect<void, JournalIoError>
  /** Removes every file of the session; refused while a living process holds it, unless forced. */
  readonly remove: (
    place: SessionPlace,
    options: { readonly force: boolean }
  ) => Effect.Effect<void, JournalIoError | SessionHeldError>
}>() {}
