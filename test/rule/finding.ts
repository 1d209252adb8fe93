/** What rules find in lines, without a file and without a bound. */
import type { Detector, Found } from "../../src/rule/detect.ts"

/** In the order of the lines; at one place, in the order of the rules. */
export const find = (detector: Detector, lines: ReadonlyArray<string>): ReadonlyArray<Found> => {
  const text = lines.join("\n")
  const ascii = /^[\0-\x7f]*$/.test(text)
  const found: Array<Found> = []
  if (lines.length > 0) { for (const finder of detector) finder.find({ text, ascii }, found) }
  return found.sort((a, b) => a.index - b.index)
}

/** The same as matches of a log that begins with the lines. */
export const matchesIn = (detector: Detector, lines: ReadonlyArray<string>) =>
  find(detector, lines).map(({ index: offset, ...match }) => ({ ...match, offset }))
