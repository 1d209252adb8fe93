/** A replay in words: turns one by one, where it parts from the journal, and the state at a point. */
import type { EventRecord } from "../event/EventRecord.ts"
import { encodeEvent } from "../event/EventRecord.ts"
import { questionText } from "../event/Question.ts"
import { type Divergence, type Replayed } from "../replay/replay.ts"
import type { Turn } from "../replay/turns.ts"
import type { Session } from "../session/Session.ts"
import { waitsFor } from "../session/view.ts"
import { sentence } from "./happenings.ts"
import { clean } from "./width.ts"

const about = ({ attempt, job }: EventRecord): string =>
  job === undefined ? "" : `  ${job}${attempt === undefined ? "" : `#${attempt}`}`

/** What a record says, in one line. */
export const recordLine = (record: EventRecord): string => {
  const told = sentence(record)
  return clean(`${record.seq}  ${record.type}${about(record)}${told === null ? "" : `: ${told}`}`)
}

/** Log lines that rules found, one each. */
const matchLines = ({ fact }: Turn): ReadonlyArray<string> =>
  fact.type !== "LogRead" ?
    [] :
    fact.data.matches.map(({ groups, line, offset, rule }) =>
      clean(`    ${rule} at byte ${offset}: ${line ?? JSON.stringify(groups)}`)
    )

/** A fact with what it led to. */
export const turnLines = (turn: Turn, divergence: Divergence | null): ReadonlyArray<string> => [
  `${turn.fact.at}  fact ${recordLine(turn.fact)}`,
  ...matchLines(turn),
  ...turn.decisions.map((record) => `    decided ${recordLine(record)}`),
  ...(divergence === null ? [] : divergenceLines(divergence))
]

const whole = (record: EventRecord | null): string =>
  record === null ? "nothing" : clean(`${recordLine(record)}  ${JSON.stringify(encodeEvent(record))}`)

const divergenceLines = ({ decided, fact, recorded, rule, seq }: Divergence): ReadonlyArray<string> => [
  `the first difference is at record ${seq}${rule === null ? "" : `, from rule ${clean(rule)}`}`,
  `  fact:     ${whole(fact)}`,
  `  recorded: ${whole(recorded)}`,
  `  decided:  ${whole(decided)}`
]

/** What became of a replay. */
export const replayLines = ({ decisions, divergence, facts }: Replayed): ReadonlyArray<string> =>
  divergence === null
    ? [`identical: ${facts} facts led to the same ${decisions} decisions`]
    : [`after ${facts - 1} facts with the same decisions:`, ...divergenceLines(divergence)]

/** The session at a point of its history. */
export const stateLines = (session: Session): ReadonlyArray<string> => [
  `state after record ${session.seq}, ${session.at}:`,
  ...[...session.jobs.values()].map((job) => {
    const { activeAt, attempt, attention, live, outcome, plan, progress, restart, restarts, slurmState, state } = job
    const waits = waitsFor(session, job)
    return clean(
      `  ${plan.name}: ` + [
        outcome === null ? state : `ended as ${outcome}`,
        `attempt ${attempt}`,
        ...(slurmState === null ? [] : [`${slurmState} for the scheduler`]),
        `${restarts.length} restarts`,
        ...(restart === null ? [] : [`is to be restarted: ${restart.reason}`]),
        ...(waits === null ? [] : [`waits for ${waits}`]),
        ...(live && activeAt !== null ? [`last sign of life ${activeAt}`] : []),
        ...(attention === null ? [] : [`needs attention: ${attention.reason}`]),
        ...Object.entries(progress).map(([rule, groups]) => `${rule} ${JSON.stringify(groups)}`)
      ].join("; ")
    )
  }),
  ...[...session.bindings.values()].map(({ asked, className, occurrence }) =>
    clean(`  ${className} of ${occurrence.name} (${occurrence.job}) waits for ${questionText(asked.question)}`)
  ),
  ...[...session.timers].map(([timer, { due }]) => clean(`  timer ${timer}: ${due}`))
]
