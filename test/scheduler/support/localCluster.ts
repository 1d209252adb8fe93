/** A local cluster in a temporary directory, with its controller bundled as it is shipped. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as esbuild from "esbuild"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { type JobReport, Scheduler } from "../../../src/port/Scheduler.ts"
import { layer, type LocalOptions } from "../../../src/scheduler/local/layer.ts"
import { Identity, livenessOf } from "../../../src/scheduler/local/processes.ts"

/** Bundles an entry to `outfile` for Node. */
export const bundle = (entry: string, outfile: string): Promise<unknown> =>
  esbuild.build({
    entryPoints: [resolve(import.meta.dirname, "../../..", entry)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: "import { createRequire } from \"node:module\";const require = createRequire(import.meta.url);" },
    logLevel: "error"
  })

const decodeIdentity = Schema.decodeUnknownSync(Schema.parseJson(Identity))

export interface LocalCluster {
  readonly options: LocalOptions
  /** A fresh directory for a job's files. */
  readonly work: string
  readonly run: <A, E>(effect: Effect.Effect<A, E, Scheduler>) => Promise<A>
  /** Writes a script and returns its absolute path. */
  readonly script: (name: string, ...lines: ReadonlyArray<string>) => string
  readonly submit: (
    name: string,
    script: string,
    array?: ReadonlyArray<number>
  ) => Promise<string>
  /** Asks until all of the job's tasks satisfy `is`. */
  readonly until: (name: string, is: (report: JobReport) => boolean) => Promise<ReadonlyArray<JobReport>>
  readonly ended: (name: string) => Promise<ReadonlyArray<JobReport>>
  readonly read: (file: string) => string
  /** Pid of the controller that has the directory; null if none lives. */
  readonly controllerPid: () => Promise<number | null>
  /** Ends whatever the cluster started and removes its directory. */
  readonly dispose: () => Promise<void>
}

const DEADLINE_MILLIS = 25_000

/** Asks `question` until it has an answer. */
export const eventually = async <A>(what: string, question: () => Promise<A | null>): Promise<A> => {
  const deadline = Date.now() + DEADLINE_MILLIS
  for (;;) {
    const answer = await question()
    if (answer !== null) return answer
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await Effect.runPromise(Effect.sleep(Duration.millis(50)))
  }
}

/** Processes in whose `/proc/PID/<file>` `text` stands. */
export const processesWith = (file: "cmdline" | "environ", text: string): ReadonlyArray<number> =>
  readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8").includes(text)
    } catch {
      return false
    }
  })

/** KILL; one that has ended meanwhile is passed over. */
export const kill = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL")
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ESRCH")) throw cause
  }
}

export const makeCluster = (
  controller: string,
  settings: Partial<Omit<LocalOptions, "dir" | "controller">> = {}
): LocalCluster => {
  const root = mkdtempSync(join(tmpdir(), "local-cluster-"))
  const work = join(root, "work")
  const dir = join(root, "cluster")
  mkdirSync(work)
  const options = {
    dir,
    slots: 4,
    graceSeconds: 1,
    idleSeconds: 5,
    ...settings,
    controller: [process.execPath, controller]
  }
  const scheduler = layer(options).pipe(Layer.build, Effect.scoped, Effect.runSync)
  const run: LocalCluster["run"] = (effect) => Effect.runPromise(Effect.provide(effect, scheduler))

  const controllerPid = async (): Promise<number | null> => {
    const numbers = existsSync(join(dir, "controllers"))
      ? readdirSync(join(dir, "controllers")).filter((file) => /^\d+$/.test(file)).map(Number)
      : []
    if (numbers.length === 0) return null
    const identity = decodeIdentity(readFileSync(join(dir, "controllers", `${Math.max(...numbers)}`), "utf8"))
    return (await Effect.runPromise(livenessOf(identity))) === "alive" ? identity.pid : null
  }

  const until: LocalCluster["until"] = (name, is) =>
    eventually(`job ${name}`, async () => {
      const reports = await run(Effect.flatMap(Scheduler, (scheduler) => scheduler.lookup([name], "")))
      return reports.length > 0 && reports.every(is) ? reports : null
    })

  return {
    options,
    work,
    run,
    script: (name, ...lines) => {
      const path = join(work, `${name}.sbatch`)
      writeFileSync(path, `#!/bin/bash\n#SBATCH --chdir=${work}\n${lines.join("\n")}\n`)
      return path
    },
    submit: async (name, script, array) =>
      (await run(
        Effect.flatMap(
          Scheduler,
          (scheduler) => scheduler.submit({ script, name, nonce: "n0nce", array: array ?? null })
        )
      )).id,
    until,
    ended: (name) => until(name, ({ end }) => end !== null),
    read: (file) => readFileSync(join(work, file), "utf8"),
    controllerPid,
    dispose: async () => {
      // Controllers that are still starting have no lock yet, so all are found by their argument.
      await eventually("the end of all processes", async () => {
        const left = [...processesWith("cmdline", `${dir}\0`), ...processesWith("environ", `AUTOEXP_LOCAL_RUN=${dir}:`)]
        left.forEach(kill)
        return left.length === 0 ? true : null
      })
      rmSync(root, { recursive: true, force: true })
    }
  }
}
