/** What must be the same however often a monitor died on the way. */
import { expect } from "vitest"
import type { RenderedAction } from "../../src/event/terms.ts"
import type { Session } from "../../src/session/Session.ts"
import { archive, submissionsOf, type Told } from "./script.ts"

const givenUpFor = /whether it took effect is not known|it is not done again/

/** The attempt of the follow-up's only job. */
const followUp = "evaluation.1"

/** How everything ended, without times, numbers of records, and which action was given up. */
const endOf = (session: Session) => ({
  jobs: [...session.jobs.values()].map(({ attempt, attention, outcome, plan, restarts, slurm, why }) => ({
    name: plan.name,
    outcome,
    why,
    attempt,
    attention,
    runs: slurm?.name.split(".").slice(0, 2).join("."),
    restarts: restarts.map(({ attempt, cause, reason }) => ({ attempt, cause, reason }))
  })),
  events: [...session.events.values()].map(({ attempt, count, job, name }) => `${job} ${attempt} ${name} ${count}`)
    .sort(),
  queue: [...session.queue.values()].map(({ action, event, job }) => `${job} ${event} ${JSON.stringify(action)}`)
    .sort(),
  followUps: [...session.followUps.values()].map(({ status }) => status),
  open: session.submissions.size + session.bindings.size + session.gates.size + session.actions.size
})

const counted = (names: ReadonlyArray<string>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** What is done again where it is not known whether it was: at least once, and by each monitor at most once. */
const judgeRetried = (done: Readonly<Record<string, number>>, calm: Told, monitors: number): void => {
  for (const command of calm.commands) {
    if (!command.startsWith(archive)) continue
    expect(done[command], command).toBeGreaterThanOrEqual(1)
    expect(done[command], command).toBeLessThanOrEqual(monitors)
  }
}

const once = (commands: ReadonlyArray<string>): Record<string, number> =>
  counted(commands.filter((command) => !command.startsWith(archive)))

/** Commands that the journal says were given up: whoever ran them died meanwhile, or a repair cut off what tells of them. */
const givenUp = ({ records, session }: Told): ReadonlySet<string> => {
  const commandOf = ({ class_name, command }: RenderedAction) => Array.isArray(command) ? command.join(" ") : class_name
  const started = new Map(
    records.flatMap((record) =>
      record.type === "ActionStarted" ? [[record.data.action_id, commandOf(record.data.action)]] : []
    )
  )
  return new Set([
    ...records.flatMap((record) =>
      record.type === "ActionInterrupted" ? [started.get(record.data.action_id) ?? ""] : []
    ),
    ...[...session.queue.values()].flatMap(({ action, result, status }) =>
      status === "failed" && givenUpFor.test(String(result?.["error"])) ? [commandOf(action)] : []
    )
  ])
}

/** Bytes of each log that were read: each once, in their order. */
export const readings = ({ records }: Pick<Told, "records">): Readonly<Record<string, number>> => {
  const ends = new Map<string, number>()
  for (const { data, job, type } of records) {
    if (type !== "LogRead") continue
    expect([job, data.path, data.from]).toEqual([job, data.path, ends.get(data.path) ?? 0])
    ends.set(data.path, data.to)
  }
  return Object.fromEntries(ends)
}

/**
 * Each attempt was submitted once, each action done once (or not at all, if the journal gave it up), each line read once,
 * nobody but the unwanted was cancelled, and everything is as if nobody had died.
 */
export const judge = (told: Told, calm: Told): void => {
  expect(counted(submissionsOf(told.ledger))).toEqual(counted(submissionsOf(calm.ledger)))
  expect(endOf(told.session)).toEqual(endOf(calm.session))
  expect(told.followUps.map(endOf)).toEqual(calm.followUps.map(endOf))
  const cancelled = (of: Told) =>
    [...new Set(of.ledger.filter(({ what }) => what === "cancel").map(({ name }) => name.split(".").slice(0, 2)))]
      .map((name) => name.join(".")).sort()
  expect([...new Set(cancelled(told))]).toEqual(cancelled(calm))
  expect(readings(told)).toEqual(readings(calm))
  const gone = givenUp(told)
  judgeRetried(counted(told.commands), calm, told.monitors)
  const done = once(told.commands)
  for (const [command, times] of Object.entries(once(calm.commands))) {
    if (gone.has(command) && done[command] === undefined) delete done[command]
    else expect([command, done[command]]).toEqual([command, times])
    delete done[command]
  }
  expect(done).toEqual({})
  const raised = told.records.flatMap(({ attempt, data, job, type }) =>
    type === "EventRaised" ? [`${job} ${attempt} ${data.name} ${data.count}`] : []
  )
  expect(raised).toEqual([...new Set(raised)])
}

/**
 * After a repair: each attempt was submitted once, jobs ended as they do, no command ran twice, and what did not run is told
 * to people. Budgets, requests and the numbers of events may have been lost.
 */
export const judgeRepaired = (told: Told, calm: Told): void => {
  const jobsOf = ({ jobs }: Session) =>
    [...jobs.values()].map(({ attempt, outcome, plan }) => ({ name: plan.name, attempt, outcome }))
  const gone = givenUp(told)
  const { [followUp]: followed = 0, ...submitted } = counted(submissionsOf(told.ledger))
  expect({ ...submitted, [followUp]: 1 }).toEqual(counted(submissionsOf(calm.ledger)))
  expect(followed).toBe(gone.has("RunAutoexpAction") ? Math.min(followed, 1) : 1)
  expect(jobsOf(told.session)).toEqual(jobsOf(calm.session))
  judgeRetried(counted(told.commands), calm, told.monitors)
  const done = once(told.commands)
  for (const [command, times] of Object.entries(done)) expect([command, times]).toEqual([command, 1])
  for (const command of Object.keys(once(calm.commands))) {
    if (done[command] === undefined) expect([...gone]).toContain(command)
  }
}

/** The session file has seen the whole journal. */
export const judgeFiles = (told: Told): void => {
  const last = told.records.at(-1)
  expect(JSON.parse(told.published ?? "null")).toMatchObject({ head: { seq: last?.seq } })
}
