/** A recorded job planned once more, and what is said to be otherwise today. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, vi } from "vitest"
import { autoexp, type Ran, temporary } from "../cli/autoexp.ts"

beforeEach(() => {
  for (const name of ["GIT_DIR", "GIT_WORK_TREE"]) vi.stubEnv(name, undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

const config = (lr: string) => `
project: {name: toy, base_output_dir: 'out_\${oc.timestring:}', monitoring_state_dir: monitor}
slurm: {template_path: job.sbatch, client: {class_name: FakeClient}, array: false}
sweep: {axes: {seed: [1, 2]}, name_template: 'toy_{seed}'}
container: {image: my.sif}
monitoring: {class_name: NullMonitor}
backend: {class_name: CommandBackend, command: [train], args: {lr: ${lr}, out: '\${project.base_output_dir}/x'}}
`

const template = "#!/bin/bash\n{sbatch_directives}\n{env_exports}\nsrun {launcher_cmd}\n"

/** A repository with a config and an image, and its job `toy_2` planned. */
const project = Effect.gen(function*() {
  const dir = yield* temporary
  const write = (name: string, text: string) => fs.writeFileSync(path.join(dir, name), text)
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", ["-C", dir, "-c", "user.name=a", "-c", "user.email=a@b", ...args], { stdio: "pipe" })
  vi.stubEnv("XDG_CACHE_HOME", path.join(dir, "cache"))
  vi.stubEnv("RUN_DIR", "/megatron/one")
  for (const name of ["HF_TOKEN", "DB_PASSWORD", "MY_SECRET", "WANDB_API_KEY"]) vi.stubEnv(name, "hunter2")
  fs.mkdirSync(path.join(dir, "config"))
  write("config/autoexp.yaml", config("0.1"))
  write("job.sbatch", template)
  write("my.sif", "an image")
  write(".gitignore", "out_*\ncache\nmy.sif\n")
  git("init", "-q")
  git("add", "-A")
  git("commit", "-qm", "one")
  const planned = yield* autoexp(dir, ["plan", "-C", path.join(dir, "config"), "--plan-id", "p"])
  expect(planned.exitCode, planned.stderr).toBe(0)
  const [out = ""] = fs.readdirSync(dir).filter((name) => name.startsWith("out_"))
  const record = path.join(dir, out, "toy_2/_provenance")
  const again = (id: string, ...overrides: ReadonlyArray<string>): Effect.Effect<Ran> =>
    autoexp(dir, ["plan", "--from", record, "--plan-id", id, ...overrides])
  return { dir, write, git, record, again }
})

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

describe("the record of a job", () => {
  it.scopedLive("tells which image it was, and no secret of the environment", () =>
    Effect.gen(function*() {
      const { dir, record } = yield* project
      const text = fs.readFileSync(path.join(record, "run_metadata.json"), "utf8")
      expect(text).not.toContain("hunter2")
      const { environment, git, image, versions } = JSON.parse(text)
      expect(image).toEqual({ path: path.join(dir, "my.sif"), sha256: sha256("an image"), megatron_core: null })
      for (const name of ["HF_TOKEN", "DB_PASSWORD", "MY_SECRET", "WANDB_API_KEY"]) {
        expect(environment[name]).toBe("***")
      }
      expect(environment.RUN_DIR).toBe("/megatron/one")
      expect(versions).toEqual({ autoexp: "1.2.3", node: process.versions.node })
      expect(git).toMatchObject({ commit: expect.stringMatching(/^[0-9a-f]{40}$/), dirty: false, diff: "" })
    }))
})

describe("a job that is run from its record", () => {
  it.scopedLive("is the same job alone, of which nothing differs", () =>
    Effect.gen(function*() {
      const { again } = yield* project
      const { exitCode, stderr, stdout } = yield* again("q", "--json")
      expect(exitCode, stderr).toBe(0)
      expect(JSON.parse(stdout).jobs).toMatchObject([{ name: "toy_2", index: 1, parameters: { seed: 2 } }])
      expect(stderr).toMatch(/^autoexp: note: nothing that is on record differs today from 20.*\n$/)
    }))

  it.scopedLive("says all that differs today: config, code, tool, image and environment", () =>
    Effect.gen(function*() {
      const { again, git, record, write } = yield* project
      write("config/autoexp.yaml", config("0.2"))
      git("commit", "-qam", "two")
      write("job.sbatch", `${template}# changed\n`)
      write("my.sif", "another image")
      vi.stubEnv("RUN_DIR", "/megatron/two")
      vi.stubEnv("NEW_ONE", "1")
      vi.stubEnv("HF_TOKEN", undefined)
      vi.stubEnv("MY_SECRET", "other")
      vi.stubEnv("SHLVL", "17")
      const metadata = path.join(record, "run_metadata.json")
      const recorded = JSON.parse(fs.readFileSync(metadata, "utf8"))
      fs.writeFileSync(metadata, JSON.stringify({ ...recorded, versions: { autoexp: "1.2.2", node: "1" } }))
      const { exitCode, stderr } = yield* again("q", "+metadata.note=again")
      expect(exitCode, stderr).toBe(0)
      const said = stderr.trim().split("\n").map((line) => line.replace(/^autoexp: note: since [^ ]*: /, ""))
      expect(said).toEqual([
        "backend.args.lr was 0.1, and is 0.2",
        "metadata.note was nothing, and is \"again\"",
        expect.stringMatching(/^the commit was [0-9a-f]{40}, and is [0-9a-f]{40}$/),
        "there are changes that are not committed, and were none",
        "autoexp was 1.2.2, and is 1.2.3",
        `node was 1, and is ${process.versions.node}`,
        `the image's SHA-256 was ${sha256("an image")}, and is ${sha256("another image")}`,
        "variables of the environment that changed: RUN_DIR",
        "variables of the environment that are new: NEW_ONE",
        "variables of the environment that are gone: HF_TOKEN"
      ])
    }))

  it.scopedLive("goes on where its records are damaged, and says that it cannot compare", () =>
    Effect.gen(function*() {
      const { again, record } = yield* project
      fs.writeFileSync(path.join(record, "run_metadata.json"), "{")
      const { exitCode, stderr } = yield* again("q")
      expect(exitCode, stderr).toBe(0)
      expect(stderr).toMatch(/what differs today cannot be told: run_metadata\.json/)
    }))

  it.scopedLive("is noted with the version of the Megatron that a probe found", () =>
    Effect.gen(function*() {
      const { again, dir } = yield* project
      const script = fs.readFileSync(path.resolve(import.meta.dirname, "../../container/probe_arguments.py"), "utf8")
      const file = path.join(dir, "cache/autoexp/parsers", `${sha256("an image")}-${sha256(script).slice(0, 16)}.json`)
      fs.mkdirSync(path.dirname(file), { recursive: true })
      const source = { functions: [], megatron_core_version: "0.13.1", python: "3.11" }
      fs.writeFileSync(file, JSON.stringify({ source, arguments: [], left_out: [] }))
      const { stderr } = yield* again("q")
      expect(stderr).toMatch(/the image's Megatron was not known, and is 0\.13\.1\n$/)
    }))
})
