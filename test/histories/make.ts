/** Golden histories: scripted sessions, and those that `record.mjs` had real monitors record, under fixed names. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { encodeEvent, type EventRecord } from "../../src/event/EventRecord.ts"
import { encode, genesis } from "../../src/journal/chain.ts"
import type { Envelope } from "../../src/port/Journal.ts"
import { behaviour } from "../../src/rule/behaviour.ts"
import { gatedHistory, history, operatedHistory } from "../rule/histories.ts"
import { machine, plannedJob } from "../rule/machine.ts"

/** Three tasks of one array, of which one is lost, one stalls, and one is refused. */
const arrayHistory = (): ReadonlyArray<EventRecord> => {
  const m = machine(
    {
      log_settle_seconds: 1,
      inactivity_threshold_seconds: 50,
      state_events: [{ name: "stall", actions: [{ class_name: "RestartAction", max_restarts: 1 }] }]
    },
    ["a", "b", "c"].map((name, index) => plannedJob(name, index, { array: true, script: "/scripts/all.sbatch" })),
    { max_jobs: 2 }
  )
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  m.state("RUNNING", "b")
  m.state("MISSING", "b")
  m.pass(60)
  m.accept()
  m.pass(60)
  m.state("CANCELLED")
  m.pass(5)
  m.accept()
  m.state("COMPLETED")
  m.pass(5)
  for (const { nonce } of [...m.session.submissions.values()]) {
    m.fact("SubmissionRefused", { nonce, message: "invalid partition" })
  }
  return m.records
}

const [root = ".", recorded = "."] = process.argv.slice(2)
const { version }: { readonly version: string } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))
const folder = path.join(root, "test/histories", version, `behaviour-${behaviour}`)
if (fs.existsSync(folder)) throw new Error(`${folder} is there: histories are recorded once`)

const hosts = new Set([os.hostname(), os.hostname().split(".")[0]])
const named = (text: string): string =>
  hosts.has(text)
    ? "login1"
    : text === os.userInfo().username
    ? "ada"
    : text.replaceAll(`${os.userInfo().username}@${os.hostname()}`, "ada@login1").replaceAll(recorded, "/home/ada/demo")
      .replaceAll(root, "/opt/autoexp")

/** Without what tells of the machine that recorded it. */
const renamed = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown) => typeof value === "string" ? named(value) : value)

/** The records as one chain from the first on; seals name the hash that their record has here. */
const chained = (records: ReadonlyArray<Envelope>): string => {
  const hashes = new Map<string, string>()
  let head = genesis
  return records.map((record) => {
    const data: unknown = JSON.parse(
      JSON.stringify(record.data),
      (_, value: unknown) => typeof value === "string" ? hashes.get(value) ?? value : value
    )
    const batch = encode(head, record.epoch, record.at, [{ ...record, data }])
    head = batch.head
    if (record.hash !== "") hashes.set(record.hash, head.hash)
    return batch.text
  }).join("")
}

fs.mkdirSync(folder, { recursive: true })
const made = {
  restarts: history(),
  gates: gatedHistory(),
  operators: operatedHistory(),
  arrays: arrayHistory()
}
for (const [name, records] of Object.entries(made)) {
  const envelopes = records.map((record) => ({ ...record, ...encodeEvent(record), v: 1, hash: "" }))
  fs.writeFileSync(path.join(folder, `${name}.jsonl`), chained(envelopes))
}
for (const file of fs.readdirSync(recorded).filter((name) => name.endsWith(".export.jsonl"))) {
  const name = file.replace(".export.jsonl", "")
  const lines = fs.readFileSync(path.join(recorded, file), "utf8").trimEnd().split("\n")
  fs.writeFileSync(path.join(folder, `${name}.jsonl`), chained(lines.map((line) => renamed(line) as Envelope)))
  const { head: _, ...session } = renamed(
    fs.readFileSync(path.join(recorded, "monitor", `${name}.json`), "utf8")
  ) as Readonly<Record<string, unknown>>
  fs.writeFileSync(path.join(folder, `${name}.session.json`), `${JSON.stringify(session, null, 1)}\n`)
}
