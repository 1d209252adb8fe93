/** What led to a record: the chain of causes, and what of the outside world stands at its end. */
import type { EventRecord } from "../../event/EventRecord.ts"

/** What was seen or asked for that led to an action. Offsets in bytes from 0. */
export type Evidence =
  | {
    readonly kind: "log"
    readonly path: string
    /** Where the line begins, and the line, cut at 2 KiB; null: no single line led to it. */
    readonly offset: number | null
    readonly line: string | null
  }
  | {
    readonly kind: "slurm"
    readonly from: string | null
    readonly to: string
    readonly exit_code: number | null
    readonly signal: number | null
    readonly reason: string | null
    readonly nodes: string | null
  }
  | { readonly kind: "request"; readonly request: string; readonly by: string }
  | { readonly kind: "other"; readonly type: string }

/** The records by their seq. */
export type BySeq = ReadonlyMap<number, EventRecord>

/** The record and what led to it, one by one, down to a fact that nothing in the journal led to. */
export const chainOf = (bySeq: BySeq, from: EventRecord): ReadonlyArray<EventRecord> => {
  const chain = [from]
  for (let cause = from.cause; cause !== undefined;) {
    const record = bySeq.get(cause)
    // A cause stands before what it leads to.
    if (record === undefined || record.seq >= (chain.at(-1)?.seq ?? 0)) break
    chain.push(record)
    cause = record.cause
  }
  return chain
}

/** Which of the matches in a read raised the event: the events of one rule come in the order of their lines. */
const matchOf = (bySeq: BySeq, read: EventRecord<"LogRead">, raised: EventRecord<"EventRaised">) => {
  let nth = 0
  for (let seq = read.seq + 1; seq < raised.seq; seq += 1) {
    const other = bySeq.get(seq)
    if (other?.type === "EventRaised" && other.cause === read.seq && other.data.name === raised.data.name) nth += 1
  }
  return read.data.matches.filter(({ line, rule }) => line !== undefined && rule === raised.data.name)[nth]
}

/** What stands at the end of the chain. */
export const evidenceOf = (bySeq: BySeq, chain: ReadonlyArray<EventRecord>): Evidence | null => {
  const root = chain.at(-1)
  if (root === undefined) return null
  switch (root.type) {
    case "LogRead": {
      const before = chain.at(-2)
      const match = before?.type === "EventRaised" ? matchOf(bySeq, root, before) : undefined
      return { kind: "log", path: root.data.path, offset: match?.offset ?? null, line: match?.line ?? null }
    }
    case "JobStateChanged": {
      const { exit_code, from, nodes, reason, signal, to } = root.data
      return { kind: "slurm", from, to, exit_code, signal, reason, nodes }
    }
    case "OperatorRequested": {
      const { actor: { host, user }, request } = root.data
      return { kind: "request", request: request.kind, by: `${user}@${host}` }
    }
    default:
      return { kind: "other", type: root.type }
  }
}

/** The evidence as a phrase. */
export const evidenceText = (evidence: Evidence | null): string => {
  switch (evidence?.kind) {
    case "log":
      return evidence.line === null ? evidence.path : `${evidence.path}:${evidence.offset ?? 0}: ${evidence.line}`
    case "slurm": {
      const { exit_code, from, reason, to } = evidence
      const how = [exit_code === null ? [] : [`exit code ${exit_code}`], reason === null ? [] : [reason]].flat()
      return `${from ?? "unknown"} -> ${to}${how.length === 0 ? "" : ` (${how.join(", ")})`}`
    }
    case "request":
      return `${evidence.request} asked for by ${evidence.by}`
    case "other":
      return evidence.type
    case undefined:
      return ""
  }
}
