/** The demo as a person runs it: the built program, real processes, a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "../..")
const program = path.join(root, "dist/autoexp.js")

export interface Ended {
  /** Exit code, or the signal's name. */
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** One line of the trainer's ledger: a start of a training or evaluation process. */
export interface Start {
  readonly job: string
  readonly attempt: string
  readonly nonce: string
  readonly mode: string
  readonly checkpoint: string
}

export interface JournalLine {
  readonly seq: number
  readonly type: string
  readonly job?: string
  readonly attempt?: number
  readonly data: Readonly<Record<string, unknown>>
}

/** A fresh folder with its own state, output and local cluster; `files` are written there, a `config` to use among them. */
export const makeDemo = (files: Readonly<Record<string, string>> = {}) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-demo-"))
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  const config = path.join(fs.existsSync(path.join(folder, "config")) ? folder : root, "config")
  const ledgerFile = path.join(folder, "starts.txt")
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    XDG_STATE_HOME: path.join(folder, "state"),
    OUTPUT_DIR: path.join(folder, "output"),
    AUTOEXP_DEMO_LEDGER: ledgerFile,
    SOME_TOKEN: "hunter2"
  }

  /** Starts the program; `ended` resolves as soon as it has ended, however that is. */
  const start = (args: ReadonlyArray<string>, extra: Readonly<Record<string, string>> = {}): Started => {
    const words = takesConfig(args) ? [...args, "-C", config] : args
    const child = spawn(process.execPath, [program, ...words], {
      cwd: folder,
      env: { ...environment, ...extra },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const ended = new Promise<Ended>((resolve, reject) => {
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (chunk: Buffer) => stdout += chunk.toString())
      child.stderr.on("data", (chunk: Buffer) => stderr += chunk.toString())
      child.on("error", reject)
      child.on("close", (code, signal) => resolve({ code: code ?? signal ?? "?", stdout, stderr }))
    })
    return { child, ended }
  }

  const run = (args: ReadonlyArray<string>, extra: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    start(args, extra).ended

  const stateDir = path.join(folder, "monitor")

  return {
    folder,
    stateDir,
    start,
    run,
    json: async <A>(args: ReadonlyArray<string>): Promise<A> => {
      const { code, stderr, stdout } = await run([...args, "--json"])
      if (code !== 0 && code !== 1) throw new Error(`autoexp ${args.join(" ")} ended with ${code}: ${stderr}`)
      return JSON.parse(stdout) as A
    },
    starts: (): ReadonlyArray<Start> =>
      fs.existsSync(ledgerFile)
        ? fs.readFileSync(ledgerFile, "utf8").trim().split("\n").map((line) =>
          Object.fromEntries(line.split(" ").map((pair) => pair.split(/=(.*)/s).slice(0, 2))) as Start
        )
        : [],
    /** All records of a session, over all its segments. */
    journal: (planId: string): ReadonlyArray<JournalLine> =>
      fs.readdirSync(stateDir)
        .filter((name) => name.startsWith(`${planId}.events.`))
        .flatMap((name) => fs.readFileSync(path.join(stateDir, name), "utf8").split("\n"))
        .flatMap((line) => {
          try {
            return [JSON.parse(line) as JournalLine]
          } catch {
            return []
          }
        })
        .sort((a, b) => a.seq - b.seq),
    /** Ends what still runs and removes the folder. */
    remove: async (): Promise<void> => {
      for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        try {
          const environ = fs.readFileSync(`/proc/${pid}/environ`, "utf8")
          const cmdline = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8")
          if (environ.includes(folder) || cmdline.includes(folder)) process.kill(Number(pid), "SIGKILL")
        } catch {
          // It has ended, or is not ours.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
      fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

/** Whether the command composes a config, and so must be told where the shipped one is. */
const takesConfig = ([command = "", ...rest]: ReadonlyArray<string>): boolean =>
  ["run", "plan", "config", "sweep"].includes(command) && !rest.includes("--resume")

export type Demo = ReturnType<typeof makeDemo>
