/** A plan for people: its stages as a tree, what each waits for, and its points as tables. */
import type { EncodedCondition, PlannedJob } from "../../event/PlannedJob.ts"
import { type Column, table } from "../table.ts"
import { clean, width } from "../width.ts"
import { inWords, jobEnd } from "./conditions.ts"
import { type Branch, type ShownPlan, type Stage, stagesOf, totalSize, treeOf } from "./stages.ts"
import { counted, hoursText, numberText, sizeText, valueText, wrapped } from "./words.ts"

export interface Paper {
  readonly columns: number
  readonly color: boolean
  /** Jobs of a stage to show at most. */
  readonly perStage: number
  /** Paths below it are shown as relative ones; absolute. */
  readonly cwd: string
}

/** The plan in lines, none wider than the paper but where a word is. */
export const sweepText = (plan: ShownPlan, paper: Paper): ReadonlyArray<string> => {
  const stages = stagesOf(plan)
  const total = totalSize(plan)
  const isStaged = stages.some(({ name }) => name !== "")
  const among = isStaged ? ` in ${counted(stages.length, "stage")}` : ""
  const near = nearby(paper.cwd)
  return [
    ...wrapped("", `${plan.project}: ${counted(total.jobs, "job")}${among}, ${sizeText(total)}`, paper.columns),
    ...isStaged ? ["", ...treeTable(plan, stages, paper)] : [],
    ...stages.flatMap((stage) => ["", ...stageText(plan, stage, paper)]),
    "",
    ...placeLines("output", plan.jobs.map(({ name, output_dir: dir }) => inPlace(near(dir), name)), paper),
    ...placeLines("logs", plan.jobs.map(({ log_path: log, name }) => inPlace(near(log), name)), paper)
  ]
}

const treeTable = (plan: ShownPlan, stages: ReadonlyArray<Stage>, { color, columns }: Paper) => {
  interface Row extends Pick<Branch, "lead"> {
    readonly name: string
    readonly size: Stage["size"]
    readonly after: string
  }
  const rows = treeOf(stages).map(({ lead, stage }): Row => ({
    lead,
    name: titleOf(stage),
    size: stage.size,
    after: stage.after.join(", ")
  }))
  const shown: ReadonlyArray<Column<Row>> = [
    { title: "STAGE", value: ({ lead, name }) => `${lead}${name}` },
    { title: "JOBS", value: ({ size }) => numberText(size.jobs), right: true },
    { title: "NODES", value: ({ size }) => numberText(size.nodes), right: true },
    { title: "GPU-HOURS", value: ({ size }) => hoursText(size), right: true },
    { title: "AFTER", value: ({ after }) => after }
  ]
  return table(shown, [...rows, { lead: "", name: "in all", size: totalSize(plan), after: "" }], { columns, color })
}

/** Position of the column of names. */
const NAME = 1

/** What a point sets that its table need not show: it is said in words. */
const inWordsAlready = ["stage", "job.start_conditions", "job.cancel_conditions", "job.finish_conditions"]

const titleOf = ({ name }: Stage): string => name === "" ? "(no stage)" : clean(name)

