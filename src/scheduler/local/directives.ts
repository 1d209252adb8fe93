/** The `#SBATCH` lines of a script: what the local cluster honours of them, the rest is passed over. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { parseArraySpec } from "../../backend/slurm/arraySpec.ts"
import { parseDependency } from "../../backend/slurm/dependency.ts"
import { parseTimeLimit } from "./timeLimit.ts"

/** A signal to send some seconds before the time limit; `batch`: to the script itself, not to its steps. */
const Warning = Schema.Struct({ signal: Schema.String, seconds: Schema.Number, batch: Schema.Boolean })

export const Directives = Schema.Struct({
  name: Schema.NullOr(Schema.String),
  comment: Schema.NullOr(Schema.String),
  output: Schema.NullOr(Schema.String),
  error: Schema.NullOr(Schema.String),
  append: Schema.Boolean,
  /** Seconds; null for no limit. */
  timeLimit: Schema.NullOr(Schema.Number),
  array: Schema.NullOr(Schema.Struct({
    indices: Schema.Array(Schema.Int),
    limit: Schema.NullOr(Schema.Int)
  })),
  chdir: Schema.NullOr(Schema.String),
  nodes: Schema.NullOr(Schema.Int),
  ntasks: Schema.NullOr(Schema.Int),
  ntasksPerNode: Schema.NullOr(Schema.Int),
  cpusPerTask: Schema.NullOr(Schema.Int),
  gpusPerNode: Schema.NullOr(Schema.String),
  partition: Schema.NullOr(Schema.String),
  account: Schema.NullOr(Schema.String),
  export: Schema.String,
  /** Jobs that are waited for: their ids, and the tasks of arrays among them. Absent in submissions of before. */
  awaits: Schema.optional(Schema.Array(Schema.Struct({ id: Schema.String, task: Schema.NullOr(Schema.Int) }))),
  warning: Schema.NullOr(Warning),
  requeue: Schema.Boolean
})
export type Directives = typeof Directives.Type

const SHORT: Readonly<Record<string, string>> = {
  A: "account",
  a: "array",
  c: "cpus-per-task",
  d: "dependency",
  D: "chdir",
  e: "error",
  J: "job-name",
  N: "nodes",
  n: "ntasks",
  o: "output",
  p: "partition",
  t: "time"
}

/** Words of a line as a shell would split them: quotes group, a backslash escapes, ` #` begins a comment. */
const words = (line: string): ReadonlyArray<string> => {
  const result: Array<string> = []
  for (const match of line.matchAll(/#.*$|(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g)) {
    if (match[0].startsWith("#")) break
    result.push(
      match[0].replace(
        /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g,
        (_, double?: string, single?: string, char?: string) =>
          double !== undefined ? double.replace(/\\(["\\])/g, "$1") : single ?? char ?? ""
      )
    )
  }
  return result
}

/** Options in the order in which they stand, those without a value as `""`; as in Slurm, only before the first command. */
const options = (script: string): ReadonlyArray<readonly [string, string]> => {
  const found: Array<readonly [string, string]> = []
  for (const line of script.split("\n")) {
    if (/^\s*$/.test(line)) continue
    if (!line.startsWith("#")) break
    if (!/^#SBATCH\s/.test(line)) continue
    const queue = [...words(line.slice("#SBATCH".length))]
    for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
      const long = /^--([a-z][a-z-]*)(?:=([\s\S]*))?$/.exec(word)
      const short = /^-([a-zA-Z])([\s\S]*)$/.exec(word)
      const follows = () => (queue[0] === undefined || queue[0].startsWith("-") ? "" : queue.shift() ?? "")
      if (long !== null) found.push([long[1] ?? "", long[2] ?? follows()])
      else if (short !== null) found.push([SHORT[short[1] ?? ""] ?? "", short[2] === "" ? follows() : short[2] ?? ""])
    }
  }
  return found
}

const count = (text: string | undefined): number | null => {
  const match = /^(\d+)/.exec(text ?? "")
  return match === null ? null : Math.max(1, Number(match[1]))
}

const warning = (text: string | undefined): Directives["warning"] | undefined => {
  if (text === undefined) return null
  const match = /^(?:([BR]+):)?(?:SIG)?([A-Z0-9]+)(?:@(\d+))?$/i.exec(text)
  if (match === null) return undefined
  return {
    batch: (match[1] ?? "").toUpperCase().includes("B"),
    signal: (match[2] ?? "").toUpperCase(),
    seconds: Number(match[3] ?? 60)
  }
}

/** What is wrong with a script before its options are looked at, in sbatch's words; null if nothing. */
const unfit = (script: string): string | null => {
  if (script.trim() === "") return "Batch script is empty!"
  if (!script.startsWith("#!")) {
    return "This does not look like a batch script.  The first line must start with #! followed by the path to an " +
      "interpreter. For instance: #!/bin/sh"
  }
  if (script.includes("\0")) return "The SLURM controller does not allow scripts that contain a NULL character '\\0'."
  if (script.includes("\r\n")) {
    return "Batch script contains DOS line breaks (\\r\\n) instead of expected UNIX ones (\\n)."
  }
  return null
}

/** Options of the command line, `--time=08:00:00` each. */
const given = (line: ReadonlyArray<string>): ReadonlyArray<readonly [string, string]> =>
  line.flatMap((word) => {
    const [, name = "", value = ""] = /^--([a-z][a-z-]*)(?:=([\s\S]*))?$/.exec(word) ?? []
    return name === "" ? [] : [[name, value] as const]
  })

/**
 * Reads a whole script, and the options of the command line, which win over it. The error is the sentence with which
 * sbatch would refuse it.
 */
export const parseDirectives = (
  script: string,
  line: ReadonlyArray<string> = []
): Either.Either<Directives, string> => {
  const fault = unfit(script)
  if (fault !== null) return Either.left(fault)
  const found = [...options(script), ...given(line)]
  const values = new Map(found)
  const text = (key: string) => values.get(key) || null
  const time = values.get("time")
  const timeLimit = time === undefined ? null : parseTimeLimit(time)
  if (timeLimit === undefined) return Either.left("Invalid --time specification")
  const signal = warning(values.get("signal"))
  if (signal === undefined) return Either.left(`Invalid --signal specification: ${values.get("signal")}`)
  const array = values.has("array") ? parseArraySpec(values.get("array") ?? "") : Either.right(null)
  const dependency = text("dependency")
  const awaits = dependency === null ? Either.right([]) : parseDependency(dependency)
  const requeue = found.map(([key]) => key).filter((key) => key === "requeue" || key === "no-requeue").at(-1)
  return Either.map(Either.all([array, awaits]), ([array, awaits]) => ({
    name: text("job-name"),
    comment: text("comment"),
    output: text("output"),
    error: text("error"),
    append: values.get("open-mode") === "append",
    timeLimit,
    array,
    chdir: text("chdir") ?? text("workdir"),
    nodes: count(values.get("nodes")),
    ntasks: count(values.get("ntasks")),
    ntasksPerNode: count(values.get("ntasks-per-node")),
    cpusPerTask: count(values.get("cpus-per-task")),
    gpusPerNode: text("gpus-per-node"),
    partition: text("partition"),
    account: text("account"),
    export: text("export") ?? "ALL",
    awaits,
    warning: signal,
    requeue: requeue === "requeue"
  }))
}
