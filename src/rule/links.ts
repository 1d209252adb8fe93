/** Links of chains: queued ahead behind the present attempt, taken in their turn, cancelled where they are not wanted. */
import type { Job, Link } from "../session/Job.ts"
import { submitTimer } from "../session/Session.ts"
import { rewritten, sbatchOptions } from "./changes.ts"
import { type Context, timerOf } from "./Context.ts"
import { watchOverrun } from "./goal.ts"
import { idText } from "./metadata.ts"

export const hasLinks = ({ links }: Job): boolean => links.length > 0

/** The number in the name of the job's next submission: no other of it has had it, begun or not. */
export const nextNumber = ({ attempt, numbered }: Job): number => Math.max(attempt, numbered) + 1

/** Why nothing of the job is to wait in the queue; null if it may. */
export const unwanted = ({ completed, ending, held, outcome }: Job): string | null => {
  if (ending !== null) return ending.why
  if (completed !== null) return `it has done its work: ${completed}`
  if (outcome !== null) return `the job has ended as ${outcome}`
  return held === null ? null : `the job is held: ${held.reason}`
}

const dependency = "--dependency="

const plainOptions = (options: ReadonlyArray<string>): ReadonlyArray<string> =>
  options.filter((option) => !option.startsWith("--exclude=") && !option.startsWith(dependency))

const excluded = (options: ReadonlyArray<string>): ReadonlyArray<string> =>
  options.flatMap((option) => option.startsWith("--exclude=") ? option.slice("--exclude=".length).split(",") : [])

/** Whether the link was submitted as the job would be now; it may stay away from more nodes. */
const isAsWanted = (context: Context, job: Job, link: Link): boolean => {
  const options = sbatchOptions(context, job)
  const nodes = excluded(link.options)
  return rewritten(job).rewritten === undefined && link.script === job.plan.script &&
    plainOptions(link.options).join("\0") === plainOptions(options).join("\0") &&
    excluded(options).every((node) => nodes.includes(node))
}

/** The first link that waits, as the job's next attempt, if it is known to be queued and is wanted as it is. */
export const takeLink = (context: Context, job: Job): void => {
  const [next] = job.links
  if (job.restart === null || next === undefined || next.slurm === null || next.cancel !== null) return
  if (job.links.some(({ slurm }) => slurm === null) || !isAsWanted(context, job, next)) return
  context.emit({ type: "LinkTaken", data: { nonce: next.nonce, slurm_id: next.slurm.id } }, job, job.restart.seq)
}

/** Decides what each chain's links need: cancels those that are not wanted, and queues what is missing if it `submits`. */
export const tendChains = (context: Context, submits: boolean): void => {
  for (const name of context.session.chains) {
    const job = context.job(name)
    if (job === undefined || !context.acts(job)) continue
    watchOverrun(context, job)
    dropLinks(context, context.now(job))
    if (submits) queueLink(context, context.now(job))
  }
}

/** How many links may wait behind the present attempt. */
const room = ({ link, plan: { chain }, restart }: Job): number =>
  chain === undefined ? 0 : Math.max(0, chain.links - link + (restart?.by === "chain" ? 1 : 0))

const dropLinks = (context: Context, job: Job): void => {
  const why = unwanted(job)
  const first = why !== null
    ? 0
    : job.restart === null
    ? room(job)
    : job.links.findIndex((link) => link.cancel !== null || !isAsWanted(context, job, link))
  if (first < 0) return
  // The last one first: what waits for another one begins when that is gone.
  for (const link of job.links.slice(first).reverse()) {
    if (link.slurm === null || link.cancel !== null) continue
    const reason = why ??
      (job.restart === null ? "its chain needs no more links" : "a restart changes what is submitted")
    const data = { nonce: link.nonce, slurm_id: idText(link.slurm), why: reason }
    context.emit({ type: "LinkCancelDecided", data }, job)
  }
}

const queueLink = (context: Context, job: Job): void => {
  const { session } = context
  const { cancel, links, live, plan, restart, slurm } = job
  const { chain } = plan
  if (chain === undefined || !live || slurm === null || cancel !== null || restart !== null) return
  if (unwanted(job) !== null || session.recovery !== null || links.length >= Math.min(chain.ahead, room(job))) return
  if (links.some((link) => link.slurm === null || link.cancel !== null)) return
  if (session.timers.has(timerOf("links", job)) || session.timers.has(submitTimer)) return
  // A script of one attempt's own cannot be queued ahead: the next attempt's may be another.
  if (rewritten(job).rewritten !== undefined) return
  const { submitRateLimitSeconds: rate } = session
  if (rate !== null && rate > 0) context.setTimer(submitTimer, rate)
  const nonce = `${session.entropy}${context.nextSeq().toString(36)}`
  const before = [slurm, ...links.flatMap((link) => link.slurm === null ? [] : [link.slurm])]
  context.emit({
    type: "SubmissionIntended",
    job: plan.name,
    attempt: job.attempt + links.length + 1,
    data: {
      nonce,
      name: `${plan.array ? `${session.project}-array` : plan.name}.${nextNumber(job)}.${nonce}`,
      script: plan.script,
      jobs: [plan.name],
      array: plan.array ? [plan.task ?? plan.index] : null,
      options: [...sbatchOptions(context, job), `${dependency}afterany:${before.map(idText).join(":")}`],
      ahead: true
    }
  })
}