const stageText = (plan: ShownPlan, stage: Stage, paper: Paper): ReadonlyArray<string> => {
  const { jobs, name } = stage
  const { columns, cwd, perStage } = paper
  const near = nearby(cwd)
  const byName = new Map(plan.jobs.map((job) => [job.name, job] as const))
  const keys = [...new Set(jobs.flatMap(({ parameters }) => Object.keys(parameters)))].filter((key) =>
    !inWordsAlready.includes(key)
  )
  const values = new Map(
    jobs.map((job) => [job, (key: string) => ofThePoint(valueText(job.parameters[key]), job, byName, near)] as const)
  )
  const valueOf = (job: PlannedJob, key: string) => values.get(job)?.(key) ?? "-"
  const [first] = jobs
  const differing = keys.filter((key) =>
    first !== undefined && jobs.some((job) => valueOf(job, key) !== valueOf(first, key))
  )
  const shared = first === undefined
    ? []
    : keys.filter((key) => !differing.includes(key)).map((key) => `${key}=${valueOf(first, key)}`)
  const titles = shortest(differing)
  const shown = jobs.slice(0, perStage)
  const more = jobs.length - shown.length
  // In the order of NAME.
  const points: ReadonlyArray<Column<PlannedJob>> = [
    { title: "INDEX", value: ({ index }) => index, right: true },
    { title: "JOB", value: (job) => job.name },
    ...differing.map((key): Column<PlannedJob> => ({
      title: titles.get(key) ?? key,
      value: (job) => valueOf(job, key),
      right: jobs.every(({ parameters }) => typeof parameters[key] === "number")
    }))
  ]
  const laidOut = fitted(points, shown, columns)
  return [
    ...name === "" && stage.size.jobs === plan.jobs.length ? [] : [`${titleOf(stage)}: ${counted(jobs.length, "job")}`],
    ...conditionLines(plan, stage, paper),
    ...shared.length === 0
      ? []
      : wrapped("  ", `${jobs.length === 1 ? "" : "each "}with ${shared.map(clean).join(", ")}`, columns),
    ...shown.length === 0 ? [] : table(laidOut.columns, shown, paper),
    ...laidOut.leftOut.length === 0
      ? []
      : wrapped("", `no room for ${laidOut.leftOut.join(", ")}; --json shows all`, columns),
    ...more === 0
      ? []
      : [
        `… and ${numberText(more)} more${
          name === "" ? "" : ` of ${titleOf(stage)}`
        } (--max-per-stage ${jobs.length} shows all)`
      ]
  ]
}

/** What jobs of a stage wait for and are ended by, each text once. */
const conditionLines = (plan: ShownPlan, { jobs }: Stage, { columns, cwd }: Paper): ReadonlyArray<string> => {
  const byName = new Map(plan.jobs.map((job) => [job.name, job] as const))
  const near = nearby(cwd)
  const told = (job: PlannedJob, conditions: ReadonlyArray<EncodedCondition>, before: string, between: string) => {
    const words = conditions.map((condition) =>
      ofThePoint(inWords(condition, (name) => jobText(byName.get(name), job, name)), job, byName, near)
    )
    return words.length === 0 ? "" : `${before} ${words.join(between)}`
  }
  const lines = (texts: ReadonlyArray<string>): ReadonlyArray<string> => {
    const counts = new Map<string, number>()
    for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
    const shown = [...counts].slice(0, 3)
    const rest = texts.length - shown.reduce((sum, [, count]) => sum + count, 0)
    return [
      ...shown.flatMap(([text, count]) =>
        text === "" ? [] : wrapped("  ", counts.size === 1 ? text : `${counted(count, "job")}: ${text}`, columns)
      ),
      ...rest === 0 ? [] : [`  and so on for ${counted(rest, "more job")}`]
    ]
  }
  return [
    ...lines(jobs.map((job) => told(job, job.start_conditions, "starts when", ", and ") || "starts at once")),
    ...jobs.some((job) => job.start_conditions.some((condition) => jobEnd(condition) !== null))
      ? ["  is cancelled when that cannot come true any more"]
      : [],
    ...lines(jobs.map((job) => told(job, job.cancel_conditions, "is cancelled when", ", or when "))),
    ...lines(jobs.map((job) => told(job, job.finish_conditions, "is done already when", ", and ")))
  ]
}

/** A phase of the same experiment by its stage, any other job by its name. */
const jobText = (needed: PlannedJob | undefined, job: PlannedJob, name: string): string =>
  needed !== undefined && needed.stage !== "" && job.needs.includes(name) ? `its ${needed.stage}` : name

