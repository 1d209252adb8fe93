/** What a job may cost at most: nodes, GPUs and hours, as its `slurm` section asks for them. */
import { pyStr } from "../backend/python.ts"
import { isList, type Value, type ValueMap } from "../backend/Value.ts"
import { parseTimeLimit } from "../scheduler/local/timeLimit.ts"

/** What a job may use at most. */
export interface JobSize {
  readonly nodes: number
  /** On all nodes together. */
  readonly tasks: number
  /** On all nodes together; 0 if none are asked for. */
  readonly gpus: number
  /** The time limit in hours; null if there is none. */
  readonly hours: number | null
  /** `gpus` for `hours`, of all links of a chain together; null if they may run without limit. */
  readonly gpuHours: number | null
  /** How many links of a chain there may be; 1 without one. */
  readonly links: number
}

/** The parts of the `slurm` section that decide about the size. */
export interface SizeSettings {
  readonly sbatch: ValueMap
  readonly sbatch_overrides: ValueMap
}

/** The largest count in `2`, `2-4` or `1k`. */
const largest = (text: string): number | null => {
  const counts = [...text.matchAll(/(\d+)(k?)/gi)]
    .map(([, digits, thousand]) => Number(digits) * (thousand === "" ? 1 : 1024))
  return counts.length === 0 ? null : Math.max(...counts)
}

/** The sum of the counts in `4`, `a100:4` or `a100:2,h100:2`, one where none is written; of those `named` so. */
const sum = (text: string, named: RegExp): number =>
  text.split(",").map((part) => part.trim().replace(/\(.*\)$/, ""))
    .filter((part) => named.test(part))
    .map((part) => /(?:^|:)(\d+)$/.exec(part)?.[1] ?? "1")
    .reduce((total, count) => total + Number(count), 0)

/** The text of an option by its long name; null where it is not given one. */
export const optionTexts = ({ sbatch, sbatch_overrides: overrides }: SizeSettings) => {
  const options = new Map<string, Value>()
  for (const [key, value] of [...Object.entries(sbatch), ...Object.entries(overrides)]) {
    options.set(key.replaceAll("_", "-"), value)
  }
  return (name: string): string | null => {
    const value = options.get(name) ?? null
    if (value === null || typeof value === "boolean") return null
    return isList(value) ? value.map(pyStr).join(",") : pyStr(value)
  }
}

/**
 * The size that `sbatch` reads from the options. GPUs: by `gpus-per-node`, else `gres`, else `gpus`, else
 * `gpus-per-task`. Time: `M`, `M:S`, `H:M:S`, `D-H`, `D-H:M`, `D-H:M:S`, a begun minute as a whole one; `0`,
 * `UNLIMITED` and none at all are no limit. Source: sbatch man page. `links`: how often it may run, as a chain.
 */
export const jobSize = (settings: SizeSettings, links = 1): JobSize => {
  const text = optionTexts(settings)
  const nodes = largest(text("nodes") ?? "") ?? 1
  const tasks = largest(text("ntasks") ?? "") ?? (largest(text("ntasks-per-node") ?? "") ?? 1) * nodes
  const gpusOf = (option: string, times: number, named = /./): number | null => {
    const found = text(option)
    return found === null ? null : sum(found, named) * times
  }
  const gpus = gpusOf("gpus-per-node", nodes) ||
    gpusOf("gres", nodes, /^(?:gres\/)?gpu(?::|$)/) ||
    (gpusOf("gpus", 1) ?? gpusOf("gpus-per-task", tasks) ?? 0)
  const seconds = parseTimeLimit(text("time") ?? "") ?? null
  const hours = seconds === null ? null : Math.ceil(seconds / 60) / 60
  return { nodes, tasks, gpus, hours, links, gpuHours: gpus === 0 ? 0 : hours === null ? null : gpus * hours * links }
}

/** The jobs of one stage together. */
export interface StageSize {
  readonly stage: string
  readonly jobs: number
  /** The links of those that are chains; each is counted with its whole time limit. */
  readonly links: number
  /** Of all its jobs at once. */
  readonly nodes: number
  /** Of those with a time limit. */
  readonly gpuHours: number
  /** How many jobs may use GPUs without limit. */
  readonly unlimited: number
}

/** One row for each stage, in the order in which they first occur. */
export const stageSizes = (
  jobs: ReadonlyArray<
    { readonly stage: string; readonly size: Pick<JobSize, "nodes" | "gpuHours" | "links"> }
  >
): ReadonlyArray<StageSize> => {
  const rows = new Map<string, StageSize>()
  for (const { size, stage } of jobs) {
    const row = rows.get(stage) ?? { stage, jobs: 0, links: 0, nodes: 0, gpuHours: 0, unlimited: 0 }
    rows.set(stage, {
      stage,
      jobs: row.jobs + 1,
      links: row.links + (size.links > 1 ? size.links : 0),
      nodes: row.nodes + size.nodes,
      gpuHours: row.gpuHours + (size.gpuHours ?? 0),
      unlimited: row.unlimited + (size.gpuHours === null ? 1 : 0)
    })
  }
  return [...rows.values()]
}
