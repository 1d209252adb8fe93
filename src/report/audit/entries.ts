/** Every action that a session took or skipped, made of its journal alone. */
import { eventAction } from "../../action/actions.ts"
import type { EventRecord } from "../../event/EventRecord.ts"
import type { Outcome } from "../../event/Outcome.ts"
import { questionText } from "../../event/Question.ts"
import type { Actor, Budget, RenderedAction } from "../../event/terms.ts"
import { secondsBetween } from "../../event/time.ts"
import { ruleOf } from "../../rule/bound.ts"
import { rulesFor, rulesInForce } from "../../rule/Context.ts"
import { fold } from "../../session/fold.ts"
import { gateKind } from "../../session/foldGate.ts"
import { emptySession, type Session } from "../../session/Session.ts"
import { resultText } from "../happenings.ts"
import { type BySeq, chainOf, type Evidence, evidenceOf } from "./evidence.ts"

/** What a condition said. */
interface ConditionResult {
  readonly seq: number
  readonly condition: number
  readonly class_name: string
  readonly result: "passed" | "waiting" | "failed"
  readonly why: string
}

/** One time that an action was executed. Times are ISO 8601 UTC; texts of a program are cut at 1 KiB. */
interface Run {
  readonly seq: number
  readonly at: string
  readonly finished_at: string | null
  readonly status: "running" | "done" | "failed" | "interrupted"
  readonly actor: Actor | null
  readonly exit_code: number | null
  readonly duration_seconds: number | null
  readonly output: string | null
  readonly error_output: string | null
  readonly error: string | null
}

/**
 * An action. `status`: `queued`, `waiting` (for a condition) and `running` go on; `done`, `failed`, `interrupted` were
 * taken; `skipped` and `refused` were not, `reason` says why.
 */
export interface AuditEntry {
  /** Of the record that decided it. */
  readonly seq: number
  readonly at: string
  readonly job: string | null
  readonly attempt: number | null
  /** A class of the rules (`RunCommandAction`), `submission`, `cancel`, `end`, or what an operator asked for. */
  readonly action: string
  readonly status: "queued" | "waiting" | "running" | "done" | "failed" | "interrupted" | "skipped" | "refused"
  /** Who did it last; who decided it if nobody did. Null: nobody knows. */
  readonly actor: Actor | null
  readonly reason: string
  /** Seqs of what led to it, the decision first, down to a fact that nothing led to. */
  readonly cause: ReadonlyArray<number>
  readonly evidence: Evidence | null
  /** The event that it answers. */
  readonly event: string | null
  readonly queue_id: string | null
  readonly conditions: ReadonlyArray<ConditionResult>
  readonly budgets: ReadonlyArray<Budget>
  /** The argument vector. */
  readonly command: ReadonlyArray<string> | null
  readonly cwd: string | null
  readonly slurm_id: string | null
  /** Of the last run; `output`: what a program printed, or what an action without one tells. */
  readonly exit_code: number | null
  readonly duration_seconds: number | null
  readonly output: string | null
  /** Why it failed, or what it printed as errors. */
  readonly error: string | null
  readonly runs: ReadonlyArray<Run>
}

const isText = (value: unknown): value is string => typeof value === "string"

const commandOf = ({ command, cwd }: RenderedAction): Pick<AuditEntry, "command" | "cwd"> => ({
  command: Array.isArray(command) && command.every(isText) ? command : null,
  cwd: isText(cwd) ? cwd : null
})

const conditionsOf = (chain: ReadonlyArray<EventRecord>): ReadonlyArray<ConditionResult> =>
  chain.flatMap((record): ReadonlyArray<ConditionResult> => {
    switch (record.type) {
      case "ConditionPassed":
      case "ConditionFailed": {
        const { class_name, condition, why } = record.data
        return [{
          seq: record.seq,
          condition,
          class_name,
          result: record.type === "ConditionPassed" ? "passed" : "failed",
          why
        }]
      }
      case "ConditionWaiting": {
        const { asked, class_name, condition } = record.data
        return [{ seq: record.seq, condition, class_name, result: "waiting", why: questionText(asked.question) }]
      }
      default:
        return []
    }
  }).toReversed()

const numberOr = (value: unknown): number | null => typeof value === "number" ? value : null
const textOr = (value: unknown): string | null => isText(value) ? value : null

/** What is not told elsewhere of a run. */
const plain = ({ exit_code: _, ...result }: Outcome["result"]): Outcome["result"] => result

const ended = (run: Run, at: string, { duration_seconds, result, status }: Outcome): Run => ({
  ...run,
  finished_at: at,
  status: result["interrupted"] === true ? "interrupted" : status,
  exit_code: numberOr(result["exit_code"]),
  duration_seconds: duration_seconds ?? secondsBetween(run.at, at),
  output: textOr(result["stdout"]) ?? ((status === "done" && resultText(plain(result))) || null),
  error_output: textOr(result["stderr"]),
  error: textOr(result["error"])
})

