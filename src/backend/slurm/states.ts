/**
 * SLURM's states of a job, all in one table. Source: squeue and sacct man pages, JOB STATE CODES, of 20.11 to 25.05.
 */

/** Where a job of that state is; `unknown` is a word that a later SLURM may use: nothing follows from it. */
export type Phase = "waiting" | "running" | "ended" | "unknown"

/** How a job ended. */
export type EndKind =
  | "ok"
  | "failed"
  | "cancelled"
  | "timeout"
  | "node_failure"
  | "memory"
  | "preempted"
  | "deadline"
  | "boot_failure"

export interface State {
  /** The long word in capitals. */
  readonly word: string
  readonly phase: Phase
  /** Null unless it ended. */
  readonly end: EndKind | null
}

const waiting = (short: string) => ({ short, phase: "waiting", end: null }) as const
const running = (short: string) => ({ short, phase: "running", end: null }) as const
const ended = (short: string, end: EndKind) => ({ short, phase: "ended", end }) as const

const table: Readonly<Record<string, { readonly short: string; readonly phase: Phase; readonly end: EndKind | null }>> =
  {
    PENDING: waiting("PD"),
    CONFIGURING: waiting("CF"),
    POWER_UP_NODE: waiting("PU"),
    REQUEUED: waiting("RQ"),
    REQUEUE_FED: waiting("RF"),
    REQUEUE_HOLD: waiting("RH"),
    RESV_DEL_HOLD: waiting("RD"),
    SPECIAL_EXIT: waiting("SE"),
    RUNNING: running("R"),
    COMPLETING: running("CG"),
    EXPEDITING: running("EX"),
    RESIZING: running("RS"),
    SIGNALING: running("SI"),
    STAGE_OUT: running("SO"),
    STOPPED: running("ST"),
    SUSPENDED: running("S"),
    UPDATE_DB: running("UD"),
    COMPLETED: ended("CD", "ok"),
    FAILED: ended("F", "failed"),
    LAUNCH_FAILED: ended("LF", "failed"),
    RECONFIG_FAIL: ended("RG", "failed"),
    CANCELLED: ended("CA", "cancelled"),
    REVOKED: ended("RV", "cancelled"),
    TIMEOUT: ended("TO", "timeout"),
    DEADLINE: ended("DL", "deadline"),
    NODE_FAIL: ended("NF", "node_failure"),
    BOOT_FAIL: ended("BF", "boot_failure"),
    OUT_OF_MEMORY: ended("OOM", "memory"),
    PREEMPTED: ended("PR", "preempted")
  }

const words = Object.keys(table)
const longWords = new Map(words.map((word) => [table[word]?.short ?? word, word]))

const wordOf = (text: string): string => {
  if (Object.hasOwn(table, text)) return text
  const long = longWords.get(text)
  if (long !== undefined) return long
  const start = text.replace(/\+$/, "")
  // Cut words are read only where they can mean one state alone.
  const [only, ...others] = start.length < 4 ? [] : words.filter((word) => word.startsWith(start))
  return only !== undefined && others.length === 0 ? only : text
}

/**
 * The state that SLURM prints as `text`: the long word, the short form (`PD`), one cut to a column (`OUT_OF_ME+`,
 * `COMPLETI`), or with who did it (`CANCELLED by 1001`). Total: any other text is kept as it is, with phase `unknown`.
 */
export const parseState = (text: string): State => {
  const word = wordOf(text.trim().toUpperCase().replace(/\s+BY\s.*$/, ""))
  const known = Object.hasOwn(table, word) ? table[word] : undefined
  return { word, phase: known?.phase ?? "unknown", end: known?.end ?? null }
}

/** All states that are known, for those who must have an answer to each. */
export const knownStates: ReadonlyArray<State> = words.map(parseState)
