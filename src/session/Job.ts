/** A job as its session's journal tells it. */
import type { ValueMap } from "../backend/Value.ts"
import type { PlannedJob } from "../event/PlannedJob.ts"
import type { Changes, JobOutcome, Mode } from "../event/terms.ts"
import type { Counted } from "./counted.ts"

export type JobState = "planned" | "waiting" | "submitting" | "pending" | "running" | "ended"
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

/** An attempt that ran and is over. Times are ISO 8601 UTC. */
export interface PastAttempt {
  readonly attempt: number
  /** The scheduler's id of it. */
  readonly id: string | null
  readonly start: string
  readonly end: string
  /** The scheduler's last word. */
  readonly slurmState: string | null
  readonly nodes: string | null
  /** The last step that it told of. */
  readonly step: number | null
}

/** Those that are kept, the latest; `seconds` is of all that ever ran. */
export interface Past {
  readonly attempts: ReadonlyArray<PastAttempt>
  readonly seconds: number
}

/** A submission of a chain that waits behind the present attempt. */
export interface Link {
  readonly nonce: string
  /** Null: whether it was accepted is not known yet. */
  readonly slurm: Job["slurm"]
  readonly logPath: string | null
  /** What it was submitted with. */
  readonly options: ReadonlyArray<string>
  readonly script: string
  /** Nodes that the scheduler was told later to keep it away from, whether it took that or not; null: none were told. */
  readonly told: ReadonlyArray<string> | null
  /** Seq of the decision to cancel it, and whether the scheduler took that. */
  readonly cancel: { readonly seq: number; readonly taken: boolean } | null
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
  /** When it was first seen to run. */
  readonly runningAt: string | null
  /** By what it is known that the present attempt has done its work; null: it is not. */
  readonly completed: string | null
  /** The state that a log event named last of the present attempt, unless that was an end. */
  readonly stateKey: string | null
  /** Whether its silence was noticed and has not been broken since. */
  readonly stalled: boolean
  /** Whether only progress breaks it, and not what else its files grow by. */
  readonly awaitsProgress: boolean
  /** What log events with a state or an `error_type` said of the present attempt. */
  readonly evidence: ValueMap
  /** The different `error_type`s among it, in the order in which they were first seen. */
  readonly errorTypes: ReadonlyArray<string>
  /** Fingerprint of the line that first told of the present attempt's failure. */
  readonly error: string | null
  readonly progressed: Progressed
  /** What its log counts by what its rules declare. */
  readonly counted: Counted
  readonly past: Past
  /** Latest groups of each rule that only notes progress. */
  readonly progress: Readonly<Record<string, Readonly<Record<string, string | null>>>>
  /** What the present attempt ended as, and why, once it has been judged. */
  readonly verdict: { readonly outcome: JobOutcome; readonly why: string } | null
  /** A restart that was decided and whose submission waits for the old attempt's end. */
  readonly restart: {
    readonly seq: number
    readonly reason: string
    readonly unlessCompleted: boolean
    readonly by: "rule" | "operator" | "lost" | "chain"
    /** Its back-off: it is not submitted before (ISO 8601 UTC). */
    readonly notBefore: string | null
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
  /** Whether its work is done already, by its finish conditions: they are asked before each submission, and at a bad end. */
  readonly done: "unasked" | "asking" | "no" | "yes"
  /** Why it is done. */
  readonly doneWhy: string | null
  /** Whether its cancel conditions were asked, which happens once. */
  readonly cancelAsked: boolean
  /** That it must not go on was decided, and why. */
  readonly ending: { readonly seq: number; readonly why: string } | null
  /** Whether the scheduler began the present attempt by itself, by putting the job back into its queue. */
  readonly requeued: boolean
  /** Whether the present attempt ended at once because another start of it runs. */
  readonly foreignClaim: boolean
  /** Whether the present attempt ended at the gate before its chain's link, and never began. */
  readonly gated: boolean
  /** Whether the chain's `until` held when the present attempt had ended: not asked, asked, or no. */
  readonly goal: "unasked" | "asking" | "no"
  /** Which link of its chain the job is at, from 1; 0 before the first, and without a chain. */
  readonly link: number
  /** Links that wait behind the present attempt, the next one first. */
  readonly links: ReadonlyArray<Link>
  /** The highest number in the name of a submission that the scheduler has queued, and of a link. */
  readonly numbered: number
  /** How often in a row the scheduler refused to queue a link. */
  readonly linksRefused: number
  readonly restarts: ReadonlyArray<Restart>
  /** Position in `restarts` from which on budgets count. */
  readonly budgetFrom: number
  /** What restarts have changed in what is submitted; null: nothing. */
  readonly changes: Changes | null
  /** How often its checkpoint was rolled back, and because of which attempt last; null: of none. */
  readonly rollbacks: number
  readonly rolledBack: number | null
  /** Nodes that the scheduler was told last to keep the present attempt away from, besides those of its script. */
  readonly excluded: ReadonlyArray<string>
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
