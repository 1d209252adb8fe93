import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { decodeRecord } from "../../src/event/EventRecord.ts"
import { events } from "../../src/event/events.ts"
import { readLogRead } from "../../src/event/readLogRead.ts"

const bySchema = Schema.decodeUnknownEither(events.LogRead)

/** As journals hold it: what `JSON.parse` gives. */
const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const text = fc.oneof(fc.string(), fc.constantFrom("", "__proto__", "constructor", "line", "0"))
const int = fc.oneof(fc.nat(), fc.integer(), fc.constantFrom(0, -1, Number.MAX_SAFE_INTEGER, -0))
const optional = <A>(value: fc.Arbitrary<A>) => fc.option(value, { nil: undefined })

const match = fc.record({
  rule: text,
  offset: int,
  groups: fc.dictionary(text, fc.option(text)),
  line: optional(text)
}, { requiredKeys: ["rule", "offset", "groups"] })

const right = fc.record({
  path: text,
  from: int,
  to: int,
  size: int,
  identity: text,
  matches: fc.array(match, { maxLength: 4 }),
  head: optional(fc.record({ bytes: int, digest: text })),
  tail: optional(text),
  anew: optional(fc.constantFrom("truncated", "replaced")),
  cut: optional(int),
  within: optional(fc.boolean()),
  held: optional(fc.boolean())
})

const wrong = fc.oneof(
  fc.constantFrom(null, 1.5, 2 ** 60, "text", true, [], {}, [[]], [null], [{}]),
  fc.jsonValue(),
  match
)

/** One field of a right one is something else, or there is one more. */
const amiss = fc.tuple(
  right,
  fc.constantFrom(
    "path",
    "from",
    "to",
    "size",
    "identity",
    "matches",
    "head",
    "tail",
    "anew",
    "cut",
    "within",
    "held",
    "x"
  ),
  fc.oneof(wrong, fc.array(fc.oneof(match, wrong)), fc.record({ bytes: wrong, digest: wrong }))
).map(([data, key, value]) => ({ ...data, [key]: value }))

describe("log reads decoded by hand", () => {
  it("are what the schema makes of them, to the order of their keys", () => {
    fc.assert(
      fc.property(right.map(parsed), (data) => {
        const read = readLogRead(data)
        const expected = Either.getOrThrow(bySchema(data))
        const known = JSON.stringify(data).includes("__proto__") && read === null
        if (!known) {
          expect(read).toStrictEqual(expected)
          expect(JSON.stringify(read)).toBe(JSON.stringify(expected))
        }
      }),
      { numRuns: 500 }
    )
  })

  it("are left to the schema where anything is unlike what it expects", () => {
    fc.assert(
      fc.property(fc.oneof(amiss, wrong).map(parsed), (data) => {
        const read = readLogRead(data)
        if (read === null) return
        const expected = bySchema(data)
        expect(Either.isRight(expected)).toBe(true)
        expect(read).toStrictEqual(Either.getOrThrow(expected))
        expect(JSON.stringify(read)).toBe(JSON.stringify(Either.getOrThrow(expected)))
      }),
      { numRuns: 1000 }
    )
  })

  it("are told of by the schema's own words when they are damaged", () => {
    const envelope = { v: 1, seq: 3, at: "2026-11-23T03:00:00.000Z", epoch: 1, hash: "", type: "LogRead" }
    const decoded = decodeRecord({ ...envelope, data: { path: "/log", from: 0.5 } })
    expect(Either.isLeft(decoded) && decoded.left.message).toContain("record 3 (LogRead) cannot be understood")
  })
})
