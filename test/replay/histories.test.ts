/** Journals of released versions: each must be decided again as it was, for ever. `test/histories/record.mjs` made them. */
import { expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { decodeRecords } from "../../src/event/EventRecord.ts"
import { follow, genesis, type Head } from "../../src/journal/chain.ts"
import { replay } from "../../src/replay/replay.ts"

const folder = path.resolve(import.meta.dirname, "../histories")
const files = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jsonl"))

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

// The paths and people of the demo were renamed after it was recorded, so that its hashes are those of another text.
it.each(files.filter((name) => path.basename(name) !== "demo.jsonl"))(
  "%s is the chain of records that was written",
  (name) => {
    const lines = fs.readFileSync(path.join(folder, name), "utf8").trimEnd().split("\n")
    const end = lines.reduce((head: Head, line) => Either.getOrThrow(follow(head, Buffer.from(line))), genesis)
    expect(end.seq).toBe(lines.length)
  }
)
