/** Journals of released versions: each must be decided again as it was, for ever. `test/histories/record.mjs` made them. */
import { expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { decodeRecords } from "../../src/event/EventRecord.ts"
import { follow, genesis, type Head } from "../../src/journal/chain.ts"
import { replay } from "../../src/replay/replay.ts"
import { sessionView } from "../../src/session/view.ts"

const folder = path.resolve(import.meta.dirname, "../histories")
const files = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jsonl"))

/** What the monitor published of a session, without the hash of its last record. */
const sessionFile = (name: string): string => path.join(folder, name.replace(/\.jsonl$/, ".session.json"))

const read = (name: string) => {
  const lines = fs.readFileSync(path.join(folder, name), "utf8").trimEnd().split("\n")
  return Either.getOrThrow(decodeRecords(lines.map((line) => JSON.parse(line))))
}

it("there are some", () => expect(files.length).toBeGreaterThanOrEqual(4))

it.each(files)("%s is decided again as it was", (name) => {
  const records = read(name)
  const replayed = Either.getOrThrow(replay(records))
  expect(replayed.divergence).toBeNull()
  expect(replayed.facts).toBeGreaterThan(3)
})

it.each(files)("%s gives the same bytes each time", (name) => {
  const decided = () => JSON.stringify([...Either.getOrThrow(replay(read(name))).session.jobs])
  expect(decided()).toBe(decided())
})

it.each(files)("%s is the chain of records that was written", (name) => {
  const lines = fs.readFileSync(path.join(folder, name), "utf8").trimEnd().split("\n")
  const end = lines.reduce((head: Head, line) => Either.getOrThrow(follow(head, Buffer.from(line))), genesis)
  expect(end.seq).toBe(lines.length)
})

const projected = files.filter((name) => fs.existsSync(sessionFile(name)))

it("some of each behaviour that has any were recorded by monitors", () => {
  const folders = new Set(files.map((name) => path.dirname(name)).filter((name) => name.includes("behaviour-")))
  expect(folders.size).toBeGreaterThan(0)
  for (const name of folders) {
    const recorded = projected.filter((file) => path.dirname(file) === name).map((file) => path.basename(file))
    expect(recorded.sort(), name).toEqual(["demo.jsonl", "fake.jsonl", "killed.jsonl", "oom.jsonl"])
  }
})

it.each(projected)("%s gives the session file that its monitor wrote", (name) => {
  const { session } = Either.getOrThrow(replay(read(name)))
  const stored: object = JSON.parse(fs.readFileSync(sessionFile(name), "utf8"))
  expect(JSON.parse(JSON.stringify(sessionView(session)))).toMatchObject(stored)
})
