/** The marker that a job's script makes before anything else: it says which submission runs an attempt. */
import * as Effect from "effect/Effect"
import { Files } from "../port/Files.ts"

/** The marker of an attempt, or null if no script has claimed it. Written by the preamble that the plan renders. */
export const readClaim = (
  outputDir: string,
  planId: string,
  attempt: number
): Effect.Effect<{ readonly jobId: string; readonly nonce: string } | null, never, Files> =>
  Effect.gen(function*() {
    const files = yield* Files
    const chunk = yield* files.read(`${outputDir}/.attempts/${planId}.${attempt}`, 0, 4096)
    if (chunk === null) return null
    const text = new TextDecoder().decode(chunk.bytes)
    const jobId = /^job_id=(.+)$/m.exec(text)?.[1]
    const nonce = /^nonce=(.+)$/m.exec(text)?.[1]
    return jobId !== undefined && nonce !== undefined ? { jobId, nonce } : null
  }).pipe(Effect.catchAll(() => Effect.succeed(null)))
