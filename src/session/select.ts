/** Jobs by what people write: a name, `last`, indices, a state, a phase. */
import * as Either from "effect/Either"
import { didYouMean, nearest } from "../backend/nearest.ts"
import { JobOutcome } from "../event/terms.ts"
import type { Job, JobState } from "./Job.ts"

export interface SelectError {
  readonly message: string
  readonly suggestions: ReadonlyArray<string>
}

const states: ReadonlyArray<JobState> = ["planned", "waiting", "submitting", "pending", "running", "ended"]
/** What a job may be said to be besides. */
const others = ["held", "stalled", "attention"] as const

const is = (job: Job, word: string): boolean =>
  job.state === word || job.outcome === word ||
  word === "held" && job.held !== null ||
  word === "stalled" && job.stalled ||
  word === "attention" && job.attention !== null

/** Whether a whole text fits a pattern of `*` and `?`; in time that is bounded by the product of their lengths. */
export const fitsGlob = (pattern: string, text: string): boolean => {
  let at = 0
  let tried = 0
  let star = -1
  let from = 0
  while (tried < text.length) {
    const char = pattern[at]
    if (char === "*") {
      star = at++
      from = tried
    } else if (at < pattern.length && (char === "?" || char === text[tried])) {
      at += 1
      tried += 1
    } else if (star >= 0) {
      at = star + 1
      tried = ++from
    } else return false
  }
  while (pattern[at] === "*") at += 1
  return at === pattern.length
}

const isGlob = (text: string): boolean => /[*?]/.test(text)

type Found = Either.Either<ReadonlyArray<Job>, SelectError>

const unknown = (what: string, word: string, known: Iterable<string>): Found =>
  Either.left({
    message: `there is no ${what} "${word}"; ${didYouMean(word, known)}`,
    suggestions: nearest(word, known)
  })

/** A word of a small vocabulary, or a pattern of such; a word that is right and fits no job selects none. */
const byWord = (
  jobs: ReadonlyArray<Job>,
  what: string,
  word: string,
  words: ReadonlyArray<string>,
  fits: (job: Job, one: string) => boolean
): Found => {
  const meant = words.filter((one) => fitsGlob(word, one))
  return meant.length === 0
    ? unknown(what, word, words)
    : Either.right(jobs.filter((job) => meant.some((one) => fits(job, one))))
}

/** A name or a pattern of names; one that fits nothing is a mistake. */
const byText = (jobs: ReadonlyArray<Job>, what: string, text: string, of: (job: Job) => string): Found => {
  const found = jobs.filter((job) => fitsGlob(text, of(job)))
  return found.length > 0 ? Either.right(found) : unknown(what, text, new Set(jobs.map(of)))
}

const byIndex = (jobs: ReadonlyArray<Job>, text: string): Found => {
  const ranges = text.split(",").map((part) => {
    const [from = "0", to = from] = part.split("-")
    return [Number(from), Number(to)] as const
  })
  const known = jobs.map(({ plan }) => plan.index)
  const empty = ranges.find(([from, to]) => !known.some((index) => index >= from && index <= to))
  if (empty !== undefined) {
    const [from, to] = empty
    const which = from === to ? `the index ${from}` : `an index from ${from} to ${to}`
    const range = known.length === 0 ? "there are none" : `indices are ${Math.min(...known)} to ${Math.max(...known)}`
    return Either.left({ message: `there is no job with ${which}; ${range}`, suggestions: [] })
  }
  return Either.right(jobs.filter(({ plan: { index } }) => ranges.some(([from, to]) => index >= from && index <= to)))
}

const latest = (jobs: ReadonlyArray<Job>): ReadonlyArray<Job> => {
  const [last] = jobs.toSorted((a, b) =>
    a.lastUpdated === b.lastUpdated ? b.plan.index - a.plan.index : a.lastUpdated < b.lastUpdated ? 1 : -1
  )
  return last === undefined ? [] : [last]
}

const find = (jobs: ReadonlyArray<Job>, text: string): Found => {
  const exact = jobs.filter(({ plan }) => plan.name === text)
  if (exact.length > 0) return Either.right(exact)
  if (text === "all") return Either.right(jobs)
  if (text === "last") return Either.right(latest(jobs))
  if (/^\d{1,9}(?:-\d{1,9})?(?:,\d{1,9}(?:-\d{1,9})?)*$/.test(text)) return byIndex(jobs, text)
  const [, kind = "", word = ""] = /^([a-z]+):(.*)$/s.exec(text) ?? []
  switch (kind) {
    case "state":
      return byWord(jobs, "state", word, [...states, ...JobOutcome.literals, ...others], is)
    case "outcome":
      return byWord(jobs, "outcome", word, JobOutcome.literals, (job, one) => job.outcome === one)
    case "stage":
      return byText(jobs, "stage", word, ({ plan }) => plan.stage)
    case "name":
      return byText(jobs, "job", word, ({ plan }) => plan.name)
    default:
      return isGlob(text)
        ? byText(jobs, "job", text, ({ plan }) => plan.name)
        : unknown("job", text, jobs.map(({ plan }) => plan.name))
  }
}

/**
 * The jobs that any of the texts means, each once, in the session's order; all of them if there is none. A name comes
 * before whatever else it could mean. `last` is the job that something happened to last, `3-7` and `0,3-5` are indices of
 * sweep points, `state:` takes states and outcomes, `held`, `stalled` and `attention`, and `*` and `?` stand for anything in
 * `state:`, `outcome:`, `stage:`, `name:` and bare names.
 */
export const select = (
  all: Iterable<Job>,
  texts: ReadonlyArray<string>
): Either.Either<ReadonlyArray<Job>, SelectError> => {
  const jobs = [...all]
  if (texts.length === 0) return Either.right(jobs)
  return Either.map(Either.all(texts.map((text) => find(jobs, text))), (found) => {
    const chosen = new Set(found.flat())
    return jobs.filter((job) => chosen.has(job))
  })
}
