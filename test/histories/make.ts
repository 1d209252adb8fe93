/** The sessions that are recorded, one file each; and those of the folders named after the project's directory. */
import * as fs from "node:fs"
import * as path from "node:path"
import { encodeEvent, type EventRecord } from "../../src/event/EventRecord.ts"
import { encode, genesis } from "../../src/journal/chain.ts"
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

const [root = ".", ...journals] = process.argv.slice(2)
const { version }: { readonly version: string } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))
const folder = path.join(root, "test/histories", version)
fs.mkdirSync(folder, { recursive: true })

const made = {
  restarts: history(),
  gates: gatedHistory(),
  operators: operatedHistory(),
  arrays: arrayHistory()
}
for (const [name, records] of Object.entries(made)) {
  let head = genesis
  const texts = records.map((record) => {
    const batch = encode(head, 1, record.at, [encodeEvent(record)])
    head = batch.head
    return batch.text
  })
  fs.writeFileSync(path.join(folder, `${name}.jsonl`), texts.join(""))
}
for (const journal of journals) {
  const name = path.basename(journal).replace(/\.events\.jsonl$/, ".jsonl")
  fs.copyFileSync(journal, path.join(folder, name))
}
