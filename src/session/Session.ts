/**
 * A session as its journal tells it. Job values are immutable; the tables that hold them belong to whoever folds
 * (copying a table of ten thousand jobs for each record would cost more than everything else).
 */
import type { EventData } from "../event/events.ts"
import type { Answer } from "../event/Question.ts"
import type { Request } from "../event/Request.ts"
import type { BreakerSettings } from "../event/terms.ts"
import type { Repair } from "../port/Journal.ts"
import type {
  EventEntry,
  Exclusion,
  FollowUpEntry,
  LogPosition,
  Occurrence,
  OpenAction,
  OpenBinding,
  OpenGate,
  OpenSubmission,
  QueueEntry,
  ToldLog
} from "./entries.ts"
import type { Job } from "./Job.ts"

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
  /** What repairs have cut off, and nobody has looked into yet, and the seqs of the records that say so; oldest first. */
  readonly cuts: ReadonlyArray<Repair & { readonly seq: number }>
  /** How far logs were read in what repairs have cut off, by the keys of `logs`. */
  readonly toldLogs: Map<string, ReadonlyArray<ToldLog>>
  /** How many times events were raised, there included, by the keys of `events`. */
  readonly toldEvents: Map<string, number>
  /** Attempts of which a restart was decided there, by `attemptKey`. */
  readonly toldRestarts: Set<string>
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
  /**
   * Why the scheduler takes no jobs at present: since when, how often in a row it has said so, of which jobs, and its
   * latest words; null: it takes them, as far as anybody knows.
   */
  readonly siteLimit:
    | { readonly since: string; readonly times: number; readonly jobs: ReadonlyArray<string>; readonly message: string }
    | null
  /** Whether it ever took none: jobs are submitted one by one since then. */
  readonly limited: boolean
  /** Nodes that its jobs stay away from, by their names. */
  readonly excluded: Map<string, Exclusion>
  /** When rules named nodes last, by these: whether they are many at once. */
  readonly named: Map<string, string>
  /** Since when rules exclude none, because too many were named at once; null: they do. */
  readonly massFailure: { readonly since: string; readonly why: string } | null
  /** What other sessions of the project stay away from. */
  readonly projectNodes: EventData<"ProjectNodesRead">["nodes"]
  /** Names of which the scheduler has said that it has no such node. */
  readonly unknownNodes: Set<string>
  readonly schedulerFailing: boolean
  readonly calls: Readonly<Record<string, number>>
  readonly jobs: Map<string, Job>
  /** Names of the jobs that are chains. */
  readonly chains: Set<string>
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
  /** What conditions keep to, by {@link latchKey}. */
  readonly latches: Map<string, Answer>
  /** By a job's name: ids of the bindings and gates that wait for its end, or for a state of it. */
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
  cuts: [],
  toldLogs: new Map(),
  toldEvents: new Map(),
  toldRestarts: new Set(),
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
  siteLimit: null,
  limited: false,
  excluded: new Map(),
  named: new Map(),
  massFailure: null,
  projectNodes: [],
  unknownNodes: new Set(),
  schedulerFailing: false,
  calls: {},
  jobs: new Map(),
  chains: new Set(),
  submissions: new Map(),
  logs: new Map(),
  unreadable: new Set(),
  patternsOff: new Map(),
  events: new Map(),
  eventKeys: new Map(),
  occurrences: new Map(),
  bindings: new Map(),
  gates: new Map(),
  latches: new Map(),
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

export const attemptKey = (job: string, attempt: number): string => `${job}\0${attempt}`
/** Key of what a condition of the job keeps to. */
export const latchKey = (job: string, key: string): string => `${job}\0${key}`

/** Key of an event's entry: names are counted anew in each attempt. */
export const eventKey = (job: string, attempt: number, name: string): string => `${job}\0${attempt}\0${name}`

/** Timer of the settle window after a repair. */
export const recoveryTimer = "recovery"

/** Timer of the next excluded node that is let back. */
export const nodesTimer = "nodes"

/** Timer that keeps submissions apart. */
export const submitTimer = "submit"

/** Whether every job has its outcome. */
export const allEnded = (session: Session): boolean => {
  for (const job of session.jobs.values()) if (job.outcome === null) return false
  return true
}

/** Whether a link is queued of which nobody knows yet that it is over. */
const linksWait = ({ chains, jobs }: Session): boolean =>
  [...chains].some((name) => (jobs.get(name)?.links.length ?? 0) > 0)

/** Whether nothing is left to wait for; without a worker, queued actions are not waited for. */
export const isFinished = (session: Session, worker: boolean): boolean =>
  allEnded(session) && !linksWait(session) && session.recovery === null && session.submissions.size === 0 &&
  session.bindings.size === 0 &&
  session.actions.size === 0 &&
  (!worker || ![...session.queue.values()].some(({ status }) => status === "queued" || status === "running")) &&
  ![...session.followUps.values()].some(({ status }) => status === null)

/** A word for people: `planned`, `running`, `finishing` (jobs ended, actions or follow-ups go on), `finished`. */
export const statusOf = (session: Session): "planned" | "running" | "finishing" | "finished" => {
  if (isFinished(session, true)) return "finished"
  if (allEnded(session)) return "finishing"
  return [...session.jobs.values()].every(({ state }) => state === "planned") ? "planned" : "running"
}
