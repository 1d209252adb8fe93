/** Commands run to their end, and waiting for what comes true. */
import { spawn } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program, whatever its exit code; null if a signal ended it. */
export const run = (argv: ReadonlyArray<string>, input = ""): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const [program = "", ...args] = argv
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk: Buffer) => stdout += chunk.toString())
    child.stderr.on("data", (chunk: Buffer) => stderr += chunk.toString())
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, stdout, stderr }))
    child.stdin.on("error", () => {})
    child.stdin.end(input)
  })

/** What a program printed, which must succeed. */
export const output = async (argv: ReadonlyArray<string>, input = ""): Promise<string> => {
  const { code, stderr, stdout } = await run(argv, input)
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${stderr}${stdout}`)
  return stdout.trim()
}

/** The first answer that is not null, asked again until then. */
export const until = async <A>(what: string, ask: () => Promise<A | null>, seconds = 60): Promise<A> => {
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s in vain: ${what}`)
    await sleep(100)
  }
}
