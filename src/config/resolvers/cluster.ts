/** What batch jobs need: times, lists of nodes, places. */
import * as Either from "effect/Either"
import { floorDiv, toInt } from "../../backend/numeric.ts"
import { pyStr } from "../../backend/python.ts"
import { type Resolver, type Resolvers, single, wrong } from "./Resolver.ts"

/** Seconds as SLURM's `D-H:M:S`. */
const slurmTime = single((value) => {
  const seconds = toInt(value)
  if (seconds === null) return wrong(`${pyStr(value)} is no number of seconds`)
  const days = floorDiv(seconds, 86400n)
  const rest = seconds - days * 86400n
  return Either.right(`${days}-${rest / 3600n}:${rest / 60n % 60n}:${rest % 60n}`)
})

/** The nodes that a file names, by lines, commas or spaces, each once; null if it names none. */
const excludeNodes: Resolver = {
  arity: [1, 1],
  run: ([path = null], call) => {
    const text = call.read(pyStr(path)) ?? ""
    const names = text.replaceAll(/#.*/g, "").split(/[\s,]+/).filter((name) => name !== "")
    return Either.right(names.length === 0 ? null : [...new Set(names)].join(","))
  }
}

export const cluster: Resolvers = {
  "oc.slurmtime": slurmTime,
  "oc.exclude_nodes": excludeNodes,
  "oc.timestring": { arity: [0, 0], run: (_, call) => Either.right(call.timestring) },
  "autoexp.config_dir": { arity: [0, 0], run: (_, call) => Either.right(call.configDir) }
}
