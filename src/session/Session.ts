/**
 * A session as its journal tells it. Job values are immutable; the tables that hold them belong to whoever folds
 * (copying a table of ten thousand jobs for each record would cost more than everything else).
 */
import type { ValueMap } from "../backend/Value.ts"
import type {
  Actor,
  BreakerSettings,
  Changes,
  EventData,
  JobOutcome,
  Mode,
  OnInterrupt,
  RenderedAction,
  Request,
  Retries
} from "../event/events.ts"
import type { Outcome } from "../event/Outcome.ts"
import type { PlannedJob } from "../event/PlannedJob.ts"
import type { Answer, Asked } from "../event/Question.ts"
import type { Repair } from "../port/Journal.ts"

export type JobState = "planned" | "waiting" | "submitting" | "pending" | "running" | "ended"

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

/** A restart that happened. */
export interface Restart {
  /** The attempt that it began. */
  readonly attempt: number
  /** Name of the event that asked for it. */
  readonly cause: string
  readonly reason: string
  /** The rule that asked for it; null: an operator, or the scheduler, which lost the job. */
  readonly rule: string | null
  /** What had failed, and whether the attempt before had come further than any other: budgets count by these. */
  readonly fingerprint: string | null
  readonly progress: boolean | null
}

/** How far a job has come. */
export interface Progressed {
  /** The highest number that each rule's groups have told. */
  readonly best: Readonly<Record<string, number>>
  /** Rules that told of more than ever since the last submission. */
  readonly advanced: ReadonlyArray<string>
  /** Whether anything was read of the job's files since then. */
  readonly read: boolean
}

export interface Job {
  readonly plan: PlannedJob
  readonly state: JobState
  readonly outcome: JobOutcome | null
  /** Why it ended so. */
  readonly why: string | null
  /** Attempts begun, the present one included. */
  readonly attempt: number
  /** Nonce of the present attempt's submission. */
  readonly nonce: string | null
  readonly slurm:
    | { readonly id: string; readonly task: number | null; readonly name: string; readonly cluster: string }
    | null
  /** The scheduler's last word for the present attempt. */
  readonly slurmState: string | null
  /** Whether the present attempt may still run. */
  readonly live: boolean
  readonly exitCode: number | null
  readonly signal: number | null
  readonly nodes: string | null
  readonly start: string | null
  readonly end: string | null
  readonly logPath: string | null
  /** When the present attempt last gave a sign of life: it started, or its files grew. */
  readonly activeAt: string | null
  /** By what it is known that the present attempt has done its work; null: it is not. */
  readonly completed: string | null
  /** The state that a log event named last of the present attempt, unless that was an end. */
  readonly stateKey: string | null
  /** Whether its silence was noticed and has not been broken since. */
  readonly stalled: boolean
  /** What log events with a state or an `error_type` said of the present attempt. */
  readonly evidence: ValueMap
  /** The different `error_type`s among it, in the order in which they were first seen. */
  readonly errorTypes: ReadonlyArray<string>
  /** Fingerprint of the line that first told of the present attempt's failure. */
  readonly error: string | null
  readonly progressed: Progressed
  /** Latest groups of each rule that only notes progress. */
  readonly progress: Readonly<Record<string, Readonly<Record<string, string | null>>>>
  /** What the present attempt ended as, and why, once it has been judged. */
  readonly verdict: { readonly outcome: JobOutcome; readonly why: string } | null
  /** A restart that was decided and whose submission waits for the old attempt's end. */
  readonly restart: {
    readonly seq: number
    readonly reason: string
    readonly unlessCompleted: boolean
    readonly by: "rule" | "operator" | "lost"
  } | null
  /** When the scheduler last said that the present attempt has ended. */
  readonly seenDead: string | null
  /** Whether the scheduler is to be asked once more if that is so still. */
  readonly doubted: boolean
  /** A cancel that was decided for the present attempt. */
  readonly cancel: {
    readonly seq: number
    /** Whether the scheduler took it, and when. */
    readonly taken: boolean
    readonly at: string | null
    /** How often it was taken without effect. */
    readonly unheeded: number
    /** What the attempt ends as, if a log event says so. */
    readonly mode: Mode | null
  } | null
  /** The start conditions of the next attempt: not asked yet, asked, or all passed. */
  readonly gate: "unasked" | "asking" | "passed"
  /** Whether its cancel conditions were asked, which happens once. */
  readonly cancelAsked: boolean
  /** That it must not go on was decided, and why. */
  readonly ending: { readonly seq: number; readonly why: string } | null
  /** Whether the scheduler began the present attempt by itself, by putting the job back into its queue. */
  readonly requeued: boolean
  /** Whether the present attempt ended at once because another start of it runs. */
  readonly foreignClaim: boolean
  readonly restarts: ReadonlyArray<Restart>
  /** Position in `restarts` from which on budgets count. */
  readonly budgetFrom: number
  /** What restarts have changed in what is submitted; null: nothing. */
  readonly changes: Changes | null
  /** An operator wants it not to be submitted. */
  readonly held: { readonly since: string; readonly reason: string } | null
  /** Submissions lost on the way since the last one that was accepted. */
  readonly lostSubmissions: number
  readonly attention: { readonly since: string; readonly reason: string } | null
  /** What would have been done of the present attempt, had the session not only been observed; the latest ones. */
  readonly would: ReadonlyArray<Would>
  readonly lastEvent: string | null
  readonly lastUpdated: string
}

