/** Log text -> matches: what each rule finds in lines. */
import * as Either from "effect/Either"
import type { EventData } from "../event/events.ts"
import { countKeys } from "../session/declared.ts"
import { LogEvent, type Monitoring, terminationRule } from "./Monitoring.ts"
import { compilePattern, type Pattern, type PatternError } from "./pattern.ts"
import { literal, type Texts } from "./patternClass.ts"

/** Lines without their ends, joined by "\n"; at least one. */
export interface Lines {
  readonly text: string
  /** Whether all of it is ASCII: patterns are much faster then. */
  readonly ascii: boolean
}

export type Match = EventData<"LogRead">["matches"][number]

/** A match, at `index` of the text. */
export interface Found extends Omit<Match, "offset"> {
  readonly index: number
}

/** A rule at work. */
export interface Finder {
  readonly rule: string
  /** The rule's own text: what is switched off if it takes too long. */
  readonly pattern: string
  /** Adds all that the rule finds, in the order of the text. */
  readonly find: (lines: Lines, found: Array<Found>) => void
}

/** The rules in their order. */
export type Detector = ReadonlyArray<Finder>

/** Longest part of a line that the journal keeps of a match, in characters. */
const keptBound = 2 * 1024

/** Whether a match of the rule leads to a decision; of the others only the groups are noted. */
export const acts = (rule: LogEvent): boolean =>
  rule.state !== null || rule.actions.length > 0 || "error_type" in rule.metadata

/** A text of its own: a mere slice would keep all that was read alive. */
const own = (slice: string): string => ` ${slice}`.slice(1)

/** The line around `index`, cut without tearing a character. */
const lineAt = (text: string, index: number): string => {
  const start = index === 0 ? 0 : text.lastIndexOf("\n", index - 1) + 1
  const end = text.indexOf("\n", index)
  const line = text.slice(start, Math.min(end < 0 ? text.length : end, start + keptBound))
  return own(/[\ud800-\udbff]$/.test(line) ? line.slice(0, -1) : line)
}

const patternOf = ({ pattern, pattern_type }: LogEvent, texts: Texts): Either.Either<Pattern, PatternError> => {
  if (pattern_type === "regex") return compilePattern(pattern, texts)
  // No line holds what ends lines.
  const literally = pattern.includes("\n")
    ? "[]"
    : [...pattern].map((char) => literal(char.codePointAt(0) ?? 0)).join("")
  return Either.right({ regex: new RegExp(literally, "v"), groups: [] })
}

const everywhere = ({ regex }: Pattern): RegExp => new RegExp(regex, `${regex.flags}g`)

const finderOf = (rule: LogEvent): Either.Either<Finder, PatternError> =>
  Either.map(Either.all([patternOf(rule, "ascii lines"), patternOf(rule, "lines")]), ([plain, full]) => {
    const counted = countKeys(rule).map(([count, name]) => [name, rule.progress?.[count] ?? 0] as const)
    const groups = Object.entries({ ...rule.extract_groups, ...Object.fromEntries(counted) }).map(([name, group]) =>
      [name, typeof group === "number" && group > 0 ? plain.groups[group - 1] : group] as const
    )
    const groupsOf = (match: RegExpExecArray): Match["groups"] =>
      Object.fromEntries(groups.map(([name, group]) => {
        const value = group === "match" || group === 0 ? match[0] : match.groups?.[group ?? ""]
        return [name, value === undefined ? null : own(value)]
      }))
    const asciiRegex = everywhere(plain)
    const regex = everywhere(full)
    const acting = acts(rule)
    return {
      rule: rule.name,
      pattern: rule.pattern,
      find: ({ ascii, text }, found) => {
        for (const match of text.matchAll(ascii ? asciiRegex : regex)) {
          found.push({
            rule: rule.name,
            index: match.index,
            groups: groupsOf(match),
            ...(acting ? { line: lineAt(text, match.index) } : {})
          })
        }
      }
    }
  })

/** The `termination_string` as a rule to look for; none if nothing is said. */
const termination = ({ termination_string: pattern }: Monitoring): ReadonlyArray<LogEvent> =>
  pattern === null || pattern === ""
    ? []
    : [
      LogEvent.make({
        name: terminationRule,
        pattern,
        pattern_type: "substring",
        state: { class_name: "SuccessState" }
      })
    ]

/** Compiles the rules once; fails with the first pattern that is no pattern. */
export const makeDetector = (monitoring: Monitoring): Either.Either<Detector, PatternError> => {
  const looked = monitoring.log_events.filter(({ pattern_type: type }) => type === "regex" || type === "substring")
  return Either.all([...termination(monitoring), ...looked].map(finderOf))
}
