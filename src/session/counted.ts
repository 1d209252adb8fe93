/** What a job's log counts by what its rules declare: the newest and the best, and how fast it goes. All of it is bounded. */
import type { EventData } from "../event/events.ts"
import { secondsBetween } from "../event/time.ts"
import type { Count, Declared } from "./declared.ts"

/** A number, and when (the recorded time, ISO 8601 UTC) and in which attempt it was told. */
export interface Told {
  readonly value: number
  readonly at: string
  readonly attempt: number
}

/** Of the present attempt alone. */
export interface Pace {
  /** When any of what counts came further than ever in this attempt: first, and last. */
  readonly firstAt: string | null
  readonly advancedAt: string | null
  /** The highest that the attempt has told of each. */
  readonly high: Readonly<Partial<Record<Advancing, number>>>
  /** Steps that it is to do again since it fell back within the attempt, until it is beyond its highest. */
  readonly redo: number
  /** Since when a checkpoint is being written; null: none is. */
  readonly savingAt: string | null
  /** The latest step of each of the latest reads. */
  readonly recent: ReadonlyArray<{ readonly at: string; readonly step: number }>
  /** Seconds for each step as the log tells them; the latest. */
  readonly stepSeconds: ReadonlyArray<number>
}

/** What past attempts have shown: seconds. */
export interface Learnt {
  readonly secondsPerStep: number | null
  /** From one read that told of more to the next. */
  readonly gap: number | null
  /** The longest time from the start to the first step, and the longest that a checkpoint took. */
  readonly startup: number | null
  readonly saving: number | null
}

export interface Counted {
  readonly step: Told | null
  readonly best: Told | null
  readonly total: number | null
  readonly tokens: Told | null
  /** It may be no number, or infinite. */
  readonly loss: Told | null
  /** The lowest finite one. */
  readonly bestLoss: Told | null
  /** The newest complete checkpoint's step, and the highest. */
  readonly checkpoint: Told | null
  readonly bestCheckpoint: Told | null
  readonly throughput: Told | null
  readonly pace: Pace
  readonly learnt: Learnt
}

/** What is progress if it grows. */
export type Advancing = "step" | "tokens" | "checkpoint"

const isAdvancing = (count: Count): count is Advancing =>
  count === "step" || count === "tokens" || count === "checkpoint"

/** Most reads, and tellings, that speeds are made of. */
const kept = 32

export const noPace: Pace = {
  firstAt: null,
  advancedAt: null,
  high: {},
  redo: 0,
  savingAt: null,
  recent: [],
  stepSeconds: []
}

export const nothingCounted: Counted = {
  step: null,
  best: null,
  total: null,
  tokens: null,
  loss: null,
  bestLoss: null,
  checkpoint: null,
  bestCheckpoint: null,
  throughput: null,
  pace: noPace,
  learnt: { secondsPerStep: null, gap: null, startup: null, saving: null }
}

const scales: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, b: 1e9, g: 1e9, t: 1e12 }

/**
 * The number that a log's text means: `1234`, `1,234`, `1_234`, `2.5E-04`, `1.2B`; `nan` and `inf` are numbers here. Null
 * for anything else.
 */
export const numberIn = (text: string): number | null => {
  const plain = text.trim()
  if (/^[+-]?nan$/i.test(plain)) return NaN
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(plain)
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity
  const match = /^([+-]?)(\d{1,3}(?:[,_]\d{3})+|\d+)?(\.\d*)?(e[+-]?\d{1,3})?([kmbgt]?)$/i.exec(plain)
  if (match === null) return null
  const [, sign = "", whole = "", fraction = "", exponent = "", scale = ""] = match
  if (whole === "" && !/\d/.test(fraction)) return null
  const digits = `${sign}${whole.replace(/[,_]/g, "") || "0"}${fraction === "." ? "" : fraction}${exponent}`
  const value = Number(digits) * (scales[scale.toLowerCase()] ?? 1)
  return Number.isFinite(value) ? value : null
}

/** What one read adds to the budgets' reckoning: the highest that it told of each. */
export type Highest = Readonly<Partial<Record<Advancing, number>>>

/** The middle one; null of none. */
export const median = (values: ReadonlyArray<number>): number | null =>
  values.length === 0 ? null : values.toSorted((a, b) => a - b)[values.length >> 1] ?? null

/** Seconds for each step by the clock, over the latest reads; null while there are not two. */
const byClock = ({ recent }: Pace): number | null => {
  const [first, last] = [recent[0], recent.at(-1)]
  if (first === undefined || last === undefined) return null
  const steps = last.step - first.step
  const passed = secondsBetween(first.at, last.at)
  return steps > 0 && passed > 0 ? passed / steps : null
}

