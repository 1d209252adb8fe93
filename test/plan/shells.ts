/** Real shells for tests of scripts. */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach } from "vitest"

const folders: Array<string> = []
afterEach(() => folders.splice(0).forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })))

/** A folder that is removed after the test. */
export const folder = (): string => {
  const made = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-plan-")))
  folders.push(made)
  return made
}

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `argv` with `env` and nothing else but PATH. (Bash reads its start-up files if standard input is a socket.) */
export const run = (argv: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const [program = "", ...rest] = argv
    const child = spawn(program, rest, {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const output: Record<"stdout" | "stderr", Array<Buffer>> = { stdout: [], stderr: [] }
    child.stdout.on("data", (data) => output.stdout.push(data))
    child.stderr.on("data", (data) => output.stderr.push(data))
    child.on("error", reject)
    child.on("close", (code) =>
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(output.stdout).toString(),
        stderr: Buffer.concat(output.stderr).toString()
      }))
  })

/** What a program saw: its arguments, each ended by a NUL. */
export const printArguments = ["printf", "%s\\0"]

/** The texts of NUL-ended output. */
export const nulEnded = (output: string): ReadonlyArray<string> => output.split("\0").slice(0, -1)