/** The text with the places of the job and its other phases as a config calls them, so that it is the same for many. */
const ofThePoint = (
  text: string,
  job: PlannedJob,
  byName: ReadonlyMap<string, PlannedJob>,
  near: (text: string) => string
): string => {
  const phases = job.needs.flatMap((name) => byName.get(name) ?? []).filter(({ stage }) => stage !== "")
  const named = [
    [job.output_dir, "{output_dir}"],
    ...phases.map(({ output_dir: dir, stage }) => [dir, `\${sibling.${stage}.output_dir}`])
  ] as const
  return near(named.reduce((told, [dir = "", name = ""]) => told.replaceAll(`${dir}/`, `${name}/`), text))
}

/** Of each dotted key as much of its end as tells it from the others. */
const shortest = (keys: ReadonlyArray<string>): ReadonlyMap<string, string> =>
  new Map(keys.map((key) => {
    const parts = key.split(".")
    const ends = parts.map((_, at) => parts.slice(parts.length - 1 - at).join("."))
    return [
      key,
      ends.find((end) => keys.filter((other) => other === end || other.endsWith(`.${end}`)).length === 1) ?? key
    ]
  }))

/** What a cut column keeps at least; names keep more, since they tell the points apart. */
const LEAST = 12
const LEAST_NAME = 24

/**
 * The columns, the widest of them cut as far as the paper asks for, names last; of texts the end is left. Those for
 * which there is no room even so are left out.
 */
const fitted = (
  columns: ReadonlyArray<Column<PlannedJob>>,
  rows: ReadonlyArray<PlannedJob>,
  free: number
): { readonly columns: ReadonlyArray<Column<PlannedJob>>; readonly leftOut: ReadonlyArray<string> } => {
  const textOf = ({ value }: Column<PlannedJob>, row: PlannedJob) => clean(String(value(row) ?? "-"))
  const widths = columns.map((column) =>
    Math.max(width(column.title), ...rows.map((row) => width(textOf(column, row))))
  )
  const excess = () => widths.reduce((sum, each) => sum + each + 2, -2) - free
  const shrink = (at: number, least: number) => {
    widths[at] = Math.max(Math.min(widths[at] ?? 0, least), (widths[at] ?? 0) - Math.max(0, excess()))
  }
  const byWidth = [...widths.keys()].slice(NAME + 1).sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))
  for (const at of byWidth) shrink(at, Math.max(LEAST, width(columns[at]?.title ?? "")))
  shrink(NAME, LEAST_NAME)
  for (const at of byWidth) shrink(at, LEAST)
  let room = free
  const fits = columns.map((_, at) => {
    const needed = (widths[at] ?? 0) + (at === 0 ? 0 : 2)
    const is = at <= NAME || room >= needed
    room = is ? room - needed : 0
    return is
  })
  return {
    columns: columns.filter((_, at) => fits[at]).map((column, at) => ({
      ...column,
      value: (row) => cutStart(textOf(column, row), widths[at] ?? Infinity)
    })),
    leftOut: columns.filter((_, at) => fits[at] !== true).map(({ title }) => title)
  }
}

/** A text within `columns`, of which the end is kept: names and paths begin alike. */
const cutStart = (text: string, columns: number): string => {
  if (width(text) <= columns) return text
  let kept = ""
  let free = columns - 1
  for (const character of [...text].reverse()) {
    free -= width(character)
    if (free < 0) break
    kept = character + kept
  }
  return `…${kept}`
}

/** Absolute paths below `cwd` as relative ones. */
const nearby = (cwd: string) => (text: string): string => text.replaceAll(`${cwd}/`, "")

/** The path of a job's place, its name in it as `JOB`. */
const inPlace = (path: string, name: string): string =>
  path.split("/").map((part) =>
    part === name ? "JOB" : part.startsWith(`${name}.`) ? `JOB${part.slice(name.length)}` : part
  ).join("/")

const placeLines = (what: string, paths: ReadonlyArray<string>, { columns }: Paper): ReadonlyArray<string> => {
  const [first, ...others] = [...new Set(paths)]
  if (first === undefined) return []
  const more = others.length === 0 ? "" : `, and ${counted(others.length, "more place")}`
  return wrapped("", `${what.padEnd(6)} ${clean(first)}${more}`, columns)
}