/** The books: entries as they were decided, changed as more is known of them. */
class Books {
  readonly entries = new Map<number, AuditEntry>()
  /** Who monitored under each epoch. */
  readonly monitors = new Map<number, Actor>()
  /** Classes of the actions that answer an event, by the seq of the event; they are not recorded before they are decided. */
  readonly classes = new Map<number, ReadonlyArray<string>>()
  /** Seqs of the entries, by what later records call them. */
  readonly named = new Map<string, number>()
  private readonly bySeq: BySeq

  constructor(bySeq: BySeq) {
    this.bySeq = bySeq
  }

  /** Opens an entry for the record, found again by `name`. */
  open(
    record: EventRecord,
    { action, status, ...known }: Pick<AuditEntry, "action" | "status"> & Partial<AuditEntry>,
    name: string | null = null
  ): void {
    const chain = chainOf(this.bySeq, record)
    const raised = chain.find((one) => one.type === "EventRaised")
    const root = chain.at(-1)
    const asked = root?.type === "OperatorRequested" && root.data.actor.role === "operator" ? root.data.actor : null
    const event = raised?.type === "EventRaised" ? raised.data.name : null
    this.entries.set(record.seq, {
      seq: record.seq,
      at: record.at,
      job: record.job ?? null,
      attempt: record.attempt ?? null,
      action,
      status,
      actor: asked ?? this.monitors.get(record.epoch) ?? null,
      reason: event ?? "",
      cause: chain.map(({ seq }) => seq),
      evidence: evidenceOf(this.bySeq, chain),
      event,
      queue_id: null,
      conditions: conditionsOf(chain),
      budgets: [],
      command: null,
      cwd: null,
      slurm_id: null,
      exit_code: null,
      duration_seconds: null,
      output: null,
      error: null,
      runs: [],
      ...known
    })
    if (name !== null) this.named.set(name, record.seq)
  }

  change(name: string, change: (entry: AuditEntry) => Partial<AuditEntry>): void {
    const entry = this.entries.get(this.named.get(name) ?? 0)
    if (entry !== undefined) this.entries.set(entry.seq, { ...entry, ...change(entry) })
  }

  /** Drops a provisional entry, of which something better is known now. */
  drop(name: string): void {
    this.entries.delete(this.named.get(name) ?? 0)
    this.named.delete(name)
  }

  /** Somebody begins to execute it. */
  begin(name: string, { at, seq }: EventRecord, actor: Actor | null): void {
    const run: Run = {
      seq,
      at,
      finished_at: null,
      status: "running",
      actor,
      exit_code: null,
      duration_seconds: null,
      output: null,
      error_output: null,
      error: null
    }
    this.change(name, ({ runs }) => ({ status: "running", actor, runs: [...runs, run] }))
  }

  /** The last run has ended, or what was taken for its end is corrected. */
  finish(name: string, at: string, outcome: Outcome): void {
    this.change(name, ({ reason, runs }) => {
      const last = runs.at(-1)
      const run = last === undefined ? null : ended(last, at, outcome)
      return {
        status: run?.status ?? outcome.status,
        reason,
        exit_code: run?.exit_code ?? null,
        duration_seconds: run?.duration_seconds ?? null,
        output: run?.output ?? null,
        error: run === null ? null : run.error ?? run.error_output,
        runs: run === null ? runs : [...runs.slice(0, -1), run]
      }
    })
  }
}

/** The classes of the actions that the rule of an event binds to it, as it is while the event is raised. */
const classesOf = (session: Session, { data, job: of }: EventRecord<"EventRaised">): ReadonlyArray<string> => {
  const job = session.jobs.get(of ?? "")
  if (job === undefined) return []
  const actions = ruleOf(rulesFor(session, rulesInForce(session), job.plan), data)?.actions ?? []
  return actions.map((bound) => eventAction(bound).action.class_name)
}

/** The entries of a session in the order in which they were decided. */
export const auditEntries = (records: ReadonlyArray<EventRecord>): ReadonlyArray<AuditEntry> => {
  const books = new Books(new Map(records.map((record) => [record.seq, record])))
  let session = emptySession()
  for (const record of records) {
    session = fold(session, record)
    note(books, session, record)
  }
  return [...books.entries.values()].sort((a, b) => a.seq - b.seq)
}

