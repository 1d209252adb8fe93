/** A decider fed by hand: facts in, decisions out, no services and no Effect runtime. */
import { type EventRecord, type Fact, isFact } from "../../src/event/EventRecord.ts"
import type { DecisionType, EventData, FactType } from "../../src/event/events.ts"
import type { PlannedJob } from "../../src/event/PlannedJob.ts"
import { later } from "../../src/event/time.ts"
import { rulesInForce } from "../../src/rule/Context.ts"
import type { Monitoring } from "../../src/rule/Monitoring.ts"
import { step } from "../../src/rule/step.ts"
import { fold } from "../../src/session/fold.ts"
import { type Job } from "../../src/session/Job.ts"
import { emptySession } from "../../src/session/Session.ts"

export const plannedJob = (name: string, index = 0, rest: Partial<PlannedJob> = {}): PlannedJob => ({
  name,
  index,
  parameters: { lr: 0.1 },
  script: `/scripts/${name}.sbatch`,
  array: false,
  task: null,
  log_path: `/out/${name}/slurm-%j.out`,
  output_dir: `/out/${name}`,
  output_paths: [],
  stage: "",
  identity: "",
  needs: [],
  start_conditions: [],
  cancel_conditions: [],
  finish_conditions: [],
  rule_set: null,
  ...rest
})

export const actor = { role: "operator", user: "ada", host: "login1", pid: 1 } as const

export const begin = "2026-11-23T03:00:00.000Z"

export const opening = (
  monitoring: typeof Monitoring.Encoded,
  jobs: ReadonlyArray<PlannedJob>,
  rest: Partial<EventData<"SessionOpened">> = {}
): EventData<"SessionOpened"> => ({
  plan_id: "plan",
  project: "demo",
  manifest: "/out/manifests/plan.json",
  manifest_digest: "",
  tool_version: "0",
  entropy: "seedseed",
  rules: monitoring,
  rules_digest: "",
  rule_sets: [],
  client: {},
  max_jobs: null,
  settle_seconds: 60,
  breaker: null,
  submit_rate_limit_seconds: null,
  jobs,
  depth: 0,
  parent: null,
  ...rest
})

/** A session of the given jobs under the given rules. */
export const machine = (
  monitoring: typeof Monitoring.Encoded,
  jobs: ReadonlyArray<PlannedJob> = [plannedJob("a")],
  rest: Partial<EventData<"SessionOpened">> = {}
) => {
  const session = emptySession()
  const records: Array<EventRecord> = []
  let now = begin
  let epoch = 1

  const fact = <Type extends FactType>(
    type: Type,
    data: EventData<Type>,
    about: { readonly job?: string; readonly attempt?: number } = {}
  ): ReadonlyArray<EventRecord<DecisionType>> => {
    const stamped = { type, data, ...about, seq: session.seq + 1, at: now, epoch } as Fact
    const decisions = step(session, rulesInForce(session), stamped)
    records.push(stamped, ...decisions)
    return decisions
  }
  fact("SessionOpened", opening(monitoring, jobs, rest))

  const job = (name = "a"): Job => {
    const found = session.jobs.get(name)
    if (found === undefined) throw new Error(`no job ${name}`)
    return found
  }
  const about = (name: string) => ({ job: name, attempt: job(name).attempt })
  const state = (to: string, name = "a", rest: Partial<EventData<"JobStateChanged">> = {}) =>
    fact("JobStateChanged", {
      from: job(name).slurmState,
      to,
      exit_code: null,
      signal: null,
      reason: null,
      nodes: null,
      start: null,
      end: null,
      ...rest
    }, about(name))

  /** The scheduler says once more that what has ended has ended, where it is asked. */
  const confirm = (): ReadonlyArray<EventRecord<DecisionType>> =>
    [...session.jobs.values()].filter(({ doubted }) => doubted).flatMap(({ plan: { name } }) =>
      fact("EndConfirmed", {}, about(name))
    )

  /** What another holder of the session records. */
  const as = <A>(holder: number, act: () => A): A => {
    epoch = holder
    return act()
  }

  return {
    as,
    session,
    records,
    job,
    fact,
    state,
    /** Lets `seconds` pass, and fires the timers that are due by then. */
    pass: (seconds: number): ReadonlyArray<EventRecord<DecisionType>> => {
      now = later(now, seconds)
      const decided = [...session.timers].filter(([, { due }]) => due <= now).flatMap(([timer]) =>
        fact("TimerFired", { timer })
      )
      return [...decided, ...confirm()]
    },
    confirm,
    submitAll: () => fact("OperatorRequested", { request_id: "submit", actor, request: { kind: "submit", jobs: [] } }),
    /** The scheduler accepts every open submission, ids counting from 100. */
    accept: () =>
      [...session.submissions.values()].flatMap((submission) =>
        submission.jobs.flatMap((name) =>
          fact("JobSubmitted", {
            nonce: submission.nonce,
            name: submission.name,
            slurm_id: `${100 + session.seq}`,
            task: submission.array === null ? null : job(name).plan.index,
            cluster: "test",
            log_path: `/out/${name}/slurm-${submission.attempt}.out`,
            how: "answered"
          }, { job: name, attempt: submission.attempt })
        )
      ),
    /** The log of the job grew by lines in which the named rules matched. */
    log: (
      matches: ReadonlyArray<
        { readonly rule: string; readonly groups?: Record<string, string>; readonly noted?: boolean }
      >,
      name = "a"
    ) =>
      fact("LogRead", {
        path: job(name).logPath ?? "",
        from: session.seq,
        to: session.seq + 1,
        size: session.seq + 1,
        identity: "f",
        matches: matches.map(({ groups = {}, noted = false, rule }, offset) => ({
          rule,
          offset,
          groups,
          ...(noted ? {} : { line: rule })
        }))
      }, about(name)),
    /** The same journal decided again from its facts alone. */
    replay: (): ReadonlyArray<EventRecord> => {
      const again = emptySession()
      return records.filter(isFact).flatMap((recorded) => [recorded, ...step(again, rulesInForce(again), recorded)])
    },
    refold: () => records.reduce(fold, emptySession())
  }
}

export const types = (records: ReadonlyArray<EventRecord>): ReadonlyArray<string> => records.map(({ type }) => type)
