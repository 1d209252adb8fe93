/** What failed, in the words by which failures are told apart. */
import type { ValueMap } from "../backend/Value.ts"
import type { Occurrence } from "../session/entries.ts"
import type { Job } from "../session/Job.ts"
import { metadataOf } from "./metadata.ts"

/** Of the scheduler's own words: mode, reason, kind of error, exit code, signal. */
const toldByState = (mode: string, metadata: ValueMap): string =>
  [
    mode,
    ...["reason", "error_type"].map((key) => metadataOf(metadata, key)),
    ...["exit_code", "signal"].flatMap((key) => {
      const value = metadataOf(metadata, key)
      return value === "" ? [] : [`${key} ${value}`]
    })
  ].filter((word) => word !== "").join(" ")

/**
 * The fingerprint of what an event tells: of its line; of a crash, of the line that first told of it, which any later
 * one may only follow from; else of what the scheduler says.
 */
export const failureOf = ({ error }: Job, { fingerprint, metadata, name, published, source }: Occurrence): string => {
  if (published !== null) return published.failure ?? name
  if (source === "log") return fingerprint ?? name
  if (name === "crash" && error !== null) return error
  return toldByState(name, metadata)
}
