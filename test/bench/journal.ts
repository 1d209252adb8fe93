/** What a journal costs: opening a long one, checking it, appending to it. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { encodeEvent } from "../../src/event/EventRecord.ts"
import { encode, genesis, type Head } from "../../src/journal/chain.ts"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { hold } from "../../src/monitor/held.ts"
import { verifyJournal } from "../../src/monitor/mend.ts"
import { Journal } from "../../src/port/Journal.ts"
import { machine, plannedJob } from "../rule/machine.ts"

const events = 1_000_000
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-bench-"))
const place = { stateDir: dir, planId: "plan" }
const file = path.join(dir, "plan.events.jsonl")

const row = (what: string, value: string, target: string) => console.log(`${what.padEnd(64)} ${value}   ${target}`)

/** Writes the records of 100 jobs whose logs tell of their progress, a turn at a time. */
const write = (): void => {
  const names = Array.from({ length: 100 }, (_, index) => `train_lr1e-4_${index}`)
  const m = machine(
    { log_settle_seconds: 1, log_events: [{ name: "step", pattern: "x", metadata: { kind: "progress" } }] },
    names.map((name, index) => plannedJob(name, index))
  )
  const handle = fs.openSync(file, "w")
  let head: Head = genesis
  const flush = (): void => {
    const text = m.records.splice(0).map((record) => {
      const batch = encode(head, 1, record.at, [encodeEvent(record)])
      head = batch.head
      return batch.text
    })
    fs.writeSync(handle, text.join(""))
  }
  m.submitAll()
  m.accept()
  for (const name of names) m.state("RUNNING", name)
  flush()
  for (let turn = 1; head.seq < events; turn += 1) {
    for (const name of names) m.log([{ rule: "step", groups: { step: String(turn) }, noted: true }], name)
    flush()
  }
  fs.closeSync(handle)
}

const timed = async <A>(work: () => Promise<A>): Promise<readonly [A, number]> => {
  const before = performance.now()
  const value = await work()
  return [value, (performance.now() - before) / 1000]
}

/** Seconds of the processor: others who share it do not count. */
const cost = async <A>(work: () => Promise<A>): Promise<readonly [A, number]> => {
  const before = process.cpuUsage()
  const value = await work()
  const { system, user } = process.cpuUsage(before)
  return [value, (user + system) / 1e6]
}

const run = <A, E>(effect: Effect.Effect<A, E, Journal>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, FileJournal.layer))

const resume = () => run(Effect.scoped(Effect.as(hold(place, { takeover: true, opening: null }), undefined)))

/** 100 records a batch, and the same bytes by hand. */
const batches = 200
const appends = async (): Promise<readonly [number, number]> => {
  const drafts = Array.from({ length: 100 }, (_, n) => ({ type: "Fact", job: "train_lr1e-4_7", data: { n, at: "x" } }))
  const other = { stateDir: dir, planId: "appends" }
  const [, ours] = await timed(() =>
    run(
      Effect.scoped(Effect.flatMap(Journal, (journal) =>
        Effect.flatMap(journal.hold(other, { takeover: false }), (writer) =>
          Effect.forEach(
            Array.from({ length: batches }),
            () =>
              writer.append("2026-11-23T03:12:07.114Z", drafts),
            { discard: true }
          ))))
    )
  )
  const bytes = fs.readFileSync(path.join(dir, "appends.events.jsonl"))
  const handle = fs.openSync(path.join(dir, "raw"), "w")
  const piece = bytes.subarray(0, Math.floor(bytes.length / batches))
  const [, raw] = await timed(async () => {
    for (let batch = 0; batch < batches; batch += 1) {
      fs.writeSync(handle, piece)
      fs.fdatasyncSync(handle)
    }
  })
  fs.closeSync(handle)
  return [ours, raw]
}

try {
  write()
  const megabytes = fs.statSync(file).size / 1e6
  const [, without] = await cost(resume)
  const memory = process.resourceUsage().maxRSS / 1024
  const [, from] = await cost(resume)
  const [{ faults }, check] = await cost(() => run(verifyJournal(place)))
  if (faults.length > 0) throw new Error("the journal is damaged")
  const [ours, raw] = await appends()
  row(`resume of ${events} events (${megabytes.toFixed(0)} MB), no snapshot`, `${without.toFixed(2)} s`, "of 10 s")
  row("memory of that, with what made the journal", `${memory.toFixed(0)} MB`, "of 400 MB")
  row("resume of the same from its snapshot", `${from.toFixed(2)} s`, "of 1 s")
  row("check of the whole chain", `${(megabytes / check).toFixed(0)} MB/s`, "of at least 100 MB/s")
  const each = (seconds: number) => (seconds / batches / 100 * 1e6).toFixed(1)
  row(
    `append of 100 records, µs a record (write and fdatasync alone ${each(raw)})`,
    `${each(ours - raw)} more`,
    "of 50"
  )
} finally {
  fs.rmSync(dir, { recursive: true })
}
