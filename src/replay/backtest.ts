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

/** The pieces with what `rest` says was left of those before, and whether each is the last. */
function* joined(pieces: Iterable<Uint8Array>, rest: () => Uint8Array): Generator<readonly [Uint8Array, boolean]> {
  let known: Uint8Array | null = null
  for (const piece of pieces) {
    if (known !== null) yield [known, false]
    const left: Uint8Array = known === null ? new Uint8Array() : rest()
    known = left.length === 0 ? piece : Buffer.concat([left, piece])
  }
  if (known !== null) yield [known, true]
}

/**
 * Where the rules match in a file that comes in pieces, in the order of the file; at one place, in that of the rules.
 * Lines are what a monitor takes for lines. What was found comes piece by piece, so that a log may be of any length.
 */
export const backtest = (
  monitoring: Monitoring,
  file: string,
  pieces: Iterable<Uint8Array>
): Either.Either<Iterable<Backtest>, PatternError> =>
  Either.map(makeDetector(monitoring), (detector) => find(monitoring, detector, file, pieces))

function* find(
  monitoring: Monitoring,
  detector: Detector,
  file: string,
  pieces: Iterable<Uint8Array>
): Generator<Backtest> {
  const rules = new Map(monitoring.log_events.map((rule) => [rule.name, rule]))
  const off = new Set<string>()
  let rest = new Uint8Array()
  let within = false
  let from = 0
  let line = 1
  for (const [bytes, final] of joined(pieces, () => rest)) {
    const reading = readLines(bytes, from, within, final)
    const found = scan(reading.blocks, detector, off)
    let counted = 0
    const countTo = (at: number): void => {
      line += countLines(bytes, counted, at)
      counted = Math.max(counted, at)
    }
    const hits = found.matches.flatMap(({ lineOffset, match: { groups, offset, rule: name } }): ReadonlyArray<Hit> => {
      const rule = rules.get(name)
      if (rule === undefined) return []
      countTo(lineOffset - from)
      return [{
        rule: name,
        file,
        offset,
        line_number: line,
        line: lineAt(bytes, lineOffset - from),
        groups,
        event: acts(rule) ? name : null,
        actions: actionsOf(rule)
      }]
    })
    yield { hits, slow: found.slow.map(({ rule, why }) => ({ rule, file, why })) }
    countTo(reading.to - from)
    rest = bytes.slice(reading.to - from)
    within = reading.within
    from = reading.to
  }
}

/** What a rule makes of one line. */
export interface Verdict {
  readonly rule: string
  readonly matches: boolean
  readonly why: string
  readonly groups: ReadonlyArray<Readonly<Record<string, string | null>>>
}

/** More bytes of a line than are looked at. */
const lineLimit = 4 * lineBound

/** The first bytes of a line (from 1, ended by "\n" alone), of which no more are looked at; null if there are fewer lines. */
export const lineOf = (pieces: Iterable<Uint8Array>, number: number): Uint8Array | null => {
  let line = 1
  let found: Uint8Array | null = null
  for (const bytes of pieces) {
    let from = 0
    while (line < number) {
      const end = bytes.indexOf(newline, from)
      if (end === -1) break
      from = end + 1
      line += 1
    }
    if (line < number || from >= bytes.length) continue
    const end = bytes.indexOf(newline, from)
    const part = bytes.subarray(from, end === -1 ? bytes.length : end)
    found = Buffer.concat([found ?? new Uint8Array(), part.subarray(0, lineLimit)])
    if (end !== -1 || found.length >= lineLimit) return found
  }
  return found
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
