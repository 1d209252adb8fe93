/** Plans whose jobs run in an image: checked against the Megatron inside, and not submitted without it. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, vi } from "vitest"
import { autoexp, temporary } from "../cli/autoexp.ts"

afterEach(() => {
  vi.unstubAllEnvs()
})

const script = path.resolve(import.meta.dirname, "../../container/probe_arguments.py")

/** As if the image had been probed before, and its Megatron took these options. */
const remember = (dir: string, image: string, options: ReadonlyArray<string>) => {
  fs.writeFileSync(image, "an image")
  const { ino, mtime, size } = fs.statSync(image)
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
  const digest = sha256("an image")
  const identity = [fs.realpathSync(image), `${size}`, mtime.getTime(), ino].join("\0")
  const write = (file: string, text: string) => {
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, text)
  }
  const cache = path.join(dir, "cache", "autoexp")
  write(path.join(cache, "digests", sha256(identity)), digest)
  const way = sha256(fs.readFileSync(script, "utf8")).slice(0, 16)
  write(
    path.join(cache, "parsers", `${digest}-${way}.json`),
    JSON.stringify({
      source: { functions: ["m:f"], megatron_core_version: "0.13.1", python: "3.11" },
      arguments: options.map((option) => ({
        dest: option,
        flags: [`--${option.replaceAll("_", "-")}`],
        action: "store",
        type: "int"
      })),
      left_out: []
    })
  )
}

const config = (image: string, client: string) => `
project: {name: toy, base_output_dir: ${path.dirname(image)}/output}
slurm:
  template_path: job.sbatch
  client: {class_name: ${client}}
sweep: {}
container: {image: ${image}}
monitoring: {class_name: NullMonitor}
backend:
  class_name: MegatronBackend
  launcher_script: train.py
  check_consistency: false
  megatron: {num_layers: 2, our_own_option: 3}
`

const project = (client = "LocalClient") =>
  Effect.gen(function*() {
    const dir = yield* temporary
    vi.stubEnv("XDG_CACHE_HOME", path.join(dir, "cache"))
    fs.mkdirSync(path.join(dir, "config"))
    fs.writeFileSync(path.join(dir, "config/autoexp.yaml"), config(path.join(dir, "my.sif"), client))
    fs.writeFileSync(
      path.join(dir, "job.sbatch"),
      "#!/bin/bash\n{sbatch_directives}\n{env_exports}\nsrun {launcher_cmd}\n"
    )
    return dir
  })

describe("a plan whose image was probed", () => {
  it.scoped("takes the arguments that the image's own Megatron has", () =>
    Effect.gen(function*() {
      const dir = yield* project()
      fs.writeFileSync(path.join(dir, "my.sif"), "an image")
      const before = yield* autoexp(dir, ["plan", "--dry-run", "-C", path.join(dir, "config")])
      expect(before.stderr).toMatch(/Megatron core_r0\.13\.0 has no argument "our_own_option"/)
      remember(dir, path.join(dir, "my.sif"), ["num_layers", "our_own_option"])
      const after = yield* autoexp(dir, ["plan", "--dry-run", "-C", path.join(dir, "config")])
      expect(after.stderr).not.toMatch(/has no argument/)
      expect(after.exitCode).toBe(0)
      remember(dir, path.join(dir, "my.sif"), ["num_layer", "our_own_option"])
      const other = yield* autoexp(dir, ["plan", "--dry-run", "-C", path.join(dir, "config")])
      expect(other.stderr).toMatch(/Megatron of my\.sif has no argument "num_layers".*num_layer/s)
    }))
})

describe("an image that is not there", () => {
  it.scoped("is noted by a plan, and refused before anything is submitted", () =>
    Effect.gen(function*() {
      const dir = yield* project()
      const options = ["-C", path.join(dir, "config"), "--allow-unknown-args", "--plan-id", "p"]
      const run = yield* autoexp(dir, ["run", ...options])
      expect(run.stderr).toMatch(/there is no image .*my\.sif/)
      expect(run.exitCode).toBe(2)
      expect(fs.readdirSync(dir).sort()).toEqual(["config", "job.sbatch"])
      const planned = yield* autoexp(dir, ["plan", ...options])
      expect(planned.stderr).toMatch(/note: there is no image .*my\.sif yet/)
      expect(planned.exitCode).toBe(0)
      const manifest = path.join(dir, "output/manifests/p.json")
      const submitted = yield* autoexp(dir, ["submit", "--manifest", manifest])
      expect(submitted.stderr).toMatch(/there is no image .*my\.sif/)
      expect(submitted.exitCode).toBe(2)
    }))

  it.scoped("is what --container and --image speak of", () =>
    Effect.gen(function*() {
      const dir = yield* project()
      const options = ["-C", path.join(dir, "config"), "--allow-unknown-args", "--dry-run"]
      const { exitCode, stderr } = yield* autoexp(dir, ["plan", ...options, "--container", "--image", "other.sif"])
      expect(stderr).toMatch(/there is no image .*other\.sif/)
      expect(exitCode).toBe(2)
    }))
})
