/** New bytes of a log -> the facts to record of them. */
import type { NewEvent } from "../event/EventRecord.ts"
import type { Chunk } from "../port/Files.ts"
import type { Detector, Line } from "../rule/detect.ts"
import type { LogPosition } from "../session/Session.ts"

const newline = 0x0a

/** Most matches that one record holds; more follow in further records, never in a summary. */
const matchesBound = 256

const decoder = new TextDecoder("utf-8")

const lineText = (bytes: Uint8Array): string => {
  const text = decoder.decode(bytes)
  return text.endsWith("\r") ? text.slice(0, -1) : text
}

/** The complete lines of `bytes`, and with `final` the last one too although nothing ends it. */
const linesOf = (
  bytes: Uint8Array,
  from: number,
  final: boolean
): { readonly lines: ReadonlyArray<Line>; readonly to: number } => {
  const lines: Array<Line> = []
  let start = 0
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    lines.push({ offset: from + start, text: lineText(bytes.subarray(start, end)) })
    start = end + 1
  }
  if (final && start < bytes.length) {
    lines.push({ offset: from + start, text: lineText(bytes.subarray(start)) })
    start = bytes.length
  }
  return { lines, to: from + start }
}

/**
 * The facts of one read of `path` that began at byte `from`: none if nothing new was seen; otherwise one, or several
 * where the matches are many. Bytes after the last newline wait for the next read unless `final`.
 */
export const logFacts = (options: {
  readonly job: string
  readonly attempt: number
  readonly path: string
  readonly known: LogPosition | undefined
  readonly from: number
  readonly chunk: Chunk
  readonly final: boolean
  readonly detect: Detector
}): ReadonlyArray<NewEvent<"LogRead">> => {
  const { attempt, chunk, detect, final, from, job, known, path } = options
  const { lines, to } = linesOf(chunk.bytes, from, final)
  const unchanged = known !== undefined && known.identity === chunk.identity && known.size === chunk.size
  if (lines.length === 0 && (unchanged || (known === undefined && chunk.size === 0))) return []
  const fact = (start: number, end: number, matches: ReturnType<Detector>): NewEvent<"LogRead"> => ({
    type: "LogRead",
    job,
    attempt,
    data: { path, from: start, to: end, size: chunk.size, identity: chunk.identity, matches }
  })
  const facts: Array<NewEvent<"LogRead">> = []
  let matches = [...detect(lines)]
  let start = from
  while (matches.length > matchesBound) {
    const bound = matches[matchesBound]?.offset ?? to
    const cut = lines.findLast(({ offset }) => offset <= bound)?.offset ?? to
    const head = matches.filter(({ offset }) => offset < cut)
    if (head.length === 0) break
    facts.push(fact(start, cut, head))
    matches = matches.slice(head.length)
    start = cut
  }
  return [...facts, fact(start, to, matches)]
}
