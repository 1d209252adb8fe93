/** How far a job has come, by the numbers that its log tells. */
import type { EventData } from "../event/events.ts"
import type { Progressed } from "./Job.ts"

/** Groups whose number grows as a run goes on. */
const counting = /^(?:.*_)?(?:iteration|iter|step|epoch|tokens|samples)s?$/

/** Groups that say where a run ends, or what it costs. */
const fixed = /(?:^|_)(?:total|max|last|target)(?:_|$)/

type Groups = EventData<"LogRead">["matches"][number]["groups"]

const whole = /^\d{1,15}$/

/** The whole numbers that a match tells: of counting groups if it has any, else of all. */
const numbersOf = (groups: Groups): ReadonlyArray<readonly [string, number]> => {
  const steps: Array<readonly [string, number]> = []
  const others: Array<readonly [string, number]> = []
  // A loop, since every line that tells of progress comes by here.
  for (const group in groups) {
    const value = groups[group] ?? ""
    if (!whole.test(value) || fixed.test(group)) continue
    const numbers = counting.test(group) ? steps : others
    numbers.push([group, Number(value)])
  }
  return steps.length > 0 ? steps : others
}

/** After a read. A match without a number is progress in itself: a checkpoint, whatever it is called. */
export const progressBy = (
  before: Progressed,
  { matches }: Pick<EventData<"LogRead">, "matches">,
  grew: boolean
): Progressed => {
  if (matches.length === 0) return before.read || !grew ? before : { ...before, read: true }
  const best: Record<string, number> = { ...before.best }
  const advanced = new Set(before.advanced)
  for (const { groups, rule } of matches) {
    const numbers = numbersOf(groups)
    if (numbers.length === 0) advanced.add(rule)
    for (const [group, number] of numbers) {
      const key = `${rule}\0${group}`
      if (number <= (best[key] ?? -1)) continue
      best[key] = number
      advanced.add(rule)
    }
  }
  return { best, advanced: [...advanced], read: true }
}
