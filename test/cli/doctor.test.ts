import { afterEach, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { autoexp } from "./autoexp.ts"

const folders: Array<string> = []
afterEach(() => folders.splice(0).forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })))

const config = (settings: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    AccountingStorageType: "accounting_storage/slurmdbd",
    AccountingStoreFlags: "job_comment",
    ClusterName: "toy",
    MaxArraySize: "1001",
    MessageTimeout: "10 sec",
    MinJobAge: "300 sec",
    SLURM_VERSION: "22.05.8",
    ...settings
  }).map(([name, value]) => `${name.padEnd(23)} = ${value}`).join("\n")

/** A machine on whose PATH are these programs, each a line of shell. */
const machine = (programs: Readonly<Record<string, string>>) => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-doctor-"))
  folders.push(home)
  fs.mkdirSync(path.join(home, "bin"))
  for (const [name, text] of Object.entries(programs)) {
    fs.writeFileSync(path.join(home, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  }
  const env = { PATH: path.join(home, "bin") }
  return { home, doctor: (...words: ReadonlyArray<string>) => autoexp(home, ["doctor", ...words], env) }
}

const slurm = (settings?: Readonly<Record<string, string>>) => ({
  ...Object.fromEntries(["sbatch", "squeue", "scancel", "sacct", "srun"].map((name) => [name, "exit 9"])),
  scontrol: `[ "$*" = "show config" ] && cat <<'END'\n${config(settings)}\nEND`,
  sinfo: "printf 'gpu* up 1-00:00:00 7\\ndebug up 10:00 1\\n'"
})
const bash = { bash: "exit 0" }

describe("the doctor", () => {
  it.effect("says what there is, and that a laptop without SLURM can run jobs", () =>
    Effect.gen(function*() {
      const { doctor, home } = machine({
        ...bash,
        git: "echo git version 2.39.5",
        apptainer: "echo apptainer version 1.3"
      })
      const { exitCode, stdout } = yield* doctor()
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/^ok {7}node {2,}\d+\.\d+\.\d+$/m)
      expect(stdout).toMatch(/^ok {7}state directory {2,}\S+\/monitor .*: link, rename and fsync work$/m)
      expect(stdout).toMatch(/^ok {7}apptainer {2,}\S+\/apptainer: apptainer version 1\.3$/m)
      expect(stdout).toMatch(/^missing {2}slurm {2,}none of its commands is on PATH\n +-> load the site's module/m)
      expect(stdout).toMatch(/^missing {2}SLURM_ACCOUNT /m)
      expect(stdout).toMatch(/\n\nautoexp can run jobs here\n$/)
      expect(fs.readdirSync(home)).toEqual(["bin"])
    }))

  it.effect("tells the site's settings and what they mean, in JSON too", () =>
    Effect.gen(function*() {
      const { doctor } = machine({ ...bash, ...slurm({ MinJobAge: "10 sec", MessageTimeout: "120 sec" }) })
      const { exitCode, stdout } = yield* doctor("--json")
      const { checks, usable } = JSON.parse(stdout)
      const named = (name: string) => checks.find((check: { readonly name: string }) => check.name === name)
      expect({ exitCode, usable }).toEqual({ exitCode: 0, usable: true })
      expect(named("slurm controller")).toEqual({
        name: "slurm controller",
        status: "ok",
        found: "cluster toy answers",
        todo: null
      })
      expect(named("slurm version").found).toMatch(/^22\.05\.8: srun must be told/)
      expect(named("accounting")).toMatchObject({ status: "ok", found: expect.stringContaining("with their comments") })
      expect(named("MinJobAge")).toMatchObject({ status: "problem", found: expect.stringMatching(/^10 s/) })
      expect(named("MaxArraySize").found).toBe("1001: indices up to 1000")
      expect(named("MessageTimeout")).toMatchObject({ status: "problem", todo: expect.stringContaining("above 140") })
      expect(named("partitions").found).toBe("gpu* (up, 7 nodes, up to 1-00:00:00), debug (up, 1 nodes, up to 10:00)")
    }))

  it.effect("says what an old SLURM and one without accounts lack", () =>
    Effect.gen(function*() {
      const { doctor } = machine({
        ...bash,
        ...slurm({ SLURM_VERSION: "20.02.7", AccountingStorageType: "accounting_storage/none", MaxArraySize: "1" })
      })
      const { stdout } = yield* doctor()
      expect(stdout).toMatch(/^problem {2}slurm version {2,}20\.02\.7, older than 20\.11$/m)
      expect(stdout).toMatch(/^missing {2}accounting {2,}no accounting storage/m)
      expect(stdout).toMatch(/^problem {2}MaxArraySize .*\n +-> set slurm.array=false$/m)
    }))

  it.effect("tells a controller that does not answer from one that is not there", () =>
    Effect.gen(function*() {
      const { doctor } = machine({
        ...bash,
        ...slurm(),
        scontrol: "echo 'slurm_load_ctl_conf error: Unable to contact slurm controller (connect failure)' >&2; exit 1"
      })
      const { exitCode, stdout } = yield* doctor()
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/^problem {2}slurm controller {2,}slurm_load_ctl_conf error: Unable to contact/m)
    }))

  it.effect("ends with 3 where nothing can run a job, and says why", () =>
    Effect.gen(function*() {
      const without = yield* machine({}).doctor()
      expect(without.exitCode).toBe(3)
      expect(without.stdout).toMatch(/^problem {2}local cluster {2,}bash is not on PATH/m)
      expect(without.stdout).toMatch(/nothing here can run a job\n$/)
      const { doctor, home } = machine(bash)
      fs.writeFileSync(path.join(home, "file"), "")
      const { exitCode, stdout } = yield* doctor("--state-dir", "file/below")
      expect(exitCode).toBe(3)
      expect(stdout).toMatch(/^problem {2}state directory .*\n +-> choose another one: --state-dir DIR$/m)
    }))

  it.effect("takes overrides only for its smoke test, which a fake cluster cannot run", () =>
    Effect.gen(function*() {
      const { doctor } = machine(bash)
      expect(yield* doctor("slurm=lumi")).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("--smoke slurm=lumi")
      })
      const presets = path.resolve(import.meta.dirname, "../../config")
      expect(yield* doctor("--smoke", "slurm=fake", "-C", presets)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("a fake cluster runs no jobs")
      })
    }))
})
