/** The marker that a job's script makes before anything else: it says which submission runs an attempt. */
import * as Effect from "effect/Effect"
import { Files, type FileUnreadableError } from "../port/Files.ts"

type Values = (key: string) => string | undefined

/** The `key=value` lines of a marker, or null if there is none. */
const readMarker = (path: string): Effect.Effect<Values | null, FileUnreadableError, Files> =>
  Effect.gen(function*() {
    const files = yield* Files
    const chunk = yield* files.read(path, 0, 4096)
    if (chunk === null) return null
    const text = new TextDecoder().decode(chunk.bytes)
    return (key: string) => new RegExp(`^${key}=(.+)$`, "m").exec(text)?.[1]
  })

/**
 * The marker of an attempt, or null if no script has claimed it. Written by the preamble that the plan renders. The id
 * is what the submit command would have answered: of an array, the array's.
 */
export const readClaim = (
  outputDir: string,
  planId: string,
  attempt: number
): Effect.Effect<{ readonly jobId: string; readonly nonce: string } | null, FileUnreadableError, Files> =>
  Effect.map(readMarker(`${outputDir}/.attempts/${planId}.${attempt}`), (values) => {
    const jobId = values?.("array_job_id") ?? values?.("job_id")
    const nonce = values?.("nonce")
    return jobId !== undefined && nonce !== undefined ? { jobId, nonce } : null
  })

/** What the attempt's script ended with, or null if it was killed, goes on, or left what cannot be read. */
export const readExit = (
  outputDir: string,
  planId: string,
  attempt: number
): Effect.Effect<{ readonly exitCode: number; readonly nonce: string } | null, never, Files> =>
  Effect.map(readMarker(`${outputDir}/.attempts/${planId}.${attempt}.exit`), (values) => {
    const exitCode = Number(values?.("exit_code") ?? Number.NaN)
    const nonce = values?.("nonce")
    return Number.isInteger(exitCode) && nonce !== undefined ? { exitCode, nonce } : null
  }).pipe(Effect.orElseSucceed(() => null))

/** The attempt in a submission's name `<job>.<attempt>.<nonce>`: what its markers are called by, also when requeued. */
export const submittedAttempt = (name: string | undefined): number | null => {
  const attempt = /\.(\d+)\.[^.]+$/.exec(name ?? "")?.[1]
  return attempt === undefined ? null : Number(attempt)
}
