/** Processes of this host as `/proc` shows them. Linux only. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readdirSync, readFileSync } from "node:fs"
import { hostname } from "node:os"

/** One process for ever: a pid is reused, a pid with its start time and boot is not. */
export const Identity = Schema.Struct({
  host: Schema.String,
  bootId: Schema.String,
  pid: Schema.Int,
  /** Start time in clock ticks since boot (field 22 of `/proc/PID/stat`). */
  ticks: Schema.Int
})
export type Identity = typeof Identity.Type

interface Stat {
  readonly pid: number
  readonly state: string
  readonly parent: number
  readonly session: number
  readonly ticks: number
}

/** A process of a run. */
export interface Member {
  readonly pid: number
  readonly parent: number
  /** Whether `srun` started it, directly or indirectly. */
  readonly step: boolean
}

const readText = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return null
  }
}

/** Field 2 is a program's name in parentheses and may hold anything, so fields are counted from the last `)`. */
const parseStat = (text: string): Stat | null => {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  const [pid, parent, session, ticks] = [text.split(" ", 1)[0], fields[1], fields[3], fields[19]].map(Number)
  if (pid === undefined || parent === undefined || session === undefined || !Number.isInteger(ticks)) return null
  return { pid, state: fields[0] ?? "", parent, session, ticks: ticks ?? 0 }
}

const statOf = (pid: number): Stat | null => {
  const text = readText(`/proc/${pid}/stat`)
  return text === null ? null : parseStat(text)
}

const bootId = (): string => (readText("/proc/sys/kernel/random/boot_id") ?? "unknown").trim()

/** This host's name up to the first dot, as Slurm names nodes. */
export const nodeName = (): string => hostname().split(".")[0] ?? "localhost"

/** This process. */
export const self: Effect.Effect<Identity> = Effect.sync(() => ({
  host: hostname(),
  bootId: bootId(),
  pid: process.pid,
  ticks: statOf(process.pid)?.ticks ?? 0
}))

/** The process whose `/proc/self/stat` and boot id stand in `claim`, as the task wrapper writes them. */
export const parseClaim = (claim: string): Identity | null => {
  const [line = "", boot = ""] = claim.split("\n")
  const stat = parseStat(line)
  return stat === null || boot === "" ? null : { host: hostname(), bootId: boot, pid: stat.pid, ticks: stat.ticks }
}

/** `elsewhere`: on another host, about which this one cannot tell. A zombie is dead. */
export const livenessOf = (identity: Identity): Effect.Effect<"alive" | "dead" | "elsewhere"> =>
  Effect.sync(() => {
    if (identity.bootId !== bootId()) return identity.host === hostname() ? "dead" : "elsewhere"
    const stat = statOf(identity.pid)
    return stat !== null && stat.ticks === identity.ticks && !"ZX".includes(stat.state) ? "alive" : "dead"
  })

/**
 * All living processes of a run: those of its leader's session, and those that made a session of their own (torchrun's
 * workers do) but still carry `marker` (`NAME=value`) in the environment they were started with.
 */
export const membersOf = (marker: string, leader: Identity | null): Effect.Effect<ReadonlyArray<Member>> =>
  Effect.sync(() => {
    const leaderNow = leader === null ? null : statOf(leader.pid)
    const hasSession = leader !== null && leader.bootId === bootId() &&
      (leaderNow === null || leaderNow.ticks === leader.ticks)
    return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).flatMap((entry) => {
      const stat = statOf(Number(entry))
      if (stat === null || "ZX".includes(stat.state)) return []
      const environment = (readText(`/proc/${entry}/environ`) ?? "").split("\0")
      const belongs = environment.includes(marker) || (hasSession && stat.session === leader.pid)
      if (!belongs) return []
      return [{ ...stat, step: environment.some((variable) => variable.startsWith("SLURM_STEP_ID=")) }]
    })
  })

/** Sends a signal to each; one that has ended meanwhile is passed over. */
export const signalAll = (members: ReadonlyArray<Member>, signal: NodeJS.Signals | number): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const { pid } of members) {
      try {
        process.kill(pid, signal)
      } catch {
        continue
      }
    }
  })
