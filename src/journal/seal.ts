/** The first record of every segment but the first: which bytes of the segment before are the journal. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Draft, Repair } from "../port/Journal.ts"
import { decode, genesis, type Head } from "./chain.ts"

const Sealed = Schema.Struct({
  /** File name of the sealed segment, in the same directory. */
  path: Schema.String,
  /** Its accepted bytes, from the beginning. */
  bytes: Schema.NonNegativeInt,
  /** Hash of its last accepted record (or of the seal's own predecessor if it has none). */
  hash: Schema.String,
  /** Seq of that record. */
  seq: Schema.NonNegativeInt
})

/** What a seal says of the segment before. */
export type Sealed = typeof Sealed.Type

const Seal = Schema.Struct({ type: Schema.Literal("SegmentOpened"), data: Schema.Struct({ sealed: Sealed }) })

const decodeSeal = Schema.decodeUnknownEither(Schema.parseJson(Seal))

/**
 * The record that opens a segment behind `head`, the end of `bytes` accepted bytes of the file `path`; of a repair, with
 * what was cut off there.
 */
export const sealDraft = (path: string, bytes: number, head: Head, repaired: Repair | null = null): Draft => ({
  type: "SegmentOpened",
  data: { sealed: { path, bytes, hash: head.hash, seq: head.seq }, ...(repaired === null ? {} : { repaired }) }
})

/** What the first line of a segment seals: the line itself proves it, as its hash follows the one it names. */
export const readSeal = (line: Buffer): Either.Either<Sealed, string> =>
  Either.flatMap(
    Either.mapLeft(decodeSeal(line.toString("utf8")), () => "the segment does not begin with a seal"),
    ({ data: { sealed } }) =>
      Either.map(decode({ seq: sealed.seq, hash: sealed.hash, epoch: genesis.epoch }, line), () => sealed)
  )
