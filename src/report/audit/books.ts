/** The books of an audit: what is known of each action so far. */
import type { EventRecord } from "../../event/EventRecord.ts"
import type { Outcome } from "../../event/Outcome.ts"
import { questionText } from "../../event/Question.ts"
import type { Actor, Budget, RenderedAction } from "../../event/terms.ts"
import { secondsBetween } from "../../event/time.ts"
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

export const commandOf = ({ command, cwd }: RenderedAction): Pick<AuditEntry, "command" | "cwd"> => ({
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
export class Books {
  readonly entries = new Map<number, AuditEntry>()
  /** Who monitored under each epoch. */
  readonly monitors = new Map<number, Actor>()
  /** Classes of the actions that answer an event, by the seq of the event; they are not recorded before they are decided. */
  readonly classes = new Map<number, ReadonlyArray<string>>()
  /** Seqs of the entries, by what later records call them. */
  readonly named = new Map<string, number>()
  /** Nonces of the submissions that are links of a chain, queued ahead. */
  readonly links = new Set<string>()
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