/** Seconds that a step takes at present: by the clock, else by the log's own word, else as in past attempts. */
export const secondsPerStep = ({ learnt, pace }: Pick<Counted, "pace" | "learnt">): number | null =>
  byClock(pace) ?? median(pace.stepSeconds) ?? learnt.secondsPerStep

/** The usual time from one read that told of more to the next: one long pause among many does not change it. */
export const usualGap = ({ learnt, pace: { recent } }: Pick<Counted, "pace" | "learnt">): number | null =>
  median(recent.slice(1).map(({ at }, index) => secondsBetween(recent[index]?.at ?? at, at))) ?? learnt.gap

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const longest = (before: number | null, value: number): number => Math.max(before ?? 0, value, 0)

/** Puts the read's last step behind those of the reads before; none of them counts if step or clock went back. */
const withPoint = (recent: Pace["recent"], point: Pace["recent"][number]): Pace["recent"] => {
  const last = recent.at(-1)
  if (last === undefined || point.step < last.step || point.at < last.at) return [point]
  return [...point.at === last.at ? recent.slice(0, -1) : recent, point].slice(-kept)
}

/**
 * After a read of a file that the present attempt writes. `since`: when the attempt began to run. Null if nothing of it
 * counts.
 */
export const countBy = (
  before: Counted,
  declared: Declared,
  { matches }: Pick<EventData<"LogRead">, "matches">,
  { at, attempt, since }: { readonly at: string; readonly attempt: number; readonly since: string | null }
): { readonly counted: Counted; readonly highest: Highest; readonly advanced: boolean } | null => {
  const after: Mutable<Counted> = { ...before }
  const pace: Mutable<Pace> = { ...before.pace }
  const high: Partial<Record<Advancing, number>> = { ...pace.high }
  const highest: Partial<Record<Advancing, number>> = {}
  const stepSeconds: Array<number> = []
  let latest: number | null = pace.recent.at(-1)?.step ?? null
  let found = false
  let advanced = false
  const saved = () => {
    if (pace.savingAt === null) return
    after.learnt = { ...after.learnt, saving: longest(after.learnt.saving, secondsBetween(pace.savingAt, at)) }
    pace.savingAt = null
  }
  for (const { groups, rule } of matches) {
    for (const [count, key] of declared.rules.get(rule) ?? []) {
      const text = groups[key]
      const value = text === undefined || text === null ? null : numberIn(text)
      if (value === null) continue
      const told: Told = { value, at, attempt }
      if (count === "loss") {
        found = true
        after.loss = told
        if (Number.isFinite(value) && value < (after.bestLoss?.value ?? Infinity)) after.bestLoss = told
        continue
      }
      if (!Number.isFinite(value) || value < 0) continue
      found = true
      if (count === "total") after.total = value
      else if (count === "throughput") after.throughput = told
      else if (count === "seconds_per_step") stepSeconds.push(value)
      else if (count === "milliseconds_per_step") stepSeconds.push(value / 1000)
      else if (count === "saving") pace.savingAt ??= at
      else if (count === "tokens") after.tokens = told
      else if (count === "step") {
        if (latest !== null && value < latest) pace.redo ||= Math.max(0, (high.step ?? value) - value)
        latest = value
        after.step = told
        if (value > (after.best?.value ?? -1)) after.best = told
      } else {
        saved()
        after.checkpoint = told
        if (value > (after.bestCheckpoint?.value ?? -1)) after.bestCheckpoint = told
      }
      if (!isAdvancing(count)) continue
      highest[count] = Math.max(highest[count] ?? value, value)
      if (value <= (high[count] ?? -1)) continue
      high[count] = value
      advanced = true
      if (count === "step") {
        pace.redo = 0
        saved()
      }
    }
  }
  if (!found) return null
  if (advanced) {
    pace.advancedAt = at
    if (pace.firstAt === null) {
      pace.firstAt = at
      if (since !== null) {
        after.learnt = { ...after.learnt, startup: longest(after.learnt.startup, secondsBetween(since, at)) }
      }
    }
  }
  if (latest !== null && highest.step !== undefined) pace.recent = withPoint(pace.recent, { at, step: latest })
  if (stepSeconds.length > 0) pace.stepSeconds = [...pace.stepSeconds, ...stepSeconds].slice(-kept)
  return { counted: { ...after, pace: { ...pace, high } }, highest, advanced }
}

/** What is known at the beginning of another attempt. */
export const countAnew = (before: Counted): Counted => ({
  ...before,
  pace: noPace,
  learnt: { ...before.learnt, secondsPerStep: secondsPerStep(before), gap: usualGap(before) }
})
