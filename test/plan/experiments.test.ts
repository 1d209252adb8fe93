/** Every experiment that is shipped, planned without anything exported. */
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { hasShellcheck, shellcheck } from "./shellcheck.ts"
import { folder, run } from "./shells.ts"
import { configDir, plan } from "./shipped.ts"

const experiments = fs.readdirSync(path.join(configDir, "experiments"))
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => name.slice(0, -".yaml".length))

it.each(experiments)("the script of %s is sound to bash and ShellCheck", async (name) => {
  const { script } = await plan(folder(), { ref: `experiments/${name}` })
  expect(await run(["bash", "-n", script])).toEqual({ code: 0, stdout: "", stderr: "" })
  if (hasShellcheck) expect(shellcheck(script)).toBe("")
})

/** The lines of the command that srun starts, one for each option. */
const command = (text: string): ReadonlyArray<string> =>
  (text.split("\n").find((line) => line.startsWith("srun ")) ?? "").split(/ (?=--|bash -c)/)

describe("what a model's presets come to", () => {
  it("on JUWELS: FSDP on one node, started by torchrun", async () => {
    const { text } = await plan(folder(), { ref: "experiments/megatron_with_auto_restart" })
    const lines = command(text)
    expect(lines.slice(0, lines.findIndex((line) => line.startsWith("bash")))).toEqual(
      ["srun", "--exclusive", "--wait=60", "--cpus-per-task=8", "--threads-per-core=1", "--gpu-bind=none"]
    )
    expect(lines).toEqual(expect.arrayContaining([
      "--nproc-per-node 4",
      "--nnodes 1",
      "--tee 3",
      "--use-custom-fsdp",
      "--data-parallel-sharding-strategy optim_grads_params",
      "--no-gradient-accumulation-fusion",
      "--disable-bias-linear",
      "--num-layers 26",
      "--micro-batch-size 2",
      "--min-lr 0.0001"
    ]))
    expect(lines.filter((line) => line.startsWith("--lr-warmup"))).toEqual([])
  })

  it("on LUMI: the ROCm fork, a process for each GPU, in the image's own folder", async () => {
    const { text } = await plan(folder(), { ref: "experiments/megatron_lumi_speed_test" })
    const lines = command(text)
    expect(text).toContain(`export WORLD_SIZE="8"`)
    expect(lines).toEqual(expect.arrayContaining([
      "--pwd $PWD",
      "--bind /boot/config-$(uname -r),/pfs/,/scratch/,/flash/,$PWD,/opt/cray/pe/lmod/ " +
      "./MegatronTrainingLumi_x86_64.sif python ./submodules/Megatron-LM-ROCm/pretrain_gpt.py",
      "--use-flash-attn",
      "--overlap-param-gather"
    ]))
    expect(lines.join(" ")).not.toContain("--transformer-impl transformer_engine")
  })
})
