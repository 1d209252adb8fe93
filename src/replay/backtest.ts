/** Rules at work on any log: where each matches, and why one does or does not match a line. */
import * as Either from "effect/Either"
import { eventAction } from "../action/actions.ts"
import { type Block, lineBound, readLines } from "../monitor/lines.ts"
import { scan } from "../monitor/scan.ts"
import { acts, type Detector, makeDetector } from "../rule/detect.ts"
import type { LogEvent, Monitoring } from "../rule/Monitoring.ts"
import type { PatternError } from "../rule/pattern.ts"

/** A match. Bytes count from 0, lines (which only "\n" ends here, as editors and grep count) from 1. */
export interface Hit {
  readonly rule: string
  readonly file: string
  readonly offset: number
  readonly line_number: number
  /** The line, cut at 2 KiB. */
  readonly line: string
  readonly groups: Readonly<Record<string, string | null>>
  /** The event that it would raise; null: its groups are only noted. */
  readonly event: string | null
  /** What the rule binds to that event: classes of actions, each with its conditions. */
  readonly actions: ReadonlyArray<{ readonly class_name: string; readonly conditions: ReadonlyArray<string> }>
}

/** A rule whose pattern was given up, and why. */
export interface GivenUp {
  readonly rule: string
  readonly file: string
  readonly why: string
}

export interface Backtest {
  readonly hits: ReadonlyArray<Hit>
  readonly slow: ReadonlyArray<GivenUp>
}

/** Bytes looked at in one go, as a monitor reads. */
const portion = 256 * 1024

const newline = 0x0a

const countLines = (bytes: Uint8Array, from: number, to: number): number => {
  let count = 0
  for (let at = bytes.indexOf(newline, from); at !== -1 && at < to; at = bytes.indexOf(newline, at + 1)) count += 1
  return count
}

const utf8 = new TextDecoder()

const lineAt = (bytes: Uint8Array, from: number): string => {
  const text = utf8.decode(bytes.subarray(from, from + 2048))
  return text.split(/[\r\n]/, 1)[0] ?? ""
}

const actionsOf = (rule: LogEvent): Hit["actions"] =>
  rule.actions.map((bound) => {
    const { action, conditions } = eventAction(bound)
    return { class_name: action.class_name, conditions: conditions.map(({ class_name }) => class_name) }
  })

/**
 * Where the rules match in a file's bytes, in the order of the file; at one place, in that of the rules. Lines are what a
 * monitor takes for lines, in portions of the same size.
 */
export const backtest = (
  monitoring: Monitoring,
  file: string,
  bytes: Uint8Array
): Either.Either<Backtest, PatternError> =>
  Either.map(makeDetector(monitoring), (detector) => {
    const rules = new Map(monitoring.log_events.map((rule) => [rule.name, rule]))
    const hits: Array<Hit> = []
    const slow: Array<GivenUp> = []
    const off = new Set<string>()
    let within = false
    let counted = 0
    let line = 1
    for (let from = 0; from < bytes.length;) {
      const end = Math.min(bytes.length, from + portion)
      const reading = readLines(bytes.subarray(from, end), from, within, end === bytes.length)
      const found = scan(reading.blocks, detector, off)
      slow.push(...found.slow.map(({ rule, why }) => ({ rule, file, why })))
      for (const { lineOffset, match: { groups, offset, rule: name } } of found.matches) {
        const rule = rules.get(name)
        if (rule === undefined) continue
        line += countLines(bytes, counted, lineOffset)
        counted = Math.max(counted, lineOffset)
        hits.push({
          rule: name,
          file,
          offset,
          line_number: line,
          line: lineAt(bytes, lineOffset),
          groups,
          event: acts(rule) ? name : null,
          actions: actionsOf(rule)
        })
      }
      within = reading.within
      from = reading.to
    }
    return { hits, slow }
  })

/** What a rule makes of one line. */
export interface Verdict {
  readonly rule: string
  readonly matches: boolean
  readonly why: string
  readonly groups: ReadonlyArray<Readonly<Record<string, string | null>>>
}

