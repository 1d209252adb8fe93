/** What records make of a chain's links: submissions that wait behind a job's present attempt. */
import type { EventRecord } from "../event/EventRecord.ts"
import { withGated } from "./attempts.ts"
import { changeJob } from "./change.ts"
import type { OpenSubmission } from "./entries.ts"
import type { Job, Link } from "./Job.ts"
import { afterPresent } from "./newAttempt.ts"
import { excludedBy, withExcluded } from "./nodes.ts"
import type { Session } from "./Session.ts"

/** The behaviour (`rule/behaviour.ts`) from which on no link has the number of the submission that it waits behind. */
const submissionsAreCounted = 9

/** The number of a submission in its name `<job>.<number>.<nonce>`. */
const numberOf = (name: string): number => Number(/\.(\d+)\.[^.]+$/.exec(name)?.[1] ?? 0)

const changeLink = (
  session: Session,
  record: EventRecord<"JobSubmitted" | "LinkCancelDecided" | "LinkCancelAnswered" | "NodesUpdated">,
  change: (link: Link) => Partial<Link>
): void =>
  changeJob(session, record, ({ links }) => ({
    links: links.map((link) => link.nonce === record.data.nonce ? { ...link, ...change(link) } : link)
  }))

/** A link is to be submitted: the last one so far. */
export const intendLink = (session: Session, record: EventRecord<"SubmissionIntended">): void => {
  const { name, nonce, options, script } = record.data
  changeJob(session, record, ({ links, numbered }) => ({
    links: [...links, { nonce, options, script, slurm: null, logPath: null, told: null, cancel: null }],
    numbered: Math.max(numbered, numberOf(name))
  }))
}

/** The highest number in the names of the job's submissions, once the scheduler has queued this one, which is no link. */
export const numberedWith = ({ behaviour }: Session, { numbered }: Job, name: string): number =>
  behaviour < submissionsAreCounted ? numbered : Math.max(numbered, numberOf(name))

/** The scheduler has queued it. */
export const queueLink = (session: Session, record: EventRecord<"JobSubmitted">): void => {
  const { cluster, log_path: logPath, name, nonce, slurm_id: id, task } = record.data
  session.submissions.delete(nonce)
  changeLink(session, record, () => ({ slurm: { id, task, name, cluster }, logPath }))
  changeJob(session, record, () => ({ linksRefused: 0 }))
}

/** The scheduler was told which nodes it stays away from. */
export const updateLink = (session: Session, record: EventRecord<"NodesUpdated">): void => {
  const { applied, nodes } = record.data
  changeLink(session, record, ({ options }) => ({
    told: nodes,
    ...(applied ? { options: withExcluded(options, nodes) } : {})
  }))
}

/** It was not queued. */
export const loseLink = (
  session: Session,
  record: EventRecord<"SubmissionLost">,
  { jobs, nonce }: OpenSubmission
): void => {
  for (const job of jobs) {
    changeJob(session, { ...record, job }, ({ links, linksRefused }) => ({
      links: links.filter((link) => link.nonce !== nonce),
      linksRefused: record.data.refused === true ? linksRefused + 1 : linksRefused
    }))
  }
}

/** It is the job's present attempt from now on; what the scheduler makes of it is yet to be asked. */
export const takeLink = (session: Session, record: EventRecord<"LinkTaken">): void =>
  changeJob(session, record, (job) => {
    const { attempt, links, progressed } = job
    const taken = links.find(({ nonce }) => nonce === record.data.nonce)
    return taken === undefined ? {} : {
      ...afterPresent(job, record.at),
      state: "pending",
      live: true,
      attempt: attempt + 1,
      nonce: taken.nonce,
      slurm: taken.slurm,
      excluded: taken.told ?? excludedBy(taken.options),
      logPath: taken.logPath,
      links: links.filter((link) => link !== taken),
      gate: "unasked",
      restart: null,
      lostSubmissions: 0,
      progressed: { ...progressed, advanced: [], read: false }
    }
  })

export const foldLink = (
  session: Session,
  record: EventRecord<"LinkCancelDecided" | "LinkCancelAnswered" | "LinkEnded">
): void => {
  switch (record.type) {
    case "LinkCancelDecided":
      return changeLink(session, record, () => ({ cancel: { seq: record.seq, taken: false } }))
    case "LinkCancelAnswered":
      return changeLink(session, record, ({ cancel }) => ({
        cancel: cancel === null ? null : { ...cancel, taken: true }
      }))
    case "LinkEnded":
      return changeJob(session, record, ({ links, past }) => ({
        links: links.filter(({ nonce }) => nonce !== record.data.nonce),
        past: withGated(past, record.data.ran)
      }))
  }
}
