/** Log text -> matches: what each rule finds in complete lines. */
import * as Either from "effect/Either"
import type { EventData } from "../event/events.ts"
import type { LogEvent, Monitoring } from "./Monitoring.ts"
import { compilePattern, type PatternError } from "./pattern.ts"

/** A line without its end, and the byte of the file at which it starts (0-based). */
export interface Line {
  readonly offset: number
  readonly text: string
}

export type Match = EventData<"LogRead">["matches"][number]

/** All matches of the rules in the lines, in the order of the log; within a line, by place, then by rule. */
export type Detector = (lines: ReadonlyArray<Line>) => ReadonlyArray<Match>

/** Longest part of a line that patterns see and the journal keeps of a match. */
const patternBound = 16 * 1024
const lineBound = 2 * 1024

/** Bytes of the text in UTF-8. */
const utf8Length = (text: string): number => {
  let bytes = 0
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

/** Whether a match of the rule leads to a decision; of the others only the groups are noted. */
export const acts = (rule: LogEvent): boolean =>
  rule.state !== null || rule.actions.length > 0 || "error_type" in rule.metadata

const escape = (literal: string): string => literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

const patternOf = (rule: LogEvent): Either.Either<RegExp, PatternError> =>
  Either.map(
    rule.pattern_type === "substring" ? Either.right(new RegExp(escape(rule.pattern))) : compilePattern(rule.pattern),
    (pattern) => new RegExp(pattern.source, `${pattern.flags.replace("g", "")}g`)
  )

const groupsOf = (rule: LogEvent, match: RegExpExecArray): Match["groups"] =>
  Object.fromEntries(
    Object.entries(rule.extract_groups).map(([name, group]) => [
      name,
      (group === "match" ? match[0] : typeof group === "number" ? match[group] : match.groups?.[group]) ?? null
    ])
  )

/** Compiles the rules once; fails with the first pattern that is no pattern. */
export const makeDetector = (monitoring: Monitoring): Either.Either<Detector, PatternError> =>
  Either.gen(function*() {
    const rules = yield* Either.all(
      monitoring.log_events
        .filter(({ pattern_type }) => pattern_type !== "inactivity")
        .map((rule) => Either.map(patternOf(rule), (pattern) => ({ rule, pattern, acts: acts(rule) })))
    )
    return (lines) => {
      const matches: Array<Match> = []
      for (const { offset, text } of lines) {
        const seen = text.length > patternBound ? text.slice(0, patternBound) : text
        const found: Array<readonly [index: number, match: Match]> = []
        for (const { acts, pattern, rule } of rules) {
          for (const match of seen.matchAll(pattern)) {
            found.push([match.index, {
              rule: rule.name,
              offset: offset + utf8Length(seen.slice(0, match.index)),
              groups: groupsOf(rule, match),
              ...(acts ? { line: seen.slice(0, lineBound) } : {})
            }])
          }
        }
        found.sort(([a], [b]) => a - b)
        for (const [, match] of found) matches.push(match)
      }
      return matches
    }
  })
