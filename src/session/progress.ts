/** How far a job has come, by the numbers that its log tells. */
import type { EventData } from "../event/events.ts"
import type { Highest } from "./counted.ts"
import type { Job, Progressed } from "./Job.ts"

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
  let best: Record<string, number> | null = null
  let { advanced } = before
  for (const { groups, rule } of matches) {
    const numbers = numbersOf(groups)
    let further = numbers.length === 0
    for (const [group, number] of numbers) {
      const key = `${rule}\0${group}`
      if (number <= ((best ?? before.best)[key] ?? -1)) continue
      best ??= { ...before.best }
      best[key] = number
      further = true
    }
    if (further && !advanced.includes(rule)) advanced = [...advanced, rule]
  }
  return { best: best ?? before.best, advanced, read: true }
}

/** After a read: the latest groups of each rule whose matches are only noted. */
export const notedBy = (
  before: Job["progress"],
  { matches }: Pick<EventData<"LogRead">, "matches">
): Job["progress"] => {
  let noted: Record<string, Job["progress"][string]> | null = null
  for (const { groups, line, rule } of matches) {
    if (line !== undefined) continue
    noted ??= { ...before }
    noted[rule] = groups
  }
  return noted ?? before
}

/** Names, among those of rules, of what rules declare to count: no rule has such a name. */
export const declaredSteps = "\0step"
export const declaredCheckpoints = "\0checkpoint"

/** With what a read told of declared counts. */
export const withHighest = (before: Progressed, { checkpoint, step, tokens }: Highest): Progressed => {
  const best = { ...before.best }
  const advanced = new Set(before.advanced)
  const raise = (name: string, key: string, value: number | undefined) => {
    if (value === undefined || value <= (best[key] ?? -1)) return
    best[key] = value
    advanced.add(name)
  }
  raise(declaredSteps, declaredSteps, step)
  raise(declaredSteps, `${declaredSteps} tokens`, tokens)
  raise(declaredCheckpoints, declaredCheckpoints, checkpoint)
  return { ...before, best, advanced: [...advanced] }
}
