/** What other rules would have done, beside what was done. */
import type { Deed } from "../replay/course.ts"
import { type Bounds, sumOf } from "../replay/outlook.ts"
import type { LogUnread } from "../replay/readAgain.ts"
import type { Difference, WhatIf } from "../replay/whatIf.ts"
import { clean } from "./width.ts"

const deedView = ({ at, attempt, data, job, seq, type }: Deed) => ({ seq, at, type, job, attempt, data })

const boundsOf = (diff: ReadonlyArray<Difference>): ReadonlyArray<Bounds> =>
  diff.flatMap(({ gpu_hours }) => gpu_hours === null ? [] : [gpu_hours])

const restarts = (deeds: ReadonlyArray<Deed>): number => deeds.filter(({ type }) => type === "RestartDecided").length

const counted = (diff: ReadonlyArray<Difference>, change: Difference["change"]): number =>
  diff.filter((one) => one.change === change).length

/** The answer of `replay --monitoring`. The seqs of what is replayed are those that its records would have had. */
export const whatIfView = ({ diff, recorded, replayed, unknown }: WhatIf) => ({
  recorded: recorded.map(deedView),
  replayed: replayed.map(deedView),
  diff: diff.map((one) => ({
    ...one,
    recorded: one.recorded.map(deedView),
    replayed: one.replayed.map(deedView)
  })),
  restarts: {
    recorded: restarts(recorded),
    added: counted(diff, "restart added"),
    avoided: counted(diff, "restart avoided"),
    earlier: counted(diff, "restart earlier"),
    later: counted(diff, "restart later")
  },
  gpu_hours: sumOf(boundsOf(diff)),
  unknown
})

/** A deed in a few words. */
const deedText = ({ data, type }: Deed): string => {
  const value = (name: string): string => {
    const found: unknown = typeof data === "object" && data !== null ? Reflect.get(data, name) : undefined
    return typeof found === "string" ? found : ""
  }
  const action = typeof data === "object" && data !== null ? Reflect.get(data, "action") : undefined
  switch (type) {
    case "EventRaised":
      return `event ${value("name")}`
    case "RestartDecided":
      return `restart because of ${value("event")}`
    case "RestartDropped":
      return "restart dropped"
    case "CancelDecided":
      return "cancel"
    case "EndDecided":
      return "end"
    case "SubmissionIntended":
      return "submit"
    case "JobFinished":
      return `finished: ${value("outcome")}`
    case "AttentionNeeded":
      return "needs attention"
    case "ActionLogged":
      return `log ${JSON.stringify(value("message"))}`
    default: {
      const name: unknown = typeof action === "object" && action !== null
        ? Reflect.get(action, "class_name")
        : undefined
      return typeof name === "string" ? name : type
    }
  }
}

const deedsText = (deeds: ReadonlyArray<Deed>): string =>
  deeds.length === 0 ? "nothing" : deeds.map(deedText).join(", ")

const hours = (value: number | null): string => value === null ? "unknown" : String(Math.round(value * 100) / 100)

const boundsText = ({ least, most }: Bounds): string => `between ${hours(least)} and ${hours(most)}`

const outlookText = ({ change, gpu_hours, seconds, steers }: Difference): string => {
  if (!steers) return "the job goes on as recorded"
  const when = seconds === null ? "" : ` by ${Math.round(seconds)} s`
  return `${change === "other" ? "its course differs" : change}${when}` +
    (gpu_hours === null ? "" : `; GPU-hours saved: ${boundsText(gpu_hours)}`)
}

/** The same for people: each difference with both sides, then what it comes to. */
export const whatIfLines = (result: WhatIf, unread: ReadonlyArray<LogUnread>): ReadonlyArray<string> => {
  const { diff, recorded, unknown } = result
  const { added, avoided, earlier, later } = whatIfView(result).restarts
  return [
    ...diff.flatMap((one) => [
      `${one.at}  ${one.job}  ${one.fact === null ? "at a deadline of these rules" : `at record ${one.fact}`}`,
      `  recorded:    ${deedsText(one.recorded)}`,
      `  these rules: ${deedsText(one.replayed)}`,
      `  ${outlookText(one)}`
    ]),
    ...unknown.map(({ condition, event, job, question }) =>
      `${job}: ${condition} of ${event} is unknown: nobody asked for ${question}`
    ),
    ...unread.map(({ job, path, why }) => `${job}: ${path} could not be looked through again: ${why}`),
    diff.length === 0
      ? "no decision would have been different"
      : `of ${restarts(recorded)} restarts ${avoided} avoided, ${earlier} earlier, ${later} later; ${added} added; ` +
        `GPU-hours saved: ${boundsText(sumOf(boundsOf(diff)))}`,
    ...(diff.some(({ steers }) => steers)
      ? [
        "what happened to a job after its first different decision is not used: nobody knows how it would have gone on"
      ]
      : [])
  ].map(clean)
}
