/** What this cluster's SLURM is and has, asked once. Works from Slurm 20.11 on. */
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { SchedulerBusyError, SchedulerUnavailableError } from "../../port/Scheduler.ts"
import { type Calls, complaint } from "./calls.ts"
import { queryEnvironment } from "./environment.ts"

export interface Features {
  readonly cluster: string
  /** `22.05.8` */
  readonly version: string
  /** Whether it keeps accounts, which sacct tells of. */
  readonly accounts: boolean
  /** One more than the largest array index; null if it is not told. */
  readonly maxArraySize: number | null
  /** Seconds for which ended jobs stay in squeue; null if it is not told. */
  readonly minJobAge: number | null
  /** Whether sacct keeps comments. */
  readonly comments: boolean
}

/** Reads `scontrol show config`; null if that is not what it is. */
export const readFeatures = (stdout: string): Features | null => {
  const values = new Map(
    stdout.split("\n").flatMap((line): ReadonlyArray<readonly [string, string]> => {
      const match = /^(\w+)\s+= (.*)$/.exec(line)
      return match === null ? [] : [[match[1] ?? "", (match[2] ?? "").trim()]]
    })
  )
  const number = (name: string): number | null => {
    const match = /^(\d+)/.exec(values.get(name) ?? "")
    return match === null ? null : Number(match[1])
  }
  const cluster = values.get("ClusterName")
  const storage = values.get("AccountingStorageType")
  if (cluster === undefined || storage === undefined) return null
  return {
    cluster,
    version: values.get("SLURM_VERSION") ?? "",
    accounts: !/^$|\(null\)|none$/.test(storage),
    maxArraySize: number("MaxArraySize"),
    minJobAge: number("MinJobAge"),
    comments: /job_comment/.test(values.get("AccountingStoreFlags") ?? "")
  }
}

/** Asks `scontrol` (a program with its first arguments) for the features. */
export const askFeatures = (
  calls: Calls,
  scontrol: ReadonlyArray<string>
): Effect.Effect<Features, SchedulerUnavailableError | SchedulerBusyError> =>
  calls.ask({
    name: "scontrol",
    daemon: "controller",
    argv: [...scontrol, "show", "config"],
    env: queryEnvironment,
    timeoutSeconds: 30,
    read: (result) => {
      const features = result.exitCode === 0 ? readFeatures(result.stdout) : null
      return features === null ? Either.left(complaint(result)) : Either.right(features)
    }
  })
