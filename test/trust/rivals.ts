/**
 * Several real monitors of one session on the local cluster: one job that is well and one whose first attempt fails. What
 * is still running then waits until it is told to end, so that monitors can be stopped and set against each other meanwhile.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { type Ended, makeDemo, type Started } from "../e2e/demo.ts"

export const planId = "shared"

const root = path.resolve(import.meta.dirname, "../..")
const template = fs.readFileSync(path.join(root, "config/templates/local.sbatch"), "utf8")
const preload = `--import=${new URL("./stopAt.mjs", import.meta.url).href}`

const work = `echo "job=$AUTOEXP_JOB attempt=$AUTOEXP_ATTEMPT nonce=$AUTOEXP_NONCE mode=train" >> "$AUTOEXP_DEMO_LEDGER"
if [ "$AUTOEXP_JOB $AUTOEXP_ATTEMPT" = "ill 1" ]; then echo "NCCL ERROR"; exit 1; fi
until [ -e go ]; do sleep 0.2; done
echo done`

const config = {
  project: { name: "t", base_output_dir: "./output", monitoring_state_dir: "./monitor" },
  slurm: {
    template_path: "job.sbatch",
    array: false,
    sbatch: { time: "00:10:00" },
    client: { class_name: "LocalClient" }
  },
  scheduler: { settle_seconds: 3 },
  monitoring: {
    poll_interval_seconds: 0.5,
    log_settle_seconds: 0.2,
    inactivity_threshold_seconds: null,
    log_events: [
      {
        name: "nccl",
        pattern: "NCCL ERROR",
        state: { class_name: "CrashState" },
        actions: [{ class_name: "RestartAction" }]
      },
      {
        name: "done",
        pattern: "^done",
        actions: [{
          class_name: "RunCommandAction",
          command: ["sh", "-c", "echo {job_name} >> {output_dir}/../../noted"]
        }]
      }
    ]
  },
  backend: { class_name: "CommandBackend", command: ["bash", "-c", work], args: {} },
  sweep: { axes: { kind: ["well", "ill"] }, name_template: "{kind}" }
}

/** Waits for what comes sooner or later, for as long as the test may take. */
export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 100))
}

export const makeRivals = () => {
  const demo = makeDemo({ "config/autoexp.yaml": JSON.stringify(config), "config/job.sbatch": template })
  const cluster = path.join(demo.folder, "state/autoexp/local-cluster/jobs")

  /** Whether every thread of the process stands still. */
  const isStopped = ({ child }: Started): boolean => {
    try {
      return /^State:\s+T/m.test(fs.readFileSync(`/proc/${child.pid}/status`, "utf8"))
    } catch {
      return false
    }
  }

  return {
    ...demo,
    /** Begins the session and watches it; stops by itself at `moment` of `stopAt.mjs`, if one is given. */
    begin: (moment: string | null = null): Started =>
      demo.start(
        ["run", "--plan-id", planId],
        moment === null ? {} : { NODE_OPTIONS: preload, AUTOEXP_STOP_PLAN: planId, AUTOEXP_STOP_AT: moment }
      ),
    monitor: (...options: ReadonlyArray<string>): Started => demo.start(["monitor", "--session", planId, ...options]),
    /** Waits until the process stands still; says what it said if it ended instead. */
    stopped: async (started: Started): Promise<void> => {
      let ended: Ended | null = null
      void started.ended.then((how) => ended = how)
      await until(() => isStopped(started) || ended !== null)
      if (ended !== null) throw new Error(`it ended before it could be stopped: ${JSON.stringify(ended)}`)
    },
    /** Attempts that run or ran, `ill.2`, in order: by what the jobs themselves wrote down. */
    ran: (): ReadonlyArray<string> => demo.starts().map(({ attempt, job }) => `${job}.${attempt}`).sort(),
    /** What the cluster was given, `ill.2`, each time: by its own directory. */
    submitted: (): ReadonlyArray<string> =>
      fs.readdirSync(cluster).map((id) => {
        const { name } = JSON.parse(fs.readFileSync(path.join(cluster, id, "job.json"), "utf8")) as { name: string }
        return name.split(".").slice(0, 2).join(".")
      }).sort(),
    /** Jobs whose last line was acted on, each time. */
    noted: (): ReadonlyArray<string> =>
      fs.existsSync(path.join(demo.folder, "noted"))
        ? fs.readFileSync(path.join(demo.folder, "noted"), "utf8").trim().split("\n").sort()
        : [],
    /** Lets the jobs end. */
    letGo: (): void => fs.writeFileSync(path.join(demo.folder, "go"), "")
  }
}

export type Rivals = ReturnType<typeof makeRivals>