/** Something that would have been done. */
export interface Would {
  readonly at: string
  readonly seq: number
  readonly what: "submit" | "restart" | "cancel" | "end" | "act"
  readonly why: string
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
  /** What its line says of a failure; null: nothing. */
  readonly fingerprint: string | null
  /** Null if it was seen; else by what it was published. */
  readonly published: Exclude<EventData<"EventRaised">["published"], undefined> | null
  /** The `monitoring` section that it was raised under, encoded; null: the one that the job is under. */
  readonly rules: unknown
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
  readonly asked: Asked
  /** Answers to parts of what is asked, by their positions. */
  readonly answers: ReadonlyMap<number, Answer>
  readonly since: string
}

/** A job's start or end that waits for the answer to a question. */
export interface OpenGate {
  readonly id: string
  readonly kind: "start" | "cancel" | "termination"
  readonly job: string
  /** The job's attempts when it was asked. */
  readonly attempt: number
  /** Position in the job's start or cancel conditions, from 0. */
  readonly condition: number
  readonly className: string
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
}

export interface QueueEntry {
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

export interface Session {
  readonly planId: string
  readonly project: string
  readonly created: string
  /** The latest plan; and all that brought it jobs, the first one first. */
  readonly manifest: string
  readonly manifests: ReadonlyArray<string>
  readonly toolVersion: string
  /** Which behaviour of the decider it was opened with, and keeps. */
  readonly behaviour: number
  readonly entropy: string
  /** The random texts that nonces began with before repairs of the journal. */
  readonly pastEntropies: ReadonlyArray<string>
  /** What a repair has cut off, and nobody has looked into yet. */
  readonly cut: Repair | null
  /** Submissions that a repair has cut off are looked for; nothing is submitted meanwhile. */
  readonly recovery: { readonly seq: number; readonly settled: boolean } | null
  /** The `monitoring` section in force, encoded. */
  readonly rules: unknown
  /** Further `monitoring` sections, encoded: those of jobs that name one by its position. */
  readonly ruleSets: ReadonlyArray<unknown>
  /** When they took the place of others, and what differed; null: they are those of the plan. */
  readonly rulesChanged:
    | { readonly since: string; readonly seq: number; readonly changed: ReadonlyArray<string> }
    | null
  /** Why what the config says of them now cannot be read; null: it can, as far as anybody knows. */
  readonly rulesUnreadable: { readonly since: string; readonly seq: number; readonly message: string } | null
  /** Overrides of the rules that an operator has set, the seq of the latest request. */
  readonly settings: { readonly texts: ReadonlyArray<string>; readonly seq: number } | null
  /** The scheduler's settings, encoded. */
  readonly client: unknown
  /** The cluster that took its latest job; null: none was taken yet. */
  readonly cluster: string | null
  readonly maxJobs: number | null
  readonly settleSeconds: number
  /** Seconds from one submission to the next; null: none. */
  readonly submitRateLimitSeconds: number | null
  readonly depth: number
  readonly parent: { readonly plan_id: string; readonly queue_id: string } | null
  readonly seq: number
  readonly at: string
  readonly epoch: number
  /** Epoch of the last monitor that attached; null: none ever did. */
  readonly attached: number | null
  /** Epoch of the last monitor, if it only observes; null: it acts. */
  readonly observer: number | null
  readonly breaker: BreakerSettings | null
  /** Why no restart is submitted at present. */
  readonly breakerOpen: { readonly since: string; readonly reason: string; readonly seq: number } | null
  /** By fingerprint: which jobs last failed so, and when. */
  readonly alike: Map<string, Map<string, string>>
  readonly schedulerFailing: boolean
  readonly calls: Readonly<Record<string, number>>
  readonly jobs: Map<string, Job>
  readonly submissions: Map<string, OpenSubmission>
  readonly logs: Map<string, LogPosition>
  /** Keys of files that cannot be read at present. */
  readonly unreadable: Set<string>
  /** Patterns that took too long and are not looked for any more: the rule's name, and why. */
  readonly patternsOff: Map<string, { readonly rule: string; readonly why: string; readonly since: string }>
  readonly events: Map<string, EventEntry>
  /** Keys of `events` by event id. */
  readonly eventKeys: Map<string, string>
  readonly occurrences: Map<number, Occurrence>
  readonly bindings: Map<string, OpenBinding>
  readonly gates: Map<string, OpenGate>
  /** By a job's name: ids of the bindings and gates that wait for its end. */
  readonly awaited: Map<string, Set<string>>
  readonly actions: Map<string, OpenAction>
  readonly queue: Map<string, QueueEntry>
  readonly followUps: Map<string, FollowUpEntry>
  /** Due times (ISO 8601 UTC) by timer name, and the seq of the record that set each. */
  readonly timers: Map<string, { readonly due: string; readonly seq: number }>
  readonly requests: Set<string>
  /** A further plan that was handed in and not yet taken or refused. */
  readonly growth: Extract<Request, { readonly kind: "grow" }> | null
}

/** The session before its first record. */
export const emptySession = (): Session => ({
  planId: "",
  project: "",
  created: "",
  manifest: "",
  manifests: [],
  toolVersion: "",
  behaviour: 0,
  entropy: "",
  pastEntropies: [],
  cut: null,
  recovery: null,
  rules: {},
  ruleSets: [],
  rulesChanged: null,
  rulesUnreadable: null,
  settings: null,
  client: {},
  cluster: null,
  maxJobs: null,
  settleSeconds: 0,
  submitRateLimitSeconds: null,
  depth: 0,
  parent: null,
  seq: 0,
  at: "",
  epoch: 0,
  attached: null,
  observer: null,
  breaker: null,
  breakerOpen: null,
  alike: new Map(),
  schedulerFailing: false,
  calls: {},
  jobs: new Map(),
  submissions: new Map(),
  logs: new Map(),
  unreadable: new Set(),
  patternsOff: new Map(),
  events: new Map(),
  eventKeys: new Map(),
  occurrences: new Map(),
  bindings: new Map(),
  gates: new Map(),
  awaited: new Map(),
  actions: new Map(),
  queue: new Map(),
  followUps: new Map(),
  timers: new Map(),
  requests: new Set(),
  growth: null
})

/** Key of a log position. One path read for two jobs is two positions; a new attempt on an old path reads on. */
export const logKey = (job: string, path: string): string => `${job}\0${path}`

/** Key of an event's entry: names are counted anew in each attempt. */
export const eventKey = (job: string, attempt: number, name: string): string => `${job}\0${attempt}\0${name}`

/** Timer of the settle window after a repair. */
export const recoveryTimer = "recovery"

/** Timer that keeps submissions apart. */
export const submitTimer = "submit"

/** Whether every job has its outcome. */
export const allEnded = (session: Session): boolean => {
  for (const job of session.jobs.values()) if (job.outcome === null) return false
  return true
}

/** Whether nothing is left to wait for; without a worker, queued actions are not waited for. */
export const isFinished = (session: Session, worker: boolean): boolean =>
  allEnded(session) && session.recovery === null && session.submissions.size === 0 && session.bindings.size === 0 &&
  session.actions.size === 0 &&
  (!worker || ![...session.queue.values()].some(({ status }) => status === "queued" || status === "running")) &&
  ![...session.followUps.values()].some(({ status }) => status === null)

/** A word for people: `planned`, `running`, `finishing` (jobs ended, actions or follow-ups go on), `finished`. */
export const statusOf = (session: Session): "planned" | "running" | "finishing" | "finished" => {
  if (isFinished(session, true)) return "finished"
  if (allEnded(session)) return "finishing"
  return [...session.jobs.values()].every(({ state }) => state === "planned") ? "planned" : "running"
}
