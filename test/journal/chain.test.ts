import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { decode, encode, genesis, type Head } from "../../src/journal/chain.ts"
import { sealDraft } from "../../src/journal/seal.ts"
import type { Draft, Envelope } from "../../src/port/Journal.ts"
import { at, facts } from "./temporary.ts"

const decodeAll = (text: string): ReadonlyArray<Envelope> => {
  let head: Head = genesis
  return text.split("\n").slice(0, -1).map((line) => {
    const record = Either.getOrThrow(decode(head, Buffer.from(line)))
    head = record
    return record
  })
}

describe("the chain", () => {
  it("writes known records as known bytes", () => {
    const first = encode(genesis, 1, at, [
      { type: "SessionOpened", data: { tool: "0.1.0", text: "µ \"quoted\"\n" } },
      { type: "JobSubmitted", job: "lr1e-4_0", attempt: 2, cause: 1, data: null }
    ])
    const second = encode(first.head, 3, at, [sealDraft("plan.events.jsonl", 471, first.head)])
    expect(first.text + second.text).toBe(
      "{\"v\":1,\"seq\":1,\"at\":\"2026-11-23T03:12:07.114Z\",\"type\":\"SessionOpened\",\"epoch\":1," +
        "\"data\":{\"tool\":\"0.1.0\",\"text\":\"µ \\\"quoted\\\"\\n\"},\"hash\":\"44f4a25fe43ad7bc0b720f54c9eb8b94caa20e8c2b0d98f0155185969d7d5d0f\"}\n" +
        "{\"v\":1,\"seq\":2,\"at\":\"2026-11-23T03:12:07.114Z\",\"type\":\"JobSubmitted\",\"job\":\"lr1e-4_0\"," +
        "\"attempt\":2,\"cause\":1,\"epoch\":1,\"data\":null,\"hash\":\"9b2da03290a4195ba3526ae25dbd2d86dabf24fce911d77dd54831f7893abd68\"}\n" +
        "{\"v\":1,\"seq\":3,\"at\":\"2026-11-23T03:12:07.114Z\",\"type\":\"SegmentOpened\",\"epoch\":3," +
        "\"data\":{\"sealed\":{\"path\":\"plan.events.jsonl\",\"bytes\":471,\"hash\":\"9b2da03290a4195ba3526ae25dbd2d86dabf24fce911d77dd54831f7893abd68\",\"seq\":2}}," +
        "\"hash\":\"845123a4ce554cb7449679b774a780c3ddab92ef08a8a26825601c013ca10159\"}\n"
    )
  })

  it("hashes the former hash and the line's bytes before its own, from 64 zeros on", () => {
    let former = "0".repeat(64)
    for (const line of encode(genesis, 1, at, facts(5)).text.trimEnd().split("\n")) {
      const own = /,"hash":"([0-9a-f]{64})"}$/.exec(line)?.[1] ?? ""
      const before = line.slice(0, line.lastIndexOf(",\"hash\""))
      expect(own).toBe(createHash("sha256").update(former + before, "utf8").digest("hex"))
      former = own
    }
  })

  it("gives back what was written, and returned, whatever the data", () => {
    const draft: FastCheck.Arbitrary<Draft> = FastCheck.record({
      type: FastCheck.string({ unit: "binary" }),
      job: FastCheck.string({ unit: "binary" }),
      cause: FastCheck.integer({ min: 1 }),
      data: FastCheck.oneof(
        FastCheck.jsonValue(),
        FastCheck.anything({ withBigInt: false, withDate: true, withTypedArray: false })
      )
    }, { requiredKeys: ["type", "data"] })
    FastCheck.assert(FastCheck.property(FastCheck.array(draft), FastCheck.integer({ min: 1 }), (drafts, epoch) => {
      const { head, records, text } = encode(genesis, epoch, at, drafts)
      expect(decodeAll(text)).toStrictEqual(records)
      expect(head.seq).toBe(drafts.length)
    }))
  })

  it("does not write what could not be read again", () => {
    const drafts: ReadonlyArray<Draft> = [
      { type: "Fact", attempt: Number.NaN, data: null },
      { type: "Fact", attempt: 0, data: null },
      { type: "Fact", cause: 1.5, data: null },
      { type: "Fact", data: () => 1 }
    ]
    for (const draft of drafts) expect(() => encode(genesis, 1, at, [draft])).toThrow(TypeError)
  })

  it("says what is wrong with a line", () => {
    const why = (text: string, head: Head = genesis): string =>
      Either.getOrElse(Either.flip(decode(head, Buffer.from(text, "latin1"))), () => "nothing")
    /** A line whose hash is right, whatever it holds. */
    const hashed = (body: string): string =>
      `${body},"hash":"${createHash("sha256").update(genesis.hash + body).digest("hex")}"}`
    const line = encode(genesis, 1, at, facts(1)).text.trimEnd()
    expect(why(line)).toBe("nothing")
    expect(why("")).toBe("not a whole record")
    expect(why(line.slice(0, -1))).toBe("not a whole record")
    expect(why(`${line.slice(0, 20)}\xff${line.slice(21)}`)).toBe("invalid UTF-8")
    expect(why(line, { ...genesis, hash: "1".repeat(64) })).toContain("the hash does not follow")
    expect(why(line.replace("\"n\":1", "\"n\":2"))).toContain("the hash does not follow")
    expect(why(line, { ...genesis, seq: 1 })).toBe("seq 1 where 2 belongs")
    expect(why(line, { ...genesis, epoch: 2 })).toBe("epoch 1 behind epoch 2")
    expect(why(hashed("{\"v\":2,\"seq\":1"))).toBe("unknown envelope version 2")
    expect(why(hashed("{\"v\":1,\"seq\":1"))).toBe("not an envelope")
    expect(why(hashed("{\"v\":1,\"seq\""))).toBe("not JSON")
  })

  it("keeps the envelope's fields that it does not know", () => {
    const body = `{"v":1,"seq":1,"at":"${at}","type":"Fact","actor":"me","epoch":1,"data":{}`
    const hash = createHash("sha256").update(genesis.hash + body).digest("hex")
    expect(Either.getOrThrow(decode(genesis, Buffer.from(`${body},"hash":"${hash}"}`)))).toHaveProperty("actor", "me")
  })
})
