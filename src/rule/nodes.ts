/** Bad nodes: named by rules or by an operator, excluded for a time, let back. */
import { expandHosts } from "../backend/slurm/hostList.ts"
import type { EventData } from "../event/events.ts"
import type { Actor } from "../event/terms.ts"
import { later, secondsBetween } from "../event/time.ts"
import type { Exclusion, Occurrence } from "../session/entries.ts"
import type { Job } from "../session/Job.ts"
import { nodesTimer, type Session } from "../session/Session.ts"
import { failedNode } from "./changes.ts"
import type { Context } from "./Context.ts"
import { metadataOf } from "./metadata.ts"
import { badNodesOf } from "./Monitoring.ts"

/** What a rule says of nodes. */
export interface Naming {
  /** In SLURM's notation, rendered; `failed`: the one that failed. */
  readonly nodes: string
  readonly reason: string
  readonly seconds: number
  readonly scope: Exclusion["scope"]
}

/** Keeps all jobs of the session away from what a rule names, unless it names too much, or nothing (`skip`). */
export const excludeByRule = (
  context: Context,
  job: Job,
  occurrence: Occurrence,
  { nodes: text, reason, scope, seconds }: Naming,
  skip: (why: string) => void,
  cause: number
): void => {
  const { fact, session } = context
  const failed = text === "failed" ? failedNode(job, occurrence) : null
  const named = text !== "failed" ? expandHosts(text) : failed === null ? null : [failed]
  if (named === null) {
    return skip(text === "failed" ? "nothing tells which node failed" : `"${text.slice(0, 80)}" names no nodes`)
  }
  const until = later(fact.at, seconds)
  const isDone = (node: string): boolean => {
    const known = session.excluded.get(node)
    return known !== undefined && (known.until >= until || known.since === fact.at) && known.scope === scope
  }
  if (named.every(isDone)) return skip(`${named.join(", ")}: jobs stay away from there already`)
  const settings = badNodesOf(context.rules(job).monitoring)
  if (session.massFailure !== null && secondsBetween(session.massFailure.since, fact.at) < settings.mass_seconds) {
    return skip(session.massFailure.why)
  }
  const recent = [...session.named].filter(([, at]) => secondsBetween(at, fact.at) < settings.mass_seconds)
  const together = new Set([...recent.map(([node]) => node), ...named])
  const own = job.nodes === null ? null : expandHosts(job.nodes)
  const ofJob = own === null ? 0 : own.filter((node) => together.has(node)).length
  const isShare = own !== null && ofJob > 1 && ofJob > settings.mass_share * own.length
  if (together.size > settings.mass_nodes || isShare) {
    const many = together.size > settings.mass_nodes
      ? `${together.size} nodes`
      : `${ofJob} of the job's ${own?.length ?? 0} nodes`
    const why =
      `${many} were named within ${settings.mass_seconds} s: a failure of so many is not the nodes', and none ` +
      "of them is excluded"
    const back = recent.map(([node]) => node).filter((node) => session.excluded.get(node)?.by === "rule")
    if (context.acts(job)) context.emit({ type: "NodesReleased", data: { nodes: back, why, mass: true } }, job, cause)
    return skip(why)
  }
  const others = [...session.excluded.values()].filter(({ by, node }) => by === "rule" && !named.includes(node))
  const surplus = Math.max(0, others.length + named.length - Math.max(settings.max_nodes, named.length))
  const told = reason || metadataOf(occurrence.metadata, "reason") || occurrence.name
  exclude(
    context,
    {
      nodes: named,
      until,
      reason: told,
      by: "rule",
      scope,
      event: occurrence.name,
      evicted: others.slice(0, surplus).map(({ node }) => node)
    },
    job,
    cause
  )
}

const exclude = (context: Context, data: EventData<"NodesExcluded">, job?: Job, cause?: number): void => {
  context.emit({ type: "NodesExcluded", data }, job, cause)
  watchExpiry(context)
}

/** Sets the timer of the next node that is let back, unless it is set. */
const watchExpiry = (context: Context): void => {
  const { excluded, timers } = context.session
  const due = [...excluded.values()].map(({ until }) => until).sort()[0]
  if (due === undefined || timers.get(nodesTimer)?.due === due) return
  context.setTimer(nodesTimer, secondsBetween(context.fact.at, due))
}

/** Lets the nodes back whose time is over. */
export const releaseExpired = (context: Context): void => {
  const over = [...context.session.excluded.values()].filter(({ until }) => until <= context.fact.at)
  if (over.length > 0) {
    context.emit({ type: "NodesReleased", data: { nodes: over.map(({ node }) => node), why: "its time is over" } })
  }
  watchExpiry(context)
}

/** An operator keeps all jobs away from nodes; how many at once is theirs to say. */
export const excludeByHand = (
  context: Context,
  { host, user }: Actor,
  request: { readonly nodes: ReadonlyArray<string>; readonly seconds: number } & Pick<Exclusion, "reason" | "scope">,
  refuse: (why: string) => void
): void => {
  const nodes = expandHosts(request.nodes.join(","))
  if (nodes === null) return refuse(`"${request.nodes.join(",").slice(0, 80)}" names no nodes`)
  if (!(request.seconds > 0)) return refuse("nodes are excluded for a time of more than 0 s")
  const asked = `asked for by ${user}@${host}`
  exclude(context, {
    nodes,
    until: later(context.fact.at, request.seconds),
    reason: request.reason === "" ? asked : `${request.reason} (${asked})`,
    by: "operator",
    scope: request.scope,
    evicted: []
  })
}

/** Whose nodes they are that this session only reads of. */
const others = ({ projectNodes }: Session, node: string): string | undefined =>
  projectNodes.find((one) => one.node === node)?.session

/** An operator lets jobs run there again. */
export const releaseByHand = (
  context: Context,
  { host, user }: Actor,
  request: { readonly nodes: ReadonlyArray<string>; readonly reason: string },
  refuse: (why: string) => void
): void => {
  const { session } = context
  const named = request.nodes.length === 0 ? [...session.excluded.keys()] : expandHosts(request.nodes.join(","))
  if (named === null) return refuse(`"${request.nodes.join(",").slice(0, 80)}" names no nodes`)
  if (named.length === 0) return refuse("no node is excluded")
  const stray = named.find((node) => !session.excluded.has(node))
  if (stray !== undefined) {
    const elsewhere = others(session, stray)
    return refuse(
      `node ${stray} is not excluded` +
        (elsewhere === undefined ? "" : ` by this session but by ${elsewhere}: release it there`)
    )
  }
  const asked = `asked for by ${user}@${host}`
  const why = request.reason === "" ? asked : `${request.reason} (${asked})`
  context.emit({ type: "NodesReleased", data: { nodes: named, why } })
  watchExpiry(context)
}

/**
 * The scheduler refused a list because of a node's name: those in it that no job was seen to run on are forgotten, or all of
 * them. Whether there were any, so that it may be asked again.
 */
export const forgetUnknown = (context: Context, told: ReadonlyArray<string>, message: string, job?: Job): boolean => {
  if (!/invalid node name/i.test(message)) return false
  const { excluded } = context.session
  const strange = told.filter((node) => excluded.get(node)?.seen !== true)
  const nodes = [...new Set(strange.length > 0 ? strange : told)]
  if (nodes.length === 0) return false
  const why = `the scheduler knows no node of such a name: ${message}`
  context.emit({ type: "NodesReleased", data: { nodes, why, unknown: true } }, job)
  return true
}