/** The bytes of a line (from 1, ended by "\n" alone); null if the file has fewer. */
export const lineOf = (bytes: Uint8Array, number: number): Uint8Array | null => {
  let from = 0
  for (let line = 1; line < number; line += 1) {
    const end = bytes.indexOf(newline, from)
    if (end === -1) return null
    from = end + 1
  }
  const end = bytes.indexOf(newline, from)
  return from >= bytes.length ? null : bytes.subarray(from, end === -1 ? bytes.length : end)
}

type Tried = ReturnType<typeof scan>

const tryRule = (blocks: ReadonlyArray<Block>, monitoring: Monitoring, rule: LogEvent): Tried | null =>
  Either.match(makeDetector({ ...monitoring, log_events: [rule] }), {
    onLeft: () => null,
    onRight: (detector: Detector) => scan(blocks, detector, new Set())
  })

/** Characters of a pattern, fewer of which tell nothing: most lines have them somewhere. */
const telling = 3

/** The longest beginning of the pattern that the line has, empty if it has none. */
const longestBeginning = (blocks: ReadonlyArray<Block>, monitoring: Monitoring, rule: LogEvent): string => {
  const characters = [...rule.pattern]
  for (let length = characters.length - 1; length >= telling; length -= 1) {
    const pattern = characters.slice(0, length).join("")
    const tried = tryRule(blocks, monitoring, { ...rule, pattern, extract_groups: {} })
    // One that matches any line at all tells nothing.
    if (tried !== null && tried.matches.length > 0 && !matchesNothing(monitoring, { ...rule, pattern })) return pattern
  }
  return ""
}

const empty = readLines(new Uint8Array([newline]), 0, false, true).blocks

const matchesNothing = (monitoring: Monitoring, rule: LogEvent): boolean =>
  (tryRule(empty, monitoring, { ...rule, extract_groups: {} })?.matches.length ?? 0) > 0

const whyNot = (blocks: ReadonlyArray<Block>, monitoring: Monitoring, rule: LogEvent): string => {
  const flags = rule.pattern_type === "regex" ? "(?i)" : ""
  const escaped = flags === "" ? rule.pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : rule.pattern
  const ignoring: LogEvent = { ...rule, pattern: `(?i)${escaped}`, pattern_type: "regex", extract_groups: {} }
  if ((tryRule(blocks, monitoring, ignoring)?.matches.length ?? 0) > 0) {
    return "the line has it with other upper and lower case letters"
  }
  const beginning = longestBeginning(blocks, monitoring, rule)
  return beginning === ""
    ? "the line has not even the beginning of the pattern"
    : `the line has \`${beginning}\`, but not \`${rule.pattern.slice(beginning.length)}\` after it`
}

/** For each log rule: whether it matches the line, and why, or how far its pattern comes. */
export const explainLine = (monitoring: Monitoring, line: Uint8Array): ReadonlyArray<Verdict> => {
  const { blocks, cut } = readLines(line, 0, false, true)
  const short = cut > 0 ? `; only the line's first ${lineBound / 1024} KiB are looked at` : ""
  return monitoring.log_events.map((rule): Verdict => {
    const no = (why: string): Verdict => ({ rule: rule.name, matches: false, why: why + short, groups: [] })
    if (rule.pattern_type === "inactivity") return no("it looks for silence, not for lines")
    const tried = tryRule(blocks, monitoring, rule)
    if (tried === null) return no("its pattern is no pattern")
    const [slow] = tried.slow
    if (slow !== undefined) return no(`its pattern is too slow here: ${slow.why}`)
    if (tried.matches.length === 0) return no(whyNot(blocks, monitoring, rule))
    const [first] = tried.matches
    return {
      rule: rule.name,
      matches: true,
      why: `its pattern is found at byte ${first?.match.offset} of the line` +
        (tried.matches.length > 1 ? `, and ${tried.matches.length - 1} more after it` : ""),
      groups: tried.matches.map(({ match }) => match.groups)
    }
  })
}
