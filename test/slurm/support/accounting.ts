/** SLURM's own books: which jobs there were, and how each run of one ended. */
import { output } from "./commands.ts"

export interface Entry {
  /** `12`, or `12_3` for an array task. */
  readonly id: string
  readonly name: string
  readonly state: string
  /** Exit code and signal, `0:9`. */
  readonly exit: string
  readonly submit: string
  readonly nodes: string
}

/** All runs of jobs whose name begins with `prefix`, oldest first, also those that were requeued. */
export const entries = async (prefix: string): Promise<ReadonlyArray<Entry>> => {
  const format = "--format=JobID,JobName%200,State,ExitCode,Submit,NodeList"
  const text = await output(["sacct", "-n", "-P", "-X", "-D", "-a", "-S", "now-1days", "-E", "now+1days", format])
  return text.split("\n").filter((line) => line !== "").map((line): Entry => {
    const [id = "", name = "", state = "", exit = "", submit = "", nodes = ""] = line.split("|")
    return { id, name, state, exit, submit, nodes }
  }).filter(({ name }) => name.startsWith(prefix))
}

/**
 * The ids of all jobs whose name begins with `prefix` that SLURM has ever had: those in its books, and those that it still
 * remembers, since the books may lag behind.
 */
export const everHad = async (prefix: string): Promise<ReadonlySet<string>> => {
  const remembered = (await output(["squeue", "-h", "-t", "all", "-o", "%A|%j"])).split("\n")
    .map((line) => line.split("|"))
    .flatMap(([id = "", name = ""]) => name.startsWith(prefix) ? [id] : [])
  return new Set([...remembered, ...(await entries(prefix)).map(({ id }) => id)])
}
