/** What is said when a session is no longer watched: how each job stands, what was healed, what failed and why. */
import { attentionOf } from "../session/attention.ts"
import type { Job } from "../session/Job.ts"
import type { Session } from "../session/Session.ts"
import { statusOf } from "../session/Session.ts"
import { waitsFor } from "../session/view.ts"
import type { LiveRow } from "./live.ts"

/** The value of the first of `names` among the groups that progress rules caught last. */
const progressOf = ({ progress }: Job, names: ReadonlyArray<string>): string | null => {
  for (const name of names) {
    for (const groups of Object.values(progress)) {
      const text = groups[name]
      if (text !== undefined && text !== null) return text
    }
  }
  return null
}

const short = (text: string | null): string | null => {
  const number = Number(text)
  return text === null || text.trim() === "" || Number.isNaN(number) ? text : String(Number(number.toPrecision(5)))
}

const waiting = (session: Session, job: Job): string | null => {
  const what = waitsFor(session, job)
  return what === null ? null : `waits for ${what}`
}

/** The session's jobs as rows of the live table. */
export const liveRows = (session: Session): ReadonlyArray<LiveRow> =>
  [...session.jobs.values()].map((job) => ({
    job: job.plan.name,
    state: job.outcome ?? job.state,
    attempt: job.attempt,
    iteration: progressOf(job, ["iteration", "step"]),
    loss: short(progressOf(job, ["lm_loss", "loss"])),
    lastEvent: waiting(session, job) ?? job.lastEvent
  }))

/** Whether somebody is to decide: of a job, or of restarts that pause. */
export const needsAttention = (session: Session): boolean => attentionOf(session).length > 0

/** Whether anything of the session is other than it should be. */
export const hasTrouble = (session: Session): boolean =>
  needsAttention(session) ||
  [...session.jobs.values()].some(({ outcome }) => outcome !== null && outcome !== "success") ||
  [...session.queue.values()].some(({ status }) => status === "failed")

const jobLines = (session: Session, job: Job): ReadonlyArray<string> => {
  const { attempt, attention, outcome, plan, restarts, state } = job
  const why = outcome === null ? waiting(session, job) : job.why
  const times = attempt > 1 ? ` after ${attempt} attempts` : ""
  const told = outcome === "success" || why === null ? "" : `: ${why}`
  return [
    `${plan.name}: ${outcome ?? state}${times}${told}`,
    ...restarts.map(({ attempt, cause, reason }) =>
      `  attempt ${attempt} ${cause === "link" ? "is the" : `began because of ${cause}:`} ${reason}`
    ),
    ...attention === null ? [] : [`  needs attention since ${attention.since}: ${attention.reason}`]
  ]
}

/** The lines of the summary; `command` is how this program is called. */
export const ending = (session: Session, command = "autoexp"): ReadonlyArray<string> => {
  const queue = [...session.queue.values()]
  const failed = queue.filter(({ status }) => status === "failed")
  const explained = [...session.jobs.values()].find(({ outcome, restarts }) =>
    restarts.length > 0 || outcome !== null && outcome !== "success"
  )
  const about = explained === undefined ? "" : ` --job ${explained.plan.name}`
  return [
    "",
    `session ${session.planId}: ${statusOf(session)}`,
    ...session.breakerOpen === null ? [] : [
      `needs attention since ${session.breakerOpen.since}: restarts pause: ${session.breakerOpen.reason}`,
      `  once that is mended: ${command} job ack --session ${session.planId} --all`
    ],
    ...[...session.jobs.values()].flatMap((job) => jobLines(session, job)),
    ...[...session.events.values()].flatMap(({ job, name, status }) =>
      status === "failed" ? [`${job}: an action because of ${name} failed`] : []
    ),
    ...[...session.patternsOff.values()].map(({ rule, why }) =>
      `rule ${rule} was switched off, its pattern is too slow: ${why}`
    ),
    ...queue.length === 0 ? [] : [
      `queued actions: ${queue.filter(({ status }) => status === "done").length} of ${queue.length} done` +
      (failed.length === 0 ? "" : `, ${failed.length} failed (${command} queue list --session ${session.planId})`)
    ],
    ...[...session.followUps.values()].flatMap(({ planId, status }) =>
      status === null || status === "success" ? [] : [`follow-up ${planId}: ${status}`]
    ),
    `why: ${command} events --session ${session.planId}${about}`
  ]
}
