/**
 * Log reads decoded by hand: they are most of a long journal, and the schema costs a third of opening it. What this does
 * not recognise to the letter, the schema is asked about.
 */
import type { EventData } from "./events.ts"

type LogRead = EventData<"LogRead">
type Match = LogRead["matches"][number]
type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const isText = (value: unknown): value is string => typeof value === "string"

const isInt = (value: unknown): value is number => Number.isSafeInteger(value)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const readGroups = (value: unknown): Match["groups"] | null => {
  if (!isObject(value)) return null
  const groups: Record<string, string | null> = {}
  for (const name in value) {
    const text = value[name]
    // Some names an object has of its own.
    if (name === "__proto__" || (text !== null && !isText(text))) return null
    groups[name] = text
  }
  return groups
}

const readMatch = (value: unknown): Match | null => {
  if (!isObject(value)) return null
  const { line, offset, rule } = value
  const groups = readGroups(value["groups"])
  if (!isText(rule) || !isInt(offset) || groups === null) return null
  if (line === undefined) return "line" in value ? null : { rule, offset, groups }
  return isText(line) ? { rule, offset, groups, line } : null
}

const readMatches = (value: unknown): ReadonlyArray<Match> | null => {
  if (!Array.isArray(value)) return null
  const matches: Array<Match> = []
  for (const item of value) {
    const match = readMatch(item)
    if (match === null) return null
    matches.push(match)
  }
  return matches
}

/** What the schema of `LogRead` makes of the data, or null: ask the schema. */
export const readLogRead = (data: unknown): LogRead | null => {
  if (!isObject(data)) return null
  const { from, identity, path, size, to } = data
  const matches = readMatches(data["matches"])
  if (!isText(path) || !isInt(from) || !isInt(to) || !isInt(size) || !isText(identity) || matches === null) return null
  const read: Mutable<LogRead> = { path, from, to, size, identity, matches }
  const { anew, cut, head, held, tail, within } = data
  if (head !== undefined) {
    if (!isObject(head) || !isInt(head["bytes"]) || !isText(head["digest"])) return null
    read.head = { bytes: head["bytes"], digest: head["digest"] }
  }
  if (tail !== undefined) {
    if (!isText(tail)) return null
    read.tail = tail
  }
  if (anew !== undefined) {
    if (anew !== "truncated" && anew !== "replaced") return null
    read.anew = anew
  }
  if (cut !== undefined) {
    if (!isInt(cut)) return null
    read.cut = cut
  }
  if (within !== undefined) {
    if (typeof within !== "boolean") return null
    read.within = within
  }
  if (held !== undefined) {
    if (typeof held !== "boolean") return null
    read.held = held
  }
  return read
}
