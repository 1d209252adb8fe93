/** `autoexp doctor --smoke`: small jobs with the user's own settings; the monitor is interrupted and resumed meanwhile. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { commandWords } from "../backend/slurm/commandWords.ts"
import { isList, isMap, toPlain, type Value } from "../backend/Value.ts"
import * as ConfigFiles from "../config/ConfigFiles.ts"
import { load, type Loaded } from "../config/load.ts"
import { onPath } from "../monitor/doctor/programs.ts"
import * as LiveCommands from "../monitor/LiveCommands.ts"
import { templatesOf } from "../plan/templateFiles.ts"
import { type JobRef, Schedulers, SchedulerUnavailableError } from "../port/Scheduler.ts"
import { Screen } from "../report/Screen.ts"
import { Client } from "../scheduler/Client.ts"
import * as LiveSchedulers from "../scheduler/live.ts"
import { requestOf } from "./composing.ts"
import { Invocation } from "./Invocation.ts"
import { printJson, printLines } from "./print.ts"
import type { Given } from "./spec.ts"
import { usage } from "./UsageError.ts"

const planId = "smoke"
const schedulerUnusable = 3

/** What each job runs: notes its start, works for a while, and fails the first time if it is the flaky one. */
const program = [
  "if [ \"${{SLURM_PROCID:-0}}\" = 0 ]; then echo \"$AUTOEXP_JOB $AUTOEXP_ATTEMPT $AUTOEXP_NONCE\" >> \"$1/starts.txt\"; fi",
  "sleep 6",
  "if [ \"$2\" = flaky ] && [ \"$AUTOEXP_ATTEMPT\" = 1 ]; then echo 'fails on purpose'; exit 1; fi",
  "echo 'well done'"
].join("\n")

/** How often each job has to start for all to be well. */
const starts: Readonly<Record<string, number>> = { smoke_steady: 1, smoke_flaky: 2 }

/** A resolved value as it is to be written so that it is read as the same. */
const asWritten = (value: Value): unknown => {
  if (typeof value === "string") return value.replace(/(\\*)\$\{/g, (_, slashes: string) => `${slashes}${slashes}\\\${`)
  if (isList(value)) return value.map(asWritten)
  return isMap(value)
    ? Object.fromEntries(Object.entries(value).map(([key, value]) => [key, asWritten(value)]))
    : toPlain(value)
}

const section = (loaded: Loaded, name: string): Readonly<Record<string, unknown>> => {
  const value = loaded.resolved[name] ?? null
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, value]) => [key, asWritten(value)])) : {}
}

/** The client of the trial: on the local cluster, one of its own. */
const clientOf = (loaded: Loaded, folder: string): Client => {
  const { client } = loaded.config.slurm
  return client.class_name === "LocalClient" ? { ...client, dir: path.join(folder, "cluster") } : client
}

const configOf = (loaded: Loaded, folder: string, template: string) => {
  const slurm = section(loaded, "slurm")
  const sbatch = slurm["sbatch"]
  const given = typeof sbatch === "object" ? sbatch : {}
  return {
    project: { name: "smoke", base_output_dir: `${folder}/output`, monitoring_state_dir: `${folder}/monitor` },
    sweep: { axes: { kind: ["steady", "flaky"] }, name_template: "smoke_{kind}" },
    slurm: {
      ...slurm,
      template_path: template,
      array: false,
      client: Schema.encodeSync(Client)(clientOf(loaded, folder)),
      script_dir: null,
      log_dir: null,
      sbatch: { ...given, ...loaded.sets("slurm.sbatch.time") ? {} : { time: "00:05:00" } }
    },
    container: section(loaded, "container"),
    scheduler: section(loaded, "scheduler"),
    backend: {
      class_name: "CommandBackend",
      command: ["bash", "-c", asWritten(program), "smoke", "{output_dir}", "{kind}"]
    },
    monitoring: {
      class_name: "SlurmLogMonitor",
      poll_interval_seconds: loaded.config.slurm.client.class_name === "LocalClient" ? 0.5 : 10,
      inactivity_threshold_seconds: null,
      log_settle_seconds: 1,
      state_events: [{
        name: "crash",
        actions: [{ class_name: "RestartAction", reason: "it fails on purpose", max_restarts: 1 }]
      }]
    }
  }
}

