/** What `test/slurm/run` promises whoever calls it. */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { until } from "./support/commands.ts"

const program = path.join(import.meta.dirname, "run")
/** A run that lasts for a while. */
const nested = ["test/slurm/states.test.ts", "-t", "runs out of time"]

/** Processes that have `text` in their environment, as all have that a run started. */
const tagged = (text: string): ReadonlyArray<string> =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const tag = fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(text)
      return tag ? [fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim()] : []
    } catch {
      return []
    }
  })

describe("test/slurm/run", () => {
  it.each([["SIGTERM", "run"], ["SIGKILL", "shell"]] as const)(
    "leaves nothing running after a %s of the %s that started it",
    async (signal, who) => {
      const folder = fs.mkdtempSync(path.join(process.env["TMPDIR"] ?? "/tmp", "run-"))
      const env = { PATH: process.env["PATH"], TMPDIR: folder }
      const child = who === "run"
        ? spawn(program, nested, { env, stdio: "ignore" })
        : spawn("/bin/sh", ["-c", `"${program}" ${nested.join(" ")}; :`], { env, stdio: "ignore" })
      const tag = await until("the daemons", async () => {
        const made = fs.readdirSync("/tmp").find((name) =>
          name.startsWith("autoexp-slurm.") && tagged(`/tmp/${name}/`).includes("slurmctld") &&
          `/tmp/${name}` !== process.env["AUTOEXP_TEST_SLURM"]
        )
        return made === undefined ? null : `/tmp/${made}/`
      })
      child.kill(signal)
      await until("the end of all", async () => tagged(tag).length === 0 || null, 30)
      fs.rmSync(tag, { recursive: true, force: true })
    }
  )

  it("says in one line what is missing", async () => {
    const child = spawn("/bin/bash", [program], { env: { PATH: "/nonexistent" } })
    let told = ""
    child.stderr.on("data", (chunk: Buffer) => told += chunk.toString())
    const code = await new Promise((resolve) => child.on("close", resolve))
    expect(told).toMatch(/^no SLURM to test with: missing packages: slurm-client .*\n$/)
    expect(code).toBe(69)
  })
})
