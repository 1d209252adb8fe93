/** What a session keeps in its tables, besides jobs. */
import type { ValueMap } from "../backend/Value.ts"
import type { EventData } from "../event/events.ts"
import type { Outcome } from "../event/Outcome.ts"
import type { Answer, Asked } from "../event/Question.ts"
import type { Actor, Latch, OnInterrupt, RenderedAction, Retries } from "../event/terms.ts"

/** How far a log was read; offsets in bytes. */
export interface LogPosition {
  readonly identity: string
  readonly offset: number
  readonly size: number
  /** Digests of its first bytes, and of those before `offset`; null if unknown. */
  readonly head: { readonly bytes: number; readonly digest: string } | null
  readonly tail: string | null
  /** Whether `offset` stands within a line that is too long, whose rest is skipped. */
  readonly within: boolean
  /** Whether NUL bytes after `offset` were waited for. */
  readonly held: boolean
}
/** A submission whose fate is open. */
export interface OpenSubmission {
  readonly nonce: string
  readonly name: string
  readonly script: string
  readonly rewritten: NonNullable<EventData<"SubmissionIntended">["rewritten"]> | null
  readonly jobs: ReadonlyArray<string>
  readonly array: ReadonlyArray<number> | null
  readonly options: ReadonlyArray<string>
  readonly attempt: number
  /** Whether it is a link that waits behind the job's present attempt. */
  readonly ahead: boolean
  /** Seq of the intent. */
  readonly intent: number
  /** When it was intended: the accounting is asked from then on. */
  readonly at: string
  /** Doubted: look it up; never submit it again under this nonce. */
  readonly doubted: boolean
  /** Whether a healthy scheduler answered once, in the settle window, that it does not know the name. */
  readonly missed: boolean
  /** Whether the settle window has passed. */
  readonly settled: boolean
}

/** What happened to a job, counted by name within an attempt. */
export interface EventEntry {
  readonly eventId: string
  readonly name: string
  readonly job: string
  readonly attempt: number
  readonly count: number
  readonly firstSeen: string
  readonly lastSeen: string
  readonly status: "seen" | "would" | "waiting" | "queued" | "done" | "failed" | "skipped"
  /** When it last led to an action, by the action's class. */
  readonly acted: Readonly<Record<string, string>>
}

/** How far a log was read for an attempt, in records that a repair has cut off; in bytes. */
export interface ToldLog {
  readonly attempt: number
  readonly identity: string
  readonly to: number
}

/** One raised event, with what its bindings need to go on later. */
export interface Occurrence {
  readonly seq: number
  readonly eventId: string
  readonly name: string
  readonly source: EventData<"EventRaised">["source"]
  readonly job: string
  readonly attempt: number
  readonly at: string
  readonly metadata: ValueMap
  /** The file that its line stands in; null: none, or nobody told. */
  readonly path: string | null
  /** What its line says of a failure; null: nothing. */
  readonly fingerprint: string | null
  /** Null if it was seen; else by what it was published. */
  readonly published: Exclude<EventData<"EventRaised">["published"], undefined> | null
  /** Whether its actions may have been begun already, in records that a repair has cut off. */
  readonly told: boolean
  /** The `monitoring` section that it was raised under, encoded; null: the one that the job is under. */
  readonly rules: unknown
}

/** A node that jobs stay away from. */
export interface Exclusion {
  readonly node: string
  readonly since: string
  /** ISO 8601 UTC. */
  readonly until: string
  readonly reason: string
  readonly by: "rule" | "operator"
  readonly scope: "session" | "project"
  /** The job whose event named it; null: an operator. */
  readonly job: string | null
  /** Whether that job was seen to run there: the scheduler knows the name. */
  readonly seen: boolean
  /** Seq of the decision. */
  readonly seq: number
}

/** A binding that waits for the answer to a question. */
export interface OpenBinding {
  readonly id: string
  readonly occurrence: Occurrence
  /** Seq of the record that told of it. */
  readonly seq: number
  /** Position in the rule's actions, from 0. */
  readonly position: number
  /** Position in its conditions, from 0. */
  readonly condition: number
  readonly className: string
  readonly latch: Latch | null
  readonly asked: Asked
  /** Answers to parts of what is asked, by their positions. */
  readonly answers: ReadonlyMap<number, Answer>
  readonly since: string
}

/** A job's start or end that waits for the answer to a question. */
export interface OpenGate {
  readonly id: string
  readonly kind: "start" | "cancel" | "termination" | "done" | "goal"
  readonly job: string
  /** The job's attempts when it was asked. */
  readonly attempt: number
  /** Position in the job's start, cancel or finish conditions, from 0. */
  readonly condition: number
  readonly className: string
  readonly latch: Latch | null
  readonly asked: Asked
  /** Answers to parts of what is asked, by their positions. */
  readonly answers: ReadonlyMap<number, Answer>
  readonly since: string
  /** Seq of the record that told of it. */
  readonly seq: number
}

/** An inline action under way. */
export interface OpenAction {
  readonly id: string
  readonly seq: number
  readonly binding: string
  readonly eventId: string
  readonly job: string
  readonly attempt: number
  readonly action: RenderedAction
  readonly onInterrupt: OnInterrupt | null
  /** What led to it; null: that is forgotten. */
  readonly occurrence: Occurrence | null
}

export interface QueueEntry {
  /** Seq of the record that made it. */
  readonly seq: number
  readonly queueId: string
  readonly eventId: string
  readonly event: string
  readonly job: string
  readonly action: RenderedAction
  /** `skipped`: it was never fit to run; `result` says why. */
  readonly status: "queued" | "running" | "done" | "failed" | "skipped"
  /** Times that it was claimed. */
  readonly attempts: number
  readonly retries: Retries
  /** Null: as is right for actions of its class. */
  readonly onInterrupt: OnInterrupt | null
  /** Until when nobody may claim it (ISO 8601 UTC); null: it may be claimed. */
  readonly notBefore: string | null
  readonly enqueuedAt: string
  readonly updatedAt: string
  readonly claimedBy: Actor | null
  readonly claimSeq: number | null
  /** Name of its latest claim; null: that has none. */
  readonly lease: string | null
  /** Whether it ended because the worker of that claim was taken for dead. */
  readonly interrupted: boolean
  /** Of its latest attempt that has one. */
  readonly result: Outcome["result"] | null
}

export interface FollowUpEntry {
  readonly planId: string
  readonly queueId: string
  /** Seq of the record that told of it. */
  readonly seq: number
  /** Null while it goes on. */
  readonly status: string | null
}
