/**
 * The session as it was at some record, so that opening it costs what came since, not its whole history. Never truth: who
 * doubts it reads the journal from its beginning.
 */
import * as Effect from "effect/Effect"
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as v8 from "node:v8"
import type { Position, SessionPlace } from "../port/Journal.ts"
import type { Session } from "../session/Session.ts"
import { replaceFile } from "./replaceFile.ts"

/** A session, and the place in its journal up to which it was folded: all decisions of the last fact are before it. */
export interface Snapshot {
  readonly session: Session
  readonly position: Position
}

/** After so many records a new one is worth its price. */
export const snapshotRecords = 10_000

const fileOf = ({ planId, stateDir }: SessionPlace): string => path.join(stateDir, `${planId}.snapshot`)

const digestOf = (bytes: Buffer): string => crypto.createHash("sha256").update(bytes).digest("hex")

/** The program that folds: another one may fold another session from the same records. */
const program = ((): string => {
  try {
    const file = fileURLToPath(import.meta.url)
    const { mtimeMs, size } = fs.statSync(file)
    return digestOf(Buffer.from(`${path.basename(file)} ${size} ${mtimeMs} ${process.version}`))
  } catch {
    // Not a file: nothing that it wrote is known again.
    return crypto.randomUUID()
  }
})()

const headLength = `${digestOf(Buffer.alloc(0))} ${program}\n`.length

/** A session ahead of its place would be told some records twice. */
const fits = ({ position, session }: Snapshot): boolean => session.seq === position.seq

/** Writes the snapshot; one that cannot be written is only missed. */
export const saveSnapshot = (place: SessionPlace, snapshot: Snapshot): Effect.Effect<void> =>
  Effect.tryPromise(async () => {
    if (!fits(snapshot)) return
    const bytes = v8.serialize(snapshot)
    await replaceFile(fileOf(place), Buffer.concat([Buffer.from(`${digestOf(bytes)} ${program}\n`), bytes]))
  }).pipe(Effect.catchAll((error) => Effect.logDebug(`no snapshot of ${place.planId}: ${String(error)}`)))

/** The newest snapshot of this very program; null if there is none, or any of it is in doubt. */
export const loadSnapshot = (place: SessionPlace): Effect.Effect<Snapshot | null> =>
  Effect.sync(() => {
    try {
      const content = fs.readFileSync(fileOf(place))
      const bytes = content.subarray(headLength)
      if (content.toString("latin1", 0, headLength) !== `${digestOf(bytes)} ${program}\n`) return null
      // Its digest says that this program has written it.
      const snapshot: Snapshot = v8.deserialize(bytes)
      return snapshot.session.planId === place.planId && fits(snapshot) ? snapshot : null
    } catch {
      return null
    }
  })