interface Ended {
  readonly code: number | string
  readonly stdout: string
}

/** Another autoexp, which is interrupted with this one. */
const start = (folder: string, words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { env, program: [interpreter = "", ...rest] } = yield* Invocation
    const screen = yield* Screen
    const child: ChildProcess = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(interpreter, [...rest, ...words, "--json"], {
          cwd: folder,
          // The user's index of sessions is not for trials.
          env: { ...process.env, ...env, XDG_STATE_HOME: path.join(folder, "state") },
          stdio: ["ignore", "pipe", "pipe"]
        })
      ),
      (child) => Effect.sync(() => void (child.exitCode === null && child.kill("SIGTERM")))
    )
    let stdout = ""
    child.stdout?.on("data", (chunk: Buffer) => stdout += chunk.toString())
    child.stderr?.on("data", (chunk: Buffer) => Effect.runFork(screen.err(chunk.toString())))
    const ended = new Promise<Ended>((resolve) => {
      child.once("error", ({ message }) => resolve({ code: message, stdout }))
      child.once("close", (code, signal) => resolve({ code: code ?? signal ?? "", stdout }))
    })
    return { child, ended: Effect.promise(() => ended) }
  })

const Submitted = Schema.parseJson(Schema.Struct({
  type: Schema.Literal("JobSubmitted"),
  data: Schema.Struct({ name: Schema.String, slurm_id: Schema.String, task: Schema.NullOr(Schema.Int) })
}))

/** The jobs that were submitted so far, as the journal says. */
const submitted = (folder: string): ReadonlyArray<JobRef> => {
  const dir = path.join(folder, "monitor")
  const files = fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => name.endsWith(".jsonl")) : []
  return files.flatMap((name) => fs.readFileSync(path.join(dir, name), "utf8").split("\n")).flatMap((line) => {
    const record = Schema.decodeOption(Submitted)(line)
    return record._tag === "None" ? [] : [{
      name: record.value.data.name,
      id: record.value.data.slurm_id,
      task: record.value.data.task
    }]
  })
}

const Outcome = Schema.parseJson(Schema.Struct({
  jobs: Schema.Array(Schema.Struct({
    name: Schema.String,
    outcome: Schema.NullOr(Schema.String),
    attempts: Schema.Int,
    output_dir: Schema.String
  }))
}))

/** What is not as it should be, after all has ended. */
const differences = (folder: string, { code, stdout }: Ended): ReadonlyArray<string> => {
  const view = Schema.decodeOption(Outcome)(stdout)
  if (view._tag === "None") return [`the resumed monitor ended with ${code} and without an answer`]
  const found = Object.entries(starts).flatMap(([name, expected]) => {
    const job = view.value.jobs.find((job) => job.name === name)
    if (job === undefined) return [`there is no job ${name}`]
    const ledger = path.join(job.output_dir, "starts.txt")
    const lines = fs.existsSync(ledger) ? fs.readFileSync(ledger, "utf8").trim().split("\n") : []
    return [
      ...job.outcome === "success" ? [] : [`${name} ended as ${job.outcome}`],
      ...job.attempts === expected ? [] : [`${name} took ${job.attempts} attempts instead of ${expected}`],
      ...lines.length === expected && new Set(lines).size === expected
        ? []
        : [`${name} started ${lines.length} times instead of ${expected}: ${lines.join(", ")}`]
    ]
  })
  const ids = submitted(folder).map(({ id }) => id)
  const all = Object.values(starts).reduce((sum, count) => sum + count, 0)
  return [
    ...found,
    ...ids.length === all && new Set(ids).size === all ? [] : [`${ids.length} submissions instead of ${all}: ${ids}`],
    ...code === 0 ? [] : [`the resumed monitor ended with ${code}`]
  ]
}

/** Jobs that still live after a trial that failed are not left behind: cancels them, and waits a while for their end. */
const cancelAll = (folder: string, client: Client) =>
  Effect.gen(function*() {
    const scheduler = yield* (yield* Schedulers).of(Schema.encodeSync(Client)(client))
    const jobs = submitted(folder)
    yield* Effect.forEach(jobs, (job) => Effect.ignore(scheduler.cancel(job)), { discard: true })
    yield* scheduler.snapshot(jobs).pipe(
      Effect.orElseSucceed(() => null),
      Effect.repeat({
        while: (seen) => seen === null || seen.reports.some(({ end }) => end === null),
        schedule: Schedule.spaced("1 second")
      }),
      Effect.timeout("30 seconds")
    )
  }).pipe(Effect.provide(LiveSchedulers.layer), Effect.provide(LiveCommands.layer), Effect.ignore)

