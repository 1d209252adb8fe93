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

const notFollowing = "the hash does not follow from the record before and this line"

/** The text of a line and its own hash, if the hash follows from that of the record before; else what is wrong. */
const checkHash = (
  before: string,
  line: Buffer
): Either.Either<{ readonly text: string; readonly hash: string }, string> => {
  if (!isUtf8(line)) return Either.left("invalid UTF-8")
  const text = line.toString("utf8")
  const cut = text.length - tailLength
  if (text.endsWith("\r")) {
    return Either.left("it ends with CR LF, as an editor or a copy to another system leaves lines")
  }
  if (cut < 0 || !text.startsWith(hashKey, cut) || !text.endsWith("\"}")) return Either.left("not a whole record")
  const hash = text.slice(cut + hashKey.length, -2)
  return sha256(before + text.slice(0, cut)) === hash ? Either.right({ text, hash }) : Either.left(notFollowing)
}

/** The head behind one line (without its newline), or what is wrong with it; the record itself is not decoded. */
export const follow = (head: Head, line: Buffer): Either.Either<Head, string> => {
  const checked = checkHash(head.hash, line)
  if (Either.isLeft(checked)) return Either.left(checked.left)
  const { hash, text } = checked.right
  const seq = head.seq + 1
  if (!text.startsWith(`{"v":1,"seq":${seq},`)) return Either.map(decode(head, line), () => ({ ...head, seq, hash }))
  return Either.right({ seq, hash, epoch: head.epoch })
}

/** The record that the bytes of one line (without its newline) hold behind `head`, or what is wrong with them. */
export const decode = (head: Head, line: Buffer): Either.Either<Envelope, string> => {
  const checked = checkHash(head.hash, line)
  if (Either.isLeft(checked)) return Either.left(checked.left)
  const { text } = checked.right
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

const lineShape = /^\{"v":\d+,"seq":([1-9]\d*),/
const tailShape = /,"hash":"([0-9a-f]{64})"\}$/

/** What a damaged line says of itself: null is what cannot be made out. */
export const claimsOf = (line: Buffer): { readonly seq: number | null; readonly hash: string | null } => {
  const text = line.toString("latin1")
  const seq = lineShape.exec(text.slice(0, 64))?.[1]
  return { seq: seq === undefined ? null : Number(seq), hash: tailShape.exec(text.slice(-tailLength))?.[1] ?? null }
}

/** Whether a text ends with the line of a record of that hash. */
export const endsWith = (text: Buffer, hash: string): boolean =>
  text.subarray(-tailLength - 1).toString("latin1") === `${hashKey}${hash}"}\n`

/** Bytes that are enough to tell that. */
export const endLength = tailLength + 1
