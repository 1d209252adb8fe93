/** Records to lines and back: the envelope and the hash chain, by hand. No I/O. */
import * as Either from "effect/Either"
import { isUtf8 } from "node:buffer"
import * as crypto from "node:crypto"
import type { Draft, Envelope } from "../port/Journal.ts"

/** The version of the envelope that is written, and the only one that is read. */
export const envelopeVersion = 1

/** Where a chain ends: what the next record has to follow. */
export interface Head {
  readonly seq: number
  readonly hash: string
  readonly epoch: number
}

/** The head of an empty journal. */
export const genesis: Head = { seq: 0, hash: "0".repeat(64), epoch: 0 }

/** Records as they are written and as they will be read, and the head they lead to. */
export interface Batch {
  readonly text: string
  readonly records: ReadonlyArray<Envelope>
  readonly head: Head
}

// `crypto.hash` is twice as fast on short texts, but not in every Node that may run this.
const sha256 = typeof crypto.hash === "function"
  ? (text: string): string => crypto.hash("sha256", text, "hex")
  : (text: string): string => crypto.createHash("sha256").update(text).digest("hex")

const hashKey = ",\"hash\":\""
const tailLength = hashKey.length + 64 + "\"}".length

const isCount = (value: unknown): boolean => typeof value === "number" && Number.isSafeInteger(value) && value > 0

const isEnvelope = (value: unknown): value is Envelope =>
  typeof value === "object" && value !== null &&
  "v" in value && value.v === envelopeVersion &&
  "seq" in value && isCount(value.seq) &&
  "at" in value && typeof value.at === "string" &&
  "type" in value && typeof value.type === "string" &&
  (!("job" in value) || typeof value.job === "string") &&
  (!("attempt" in value) || isCount(value.attempt)) &&
  (!("cause" in value) || isCount(value.cause)) &&
  "epoch" in value && isCount(value.epoch) &&
  "data" in value &&
  "hash" in value && typeof value.hash === "string"

const parse = (text: string): unknown => JSON.parse(text)

/**
 * The lines of `drafts` behind `head`. The records are what reading these lines gives (data as JSON keeps it), so that
 * nobody decides by something a replay would not see. Throws a TypeError on what is no record or no JSON: a defect.
 */
export const encode = (head: Head, epoch: number, at: string, drafts: ReadonlyArray<Draft>): Batch => {
  const records: Array<Envelope> = []
  let text = ""
  let { hash, seq } = head
  for (const draft of drafts) {
    seq += 1
    const unsealed = JSON.stringify({
      v: envelopeVersion,
      seq,
      at,
      type: draft.type,
      job: draft.job,
      attempt: draft.attempt,
      cause: draft.cause,
      epoch,
      data: draft.data ?? null
    }).slice(0, -1)
    hash = sha256(hash + unsealed)
    const line = `${unsealed}${hashKey}${hash}"}`
    const record = parse(line)
    if (!isEnvelope(record)) throw new TypeError(`not a record: ${line}`)
    records.push(record)
    text += `${line}\n`
  }
  return { text, records, head: { seq, hash, epoch } }
}

const versionOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "v" in value ? value.v : undefined

/** The record that the bytes of one line (without its newline) hold behind `head`, or what is wrong with them. */
export const decode = (head: Head, line: Buffer): Either.Either<Envelope, string> => {
  if (!isUtf8(line)) return Either.left("invalid UTF-8")
  const text = line.toString("utf8")
  const cut = text.length - tailLength
  if (cut < 0 || !text.startsWith(hashKey, cut) || !text.endsWith("\"}")) return Either.left("not a whole record")
  if (sha256(head.hash + text.slice(0, cut)) !== text.slice(cut + hashKey.length, -2)) {
    return Either.left("the hash does not follow from the record before and this line")
  }
  return Either.flatMap(
    Either.try({ try: () => parse(text), catch: () => "not JSON" }),
    (value) => {
      if (isEnvelope(value)) {
        if (value.seq !== head.seq + 1) return Either.left(`seq ${value.seq} where ${head.seq + 1} belongs`)
        if (value.epoch < head.epoch) return Either.left(`epoch ${value.epoch} behind epoch ${head.epoch}`)
        return Either.right(value)
      }
      return Either.left(
        versionOf(value) === envelopeVersion ? "not an envelope" : `unknown envelope version ${versionOf(value)}`
      )
    }
  )
}