/** Waits until all jobs are submitted or the monitor has ended; false if neither is so after ten minutes. */
const untilSubmitted = (folder: string, child: ChildProcess) =>
  Effect.gen(function*() {
    while (child.exitCode === null && submitted(folder).length < Object.keys(starts).length) {
      yield* Effect.sleep("100 millis")
    }
    return true
  }).pipe(Effect.timeoutTo({ duration: "10 minutes", onSuccess: (done) => done, onTimeout: () => false }))

const trial = (folder: string, say: (text: string) => Effect.Effect<void>) =>
  Effect.scoped(Effect.gen(function*() {
    const config = ["--config-ref", path.join(folder, "smoke.json"), "--plan-id", planId]
    yield* say("submitting 2 jobs")
    const first = yield* start(folder, ["run", ...config])
    const isSubmitted = yield* untilSubmitted(folder, first.child)
    yield* say("interrupting the monitor")
    first.child.kill("SIGINT")
    const { code } = yield* first.ended
    if (!isSubmitted) return { code: schedulerUnusable, wrong: ["the jobs were not submitted within 10 minutes"] }
    if (code !== 130) return { code, wrong: [`the first monitor ended with ${code} instead of 130`] }
    yield* say("resuming; this waits until the jobs have ended")
    const second = yield* start(folder, ["run", "--resume", planId, "--state-dir", path.join(folder, "monitor")])
    const ended = yield* second.ended
    return { code: ended.code, wrong: differences(folder, ended) }
  }))

/** Where the trial writes: compute nodes must see it, as they do the outputs of real jobs. */
const makeFolder = Effect.map(Invocation, ({ cwd, env }) => {
  const base = path.resolve(cwd, env["OUTPUT_DIR"] || ".")
  fs.mkdirSync(base, { recursive: true })
  return fs.mkdtempSync(path.join(base, "autoexp-smoke-"))
})

export const smoke = (given: Given<"doctor">) =>
  Effect.gen(function*() {
    const { cwd, env } = yield* Invocation
    const screen = yield* Screen
    const loaded = yield* load(requestOf(given))
    const { client, template_path: templatePath } = loaded.config.slurm
    if (client.class_name === "FakeClient" || client.class_name === "FakeSlurmClient") {
      return yield* usage("a fake cluster runs no jobs; choose another one: autoexp doctor --smoke slurm=NAME")
    }
    const [sbatch] = commandWords(client.class_name === "SlurmClient" ? client.submit_cmd ?? "sbatch" : "bash") ?? [""]
    if (onPath(sbatch, `${env["PATH"] ?? ""}`) === null && !sbatch.includes("/")) {
      return yield* new SchedulerUnavailableError({ command: sbatch, message: "it is not on PATH" })
    }
    const template = yield* (yield* templatesOf(loaded, cwd))(templatePath)
    const folder = yield* makeFolder
    fs.writeFileSync(
      path.join(folder, "smoke.json"),
      JSON.stringify(configOf(loaded, folder, template.path), null, 2),
      {
        mode: 0o600
      }
    )
    const say = (text: string) => screen.err(`smoke: ${text}\n`)
    yield* say(`everything is kept in ${folder} meanwhile`)
    const cancel = cancelAll(folder, clientOf(loaded, folder))
    const remove = Effect.sync(() =>
      fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
    )
    const { code, wrong } = yield* trial(folder, say).pipe(
      Effect.onInterrupt(() => Effect.zipRight(cancel, remove))
    )
    const well = wrong.length === 0
    if (well) yield* remove
    else yield* cancel
    yield* given.json
      ? printJson({ ok: well, wrong, folder: well ? null : folder })
      : printLines(
        well
          ? ["all is well: 2 jobs, 3 attempts, each started once, across an interruption of the monitor"]
          : [...wrong, `look at ${folder}, and remove it`]
      )
    return well ? 0 : code === schedulerUnusable ? schedulerUnusable : 1
  }).pipe(Effect.provide(ConfigFiles.layer))
