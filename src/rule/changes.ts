/** What restarts change in what is submitted: options of sbatch, and nodes to stay away from. */
import type { RestartAction } from "../action/actions/RestartAction.ts"
import { overriddenArgv } from "../backend/overridden.ts"
import { pyStr } from "../backend/python.ts"
import { nodeName } from "../backend/slurm/hostList.ts"
import { isList, type Value } from "../backend/Value.ts"
import type { EventData } from "../event/events.ts"
import type { Changes } from "../event/terms.ts"
import { later } from "../event/time.ts"
import type { Occurrence } from "../session/entries.ts"
import type { Job } from "../session/Job.ts"
import { wantedNodes } from "../session/nodes.ts"
import type { Context } from "./Context.ts"
import { metadataOf } from "./metadata.ts"

/** The node that failed: the one that the log or the accounting names, or the only one that the attempt had. */
export const failedNode = ({ evidence, nodes }: Job, { metadata }: Occurrence): string | null => {
  for (const source of [metadata, evidence]) {
    for (const key of ["failed_node", "node", "host", "hostname"]) {
      const name = nodeName(metadataOf(source, key))
      if (name !== null) return name
    }
  }
  return nodes === null ? null : nodeName(nodes)
}

/** What an option is given: null leaves it out. */
const wordsOf = (value: Value): ReadonlyArray<string> | null =>
  value === null || value === false ? null : value === true ? [] : (isList(value) ? value : [value]).map(pyStr)

/** Why the restart cannot change what it is to change; null if nothing keeps it. */
export const changeHindrance = ({ plan }: Job, { overrides }: typeof RestartAction.Type): string | null =>
  Object.keys(overrides).length > 0 && plan.launch === undefined
    ? `the plan does not hold the command of job ${plan.name}, whose arguments the restart would change: plan it again`
    : null

/** What the job's next attempts are submitted with after this restart; null if the restart changes nothing. */
export const changesOf = (
  { fact }: Context,
  job: Job,
  occurrence: Occurrence,
  action: typeof RestartAction.Type
): Changes | null => {
  const options = Object.entries(action.sbatch_overrides)
  const args = Object.entries(action.overrides)
  const isOwn = (action.exclude_scope ?? "job") === "job"
  const node = action.exclude_nodes === "failed" && isOwn ? failedNode(job, occurrence) : null
  if (options.length === 0 && args.length === 0 && node === null) return null
  const { exclude = [], overrides = {}, sbatch = {} } = job.changes ?? {}
  const others = exclude.filter((one) => one.node !== node && one.until > fact.at)
  const added = node === null ? [] : [{ node, until: later(fact.at, action.exclude_seconds) }]
  return {
    sbatch: {
      ...sbatch,
      ...Object.fromEntries(
        options.map(([key, value]) => [key.replaceAll("_", "-"), value === null ? "" : pyStr(value)])
      )
    },
    ...(args.length === 0 && Object.keys(overrides).length === 0
      ? {}
      : { overrides: { ...overrides, ...Object.fromEntries(args.map(([key, value]) => [key, wordsOf(value)])) } }),
    exclude: [...others, ...added].slice(-Math.max(1, action.exclude_max))
  }
}

/** Options of sbatch for the next submission, as they stand on its command line. */
export const sbatchOptions = ({ fact, session }: Context, job: Job): ReadonlyArray<string> => {
  const nodes = wantedNodes(session, job, fact.at)
  return [
    ...Object.entries(job.changes?.sbatch ?? {}).map(([key, value]) => value === "" ? `--${key}` : `--${key}=${value}`),
    ...(nodes.length === 0 ? [] : [`--exclude=${nodes.join(",")}`])
  ]
}

/** The command of the job's next submission, if it is another than the planned one. */
export const rewritten = ({ attempt, changes, plan }: Job):
  & { readonly script: string }
  & Pick<
    EventData<"SubmissionIntended">,
    "rewritten"
  > =>
{
  const { array, index, launch, script } = plan
  const overrides = changes?.overrides ?? {}
  if (launch === undefined || Object.keys(overrides).length === 0) return { script }
  const suffix = `.${attempt + 1}${array ? `.${index}` : ""}.sbatch`
  return {
    script: `${script.replace(/\.sbatch$/, "")}${suffix}`,
    rewritten: { of: script, command: launch.command, argv: overriddenArgv(launch.argv, overrides) }
  }
}