const note = (books: Books, session: Session, record: EventRecord): void => {
  switch (record.type) {
    case "EventRaised":
      books.classes.set(record.seq, classesOf(session, record))
      return
    case "MonitorAttached":
      books.monitors.set(record.epoch, record.data.actor)
      return
    case "OperatorRequested": {
      const { actor, request, request_id } = record.data
      if (actor.role !== "operator") return
      const queue_id = "queue_id" in request ? request.queue_id : null
      const job = "job" in request ? request.job : session.queue.get(queue_id ?? "")?.job ?? null
      const reason = "reason" in request ? request.reason : ""
      books.open(record, { action: request.kind, status: "done", actor, job, queue_id, reason }, request_id)
      return
    }
    case "RequestRefused":
      books.change(record.data.request_id, () => ({ status: "refused", reason: record.data.why }))
      return
    case "ConditionWaiting":
    case "ConditionPassed":
    case "ConditionFailed": {
      const { binding, class_name } = record.data
      if (gateKind(binding) !== null) return
      books.drop(binding)
      if (record.type === "ConditionPassed") return
      const [seq, position] = binding.split(".").map(Number)
      const action = books.classes.get(seq ?? 0)?.[position ?? 0] ?? "action"
      if (record.type === "ConditionWaiting") {
        const reason = `${class_name}: ${questionText(record.data.asked.question)}`
        books.open(record, { action, status: "waiting", reason }, binding)
      } else books.open(record, { action, status: "skipped", reason: `${class_name}: ${record.data.why}` })
      return
    }
    case "ActionStarted": {
      const { action, action_id } = record.data
      books.open(record, { action: action.class_name, status: "running", ...commandOf(action) }, action_id)
      books.begin(action_id, record, books.monitors.get(record.epoch) ?? null)
      return
    }
    case "ActionFinished":
      books.finish(record.data.action_id, record.at, record.data.outcome)
      return
    case "ActionInterrupted":
      books.finish(record.data.action_id, record.at, {
        status: "failed",
        result: { error: record.data.why, interrupted: true }
      })
      return
    case "ActionQueued": {
      const { action, queue_id } = record.data
      books.open(record, { action: action.class_name, status: "queued", queue_id, ...commandOf(action) }, queue_id)
      return
    }
    case "ActionSkipped": {
      const { class_name, queue, why } = record.data
      books.open(record, {
        action: class_name,
        status: "skipped",
        reason: why,
        ...(queue === undefined ? {} : { queue_id: queue.queue_id, ...commandOf(queue.action) })
      })
      return
    }
    case "ActionLogged":
      books.open(record, { action: record.data.class_name ?? "LogAction", status: "done", reason: record.data.message })
      return
    case "EventPublished":
      books.open(record, { action: "PublishEventAction", status: "done", reason: record.data.event })
      return
    case "QueueClaimed":
      books.begin(record.data.queue_id, record, record.data.actor)
      return
    case "QueueFinished":
      books.finish(record.data.queue_id, record.at, record.data.outcome)
      return
    case "QueueReleased":
      books.change(record.data.queue_id, ({ runs }) => ({
        status: "queued",
        runs: runs.map((run) =>
          run.finished_at === null ? { ...run, finished_at: record.at, status: "interrupted" } : run
        )
      }))
      return
    case "QueueRemoved":
      books.change(
        record.data.queue_id,
        ({ status }) => status === "queued" ? { status: "skipped", reason: "removed from the queue before it ran" } : {}
      )
      return
    default:
      noteScheduling(books, record)
  }
}

/** Restarts, submissions, cancels and ends. */
const noteScheduling = (books: Books, record: EventRecord): void => {
  const job = record.job ?? ""
  switch (record.type) {
    case "RestartDecided": {
      const { budgets, event, reason } = record.data
      books.open(record, { action: "RestartAction", status: "running", reason, budgets, event }, `restart ${job}`)
      return
    }
    case "RestartDropped":
      books.change(`restart ${job}`, () => ({ status: "skipped", reason: record.data.why }))
      books.named.delete(`restart ${job}`)
      return
    case "SubmissionIntended": {
      const { jobs, name, nonce, options, script } = record.data
      const reason = `${name}: ${jobs.length === 1 ? script : `${jobs.length} tasks of ${script}`}`
      const command = options.length === 0 ? null : [...options, script]
      books.open(record, { action: "submission", status: "running", reason, command }, nonce)
      return
    }
    case "JobSubmitted": {
      const { argv, nonce, slurm_id } = record.data
      books.change(nonce, ({ at, command }) => ({
        status: "done",
        slurm_id,
        command: argv ?? command,
        duration_seconds: secondsBetween(at, record.at)
      }))
      books.change(`restart ${job}`, () => ({ status: "done", slurm_id }))
      books.named.delete(`restart ${job}`)
      return
    }
    case "SubmissionRefused":
    case "SubmissionUnanswered":
      books.change(record.data.nonce, () => ({ error: record.data.message }))
      return
    case "SubmissionLost":
      books.change(record.data.nonce, () => ({ status: "failed" }))
      return
    case "CancelDecided": {
      const { slurm_id, why } = record.data
      books.open(record, { action: "cancel", status: "running", reason: why, slurm_id }, `cancel ${slurm_id} ${job}`)
      return
    }
    case "CancelAnswered":
      books.change(`cancel ${record.data.slurm_id} ${job}`, ({ at }) => ({
        status: "done",
        duration_seconds: secondsBetween(at, record.at)
      }))
      return
    case "EndDecided":
      books.open(record, { action: "end", status: "done", reason: record.data.why })
      return
    case "NodesExcluded": {
      const { event, nodes, reason, until } = record.data
      const said = `${nodes.join(", ")} until ${until}: ${reason}`
      books.open(record, { action: "exclude nodes", status: "done", reason: said, event: event ?? null })
      return
    }
    case "NodesReleased": {
      const { nodes, why } = record.data
      const reason = nodes.length === 0 ? why : `${nodes.join(", ")}: ${why}`
      books.open(record, { action: "release nodes", status: "done", reason })
    }
  }
}
