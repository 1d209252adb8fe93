/** What would waste an allocation: found before anything is submitted, named, and told with exit code 2 or 3. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"

let demo: Demo
beforeEach(() => {
  demo = makeDemo()
})
afterEach(() => demo.remove())

/** Megatron on the local cluster, with what its parser must have. */
const megatron = [
  "backend=megatron",
  "monitoring=default",
  "sweep=none",
  "++backend.megatron.num_layers=4",
  "++backend.megatron.hidden_size=64",
  "++backend.megatron.num_attention_heads=4",
  "++backend.megatron.max_position_embeddings=64",
  "++backend.megatron.seq_length=64",
  "++backend.megatron.micro_batch_size=1",
  "++backend.megatron.global_batch_size=64",
  "++backend.megatron.lr=1e-4",
  "++backend.megatron.min_lr=1e-5",
  "++backend.megatron.train_iters=10",
  "++backend.megatron.lr_decay_iters=10",
  "++backend.megatron.tensor_model_parallel_size=1"
]

const nothingSubmitted = () => expect(fs.existsSync(demo.stateDir)).toBe(false)

describe("before anything is submitted", () => {
  it("an argument of another version of Megatron is named, with its place", async () => {
    const { code, stderr } = await demo.run(["run", ...megatron, "++backend.megatron.use_megatron_fsdp=true"])
    expect(stderr).toMatch(/Megatron core_r0\.13\.0 has no argument "use_megatron_fsdp"/)
    expect(code).toBe(2)
    nothingSubmitted()
  })

  it("an image that is not there is named", async () => {
    const { code, stderr } = await demo.run(["run", "backend=none", "sweep=none", "container.image=no/such.sif"])
    expect(stderr).toMatch(/there is no image .*no\/such\.sif/)
    expect(code).toBe(2)
    nothingSubmitted()
  })

  it("a placeholder of a definition that is not known is named, with its line", async () => {
    fs.writeFileSync(path.join(demo.folder, "My.def.in"), "Bootstrap: docker\nFrom: {{BASE_IMAG}}\n")
    const { code, stderr } = await demo.run(["container", "build", "--definition", "./My.def.in"])
    expect(stderr).toMatch(/My\.def\.in:2.*BASE_IMAG/s)
    expect(code).toBe(2)
  })

  it("a runtime that is not installed is named", async () => {
    fs.writeFileSync(path.join(demo.folder, "my.sif"), "an image")
    const args = ["--container-cmd", "podapple", "--image", "my.sif"]
    const { code, stderr } = await demo.run(["container", "probe", ...args])
    expect(stderr).toMatch(/podapple.*not installed here/)
    expect(code).toBe(3)
  })

  it("an output that cannot be written is named", async () => {
    fs.writeFileSync(path.join(demo.folder, "file"), "in the way")
    const output = `project.base_output_dir=${demo.folder}/file/out`
    const { code, stderr } = await demo.run(["run", "backend=none", "sweep=none", output])
    expect(stderr).toMatch(/file\/out/)
    expect(code).toBe(2)
    nothingSubmitted()
  })
})

describe("on a machine with node, bash and nothing else", () => {
  it("every shipped experiment is sound, and can be planned", async () => {
    const bin = path.join(demo.folder, "bin")
    fs.mkdirSync(bin)
    fs.symlinkSync(process.execPath, path.join(bin, "node"))
    fs.symlinkSync("/bin/bash", path.join(bin, "bash"))
    const { code, stderr, stdout } = await demo.run(["config", "validate", "--all"], { PATH: bin })
    expect(code, stderr).toBe(0)
    const experiments = fs.readdirSync(path.resolve(import.meta.dirname, "../../config/experiments"))
    for (const name of experiments) {
      expect(stdout).toMatch(new RegExp(`experiments/${path.basename(name, ".yaml")} +sound`))
    }
    const planned = await demo.run(["plan", "--config-ref", "experiments/megatron_with_auto_restart"], { PATH: bin })
    expect(planned.code, planned.stderr).toBe(0)
  })
})

it("config validate passes arguments that Megatron does not know where it is told to", async () => {
  const args = ["config", "validate", ...megatron, "++backend.megatron.use_megatron_fsdp=true"]
  expect((await demo.run(args)).code).toBe(2)
  const { code, stderr } = await demo.run([...args, "--allow-unknown-args"])
  expect(code, stderr).toBe(0)
})
