/** Nodes that jobs stay away from. */
import type { Job } from "./Job.ts"
import type { Session } from "./Session.ts"

/** The nodes that the job stays away from at `at` (ISO 8601 UTC), besides those of its script: its own, the session's, the project's. */
export const wantedNodes = (
  { excluded, projectNodes, unknownNodes }: Session,
  { changes }: Job,
  at: string
): ReadonlyArray<string> => {
  const own = (changes?.exclude ?? []).filter(({ until }) => until > at).map(({ node }) => node)
  const shared = [...excluded.values(), ...projectNodes].filter(({ until }) => until > at).map(({ node }) => node)
  return [...new Set([...own, ...shared])].filter((node) => !unknownNodes.has(node))
}

/** All of them for people: the session's own, and those that it reads of. */
export const excludedView = ({ excluded, projectNodes }: Session) => [
  ...[...excluded.values()].map(({ by, job, node, reason, scope, since, until }) => ({
    node,
    until,
    reason,
    by,
    scope,
    job,
    since,
    session: null
  })),
  ...projectNodes.map(({ node, reason, session, until }) => ({
    node,
    until,
    reason,
    by: null,
    scope: "project" as const,
    job: null,
    since: null,
    session
  }))
]

const isSame = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((node) => b.includes(node))

const option = "--exclude="

/** The nodes that these options of sbatch keep a job away from. */
export const excludedBy = (options: ReadonlyArray<string>): ReadonlyArray<string> =>
  options.findLast((one) => one.startsWith(option))?.slice(option.length).split(",") ?? []

/** The options with these nodes in place of theirs. */
export const withExcluded = (options: ReadonlyArray<string>, nodes: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...options.filter((one) => !one.startsWith(option)),
  ...(nodes.length === 0 ? [] : [`${option}${nodes.join(",")}`])
]

/** What waits in the scheduler's queue with another list of nodes than it should have. */
export interface Outdated {
  readonly job: Job
  readonly slurm: NonNullable<Job["slurm"]>
  /** Of the submission. */
  readonly nonce: string
  readonly nodes: ReadonlyArray<string>
}

/** Attempts that wait, and links of chains behind them; a link that a decided restart waits for is the restart's. */
export const toUpdate = (session: Session): ReadonlyArray<Outdated> =>
  [...session.jobs.values()].flatMap((job): ReadonlyArray<Outdated> => {
    const { cancel, excluded, links, live, nonce, restart, slurm, slurmState } = job
    const waits = live && slurmState === "PENDING" && cancel === null
    if (job.outcome !== null || (!waits && links.length === 0)) return []
    const nodes = wantedNodes(session, job, session.at)
    return [
      ...(!waits || slurm === null || nonce === null || isSame(nodes, excluded) ? [] : [{ job, slurm, nonce, nodes }]),
      ...(restart !== null ?
        [] :
        links.flatMap((link) =>
          link.slurm === null || link.cancel !== null || isSame(nodes, link.told ?? excludedBy(link.options))
            ? []
            : [{ job, slurm: link.slurm, nonce: link.nonce, nodes }]
        ))
    ]
  })
