/** Arithmetic on recorded times; nobody here asks what time it is. */
import * as DateTime from "effect/DateTime"

/** `at` (ISO 8601 UTC) moved by `seconds`, which may have a fraction. */
export const later = (at: string, seconds: number): string =>
  DateTime.formatIso(DateTime.add(DateTime.unsafeMake(at), { millis: Math.round(seconds * 1000) }))

/** Seconds from `from` to `to`, both ISO 8601 UTC. */
export const secondsBetween = (from: string, to: string): number =>
  (DateTime.toEpochMillis(DateTime.unsafeMake(to)) - DateTime.toEpochMillis(DateTime.unsafeMake(from))) / 1000
