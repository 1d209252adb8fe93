/** How many facts a second are decided on again. */
import * as Either from "effect/Either"
import { type EventRecord, isFact } from "../../src/event/EventRecord.ts"
import { replay } from "../../src/replay/replay.ts"
import { machine, plannedJob } from "../rule/machine.ts"

/** A sweep of 100 jobs whose logs tell of their progress, of which now and then one is restarted. */
const make = (): ReadonlyArray<EventRecord> => {
  const names = Array.from({ length: 100 }, (_, index) => `train_lr1e-4_${index}`)
  const m = machine(
    {
      log_settle_seconds: 1,
      log_events: [
        { name: "step", pattern: "x", metadata: { kind: "progress" } },
        { name: "nccl", pattern: "x", actions: [{ class_name: "RestartAction", max_restarts: null }] }
      ]
    },
    names.map((name, index) => plannedJob(name, index))
  )
  m.submitAll()
  m.accept()
  for (const name of names) m.state("RUNNING", name)
  for (let turn = 1; turn <= 1000; turn += 1) {
    for (const name of names) m.log([{ rule: "step", groups: { step: String(turn) }, noted: true }], name)
    const name = names[turn % names.length] ?? ""
    if (turn % 10 !== 0 || m.job(name).outcome !== null) continue
    m.log([{ rule: "nccl" }], name)
    m.state("FAILED", name, { exit_code: 1 })
    m.pass(2)
    m.accept()
    m.state("RUNNING", name)
  }
  return m.records
}

const records = make()
const facts = records.filter(isFact).length
const [seconds = NaN] = [1, 2, 3].map(() => {
  const { system, user } = process.cpuUsage()
  const replayed = Either.getOrThrow(replay(records))
  const after = process.cpuUsage()
  if (!replayed.identical) throw new Error("not identical")
  return (after.user - user + after.system - system) / 1e6
}).sort((a, b) => a - b).slice(1)
console.log(
  `replay of ${facts} facts, ${records.length - facts} decisions`.padEnd(64) +
    ` ${Math.round(facts / seconds)} facts/s   of at least 100000`
)
