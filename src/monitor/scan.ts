/** Rules at work on lines, in bounded time: a pattern may backtrack for ever, and log text is hostile. */
import * as Predicate from "effect/Predicate"
import * as vm from "node:vm"
import type { Detector, Found, Match } from "../rule/detect.ts"
import type { Block } from "./lines.ts"

/** CPU time in milliseconds that a rule may take for one read; usual are a few. */
const allowance = 500

/** A match, and the byte where its line begins. */
export interface Placed {
  readonly match: Match
  readonly lineOffset: number
}

/** A rule that took too long, and why. */
export interface TooSlow {
  readonly rule: string
  readonly pattern: string
  readonly why: string
}

export interface Scan {
  /** In the order of the log; at one place, in the order of the rules. */
  readonly matches: ReadonlyArray<Placed>
  readonly slow: ReadonlyArray<TooSlow>
}

const script = new vm.Script("run()")
const context: { run: () => void } = { run: () => undefined }
vm.createContext(context)

/** Runs it, for at most so many milliseconds: null if it came to its end, otherwise what stopped it. */
const run = (work: () => void, milliseconds: number): "time" | Error | null => {
  context.run = work
  try {
    script.runInContext(context, { timeout: milliseconds })
    return null
  } catch (error) {
    // It may be another realm's error.
    const isTime = Predicate.hasProperty(error, "code") && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"
    return isTime ? "time" : new Error(String(error))
  } finally {
    context.run = () => undefined
  }
}

const placed = (block: Block, { index, ...found }: Found): Placed => {
  const { lineOffset, offset } = block.placeOf(index)
  const { groups, line, rule } = found
  return { match: { rule, offset, groups, ...(line === undefined ? {} : { line }) }, lineOffset }
}

/**
 * All that the rules find in the blocks, but for rules whose pattern is in `off`. One that takes too long is given up,
 * what it found until then counts, and its pattern is added to `off`. Nobody is given up because the machine was busy:
 * the CPU time counts.
 */
export const scan = (blocks: ReadonlyArray<Block>, detector: Detector, off: Set<string>): Scan => {
  const finders = detector.filter(({ pattern }) => !off.has(pattern))
  if (blocks.length === 0 || finders.length === 0) return { matches: [], slow: [] }
  const found = finders.map(() => blocks.map((): Array<Found> => []))
  const slow: Array<TooSlow> = []
  let at = 0
  const work = () => {
    for (; at < finders.length; at++) {
      const ofRule = found[at] = blocks.map((): Array<Found> => [])
      blocks.forEach((block, index) => finders[at]?.find(block, ofRule[index] ?? []))
    }
  }
  for (let limit = allowance; at < finders.length;) {
    const first = at
    const before = process.cpuUsage()
    const stopped = run(work, limit)
    const { system, user } = process.cpuUsage(before)
    if (at > first) {
      // It was stopped, but others had their share of the time: once more, with all of it for the one at work.
      limit = allowance
      continue
    }
    if (stopped === "time" && (user + system) / 1000 < allowance) {
      limit *= 2
      continue
    }
    const finder = finders[at]
    if (stopped === null || finder === undefined) break
    const why = stopped === "time" ? `it took more than ${allowance} ms for one read` : stopped.message
    slow.push({ rule: finder.rule, pattern: finder.pattern, why })
    off.add(finder.pattern)
    at += 1
    limit = allowance
  }
  // The sort is stable: at one place, the order of the rules stays.
  const matches = found.flatMap((ofRule) =>
    ofRule.flatMap((those, index) => {
      const block = blocks[index]
      return block === undefined ? [] : those.map((one) => placed(block, one))
    })
  ).sort((a, b) => a.match.offset - b.match.offset)
  return { matches, slow }
}
