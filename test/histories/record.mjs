// Records golden histories of this behaviour into test/histories/<version>/behaviour-<number>/: once, never again. See README.md.
import * as esbuild from "esbuild"
import { spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { setTimeout } from "node:timers/promises"

const root = path.resolve(import.meta.dirname, "../..")
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-histories-"))
const options = {
  cwd: folder,
  env: {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_STATE_HOME: path.join(folder, "state"),
    OUTPUT_DIR: path.join(folder, "output")
  }
}
const start = (...args) =>
  spawn(process.execPath, [path.join(root, "dist/autoexp.js"), ...args], {
    ...options,
    stdio: ["ignore", "pipe", "inherit"]
  })

/** What it printed; rejects if it ended in another way than with one of the codes. */
const autoexp = (codes, ...args) =>
  new Promise((resolve, reject) => {
    const child = start(...args)
    let stdout = ""
    child.stdout.on("data", (chunk) => stdout += chunk)
    child.on("close", (code) =>
      codes.includes(code) ? resolve(stdout) : reject(new Error(`autoexp ${args.join(" ")} ended with ${code}`)))
  })

const run = (planId, ...more) => ["run", "-C", path.join(root, "config"), "--plan-id", planId, ...more]

/** A monitor that is killed as soon as a restart is decided; the next one goes on, and is told to cancel a job. */
const killed = async () => {
  const journal = path.join(folder, "monitor/killed.events.jsonl")
  const child = start(...run("killed"))
  child.stdout.resume()
  const ended = new Promise((resolve) => child.on("close", resolve))
  while (!fs.existsSync(journal) || !fs.readFileSync(journal, "utf8").includes("RestartDecided")) {
    if (child.exitCode !== null) throw new Error("it ended before a restart was decided")
    await setTimeout(50)
  }
  child.kill("SIGKILL")
  await ended
  const session = ["--session", "killed"]
  await autoexp([0], "job", "cancel", ...session, "--job", "demo_hang", "--reason", "a typo")
  await autoexp([0, 1], "monitor", ...session)
}

/** Ends monitors, clusters and jobs of this recording, which a failure leaves behind. */
const endAll = () => {
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      const read = (name) => fs.readFileSync(path.join("/proc", pid, name), "utf8")
      if (read("environ").includes(folder) || read("cmdline").includes(folder)) process.kill(Number(pid), "SIGKILL")
    } catch {
      // It has ended, or is not ours.
    }
  }
}

const fake = [
  "monitoring=megatron_production",
  "slurm=fake",
  "slurm.client.speed=4",
  "monitoring.poll_interval_seconds=0.3",
  "+monitoring.log_settle_seconds=0.2"
]

try {
  const sessions = await Promise.allSettled([
    autoexp([0], ...run("demo")),
    autoexp([1], ...run("oom", "--config-ref", "experiments/demo_oom")),
    autoexp([0], ...run("fake", ...fake)),
    killed()
  ])
  for (const { reason, status } of sessions) if (status === "rejected") throw reason
  for (const planId of ["demo", "oom", "fake", "killed"]) {
    const lines = await autoexp([0], "journal", "export", "--session", planId)
    fs.writeFileSync(path.join(folder, `${planId}.export.jsonl`), lines)
  }
  const outfile = path.join(root, "node_modules/.cache/histories/make.mjs")
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["test/histories/make.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning"
  })
  process.exitCode = spawnSync(process.execPath, [outfile, root, folder], { stdio: "inherit" }).status ?? 1
} finally {
  endAll()
  fs.rmSync(folder, { recursive: true, maxRetries: 5 })
}
