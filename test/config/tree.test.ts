import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { expect } from "vitest"
import { ConfigFiles, layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"
import { parseOverride } from "../../src/config/overrides.ts"
import { parseYaml } from "../../src/config/yaml.ts"
import { makeDetector } from "../../src/rule/detect.ts"
import { formatTemplate } from "../../src/sweep/format.ts"

const configDir = path.resolve(import.meta.dirname, "../../config")

const loading = (configRef: string, overrides: ReadonlyArray<string> = []) =>
  Effect.provide(load({ configDir, configRef, overrides }), layer)

const options = (group: string): ReadonlyArray<string> =>
  fs.readdirSync(path.join(configDir, group)).filter((file) => file.endsWith(".yaml")).map((file) => file.slice(0, -5))

const groups = fs.readdirSync(configDir, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && options(entry.name).length > 0)
  .map(({ name }) => name)

describe("the shipped tree", () => {
  it.effect("is the demo by default, and asked for by name", () =>
    Effect.gen(function*() {
      const { config } = yield* loading("autoexp", ["project=default"])
      expect(config.project).toMatchObject({ name: "demo", monitoring_state_dir: "./monitor" })
      expect(config.sweep.axes).toEqual({ scenario: ["healthy", "nccl", "hang", "slow"] })
      expect(config.slurm).toMatchObject({ array: false, client: { class_name: "LocalClient", slots: 8 } })
      expect(config.backend).toMatchObject({ command: ["node", path.join(configDir, "demo/trainer.mjs")] })
      expect(config.backend).toMatchObject({ args: { evaluate_checkpoint: null } })
    }))

  it.effect("writes below OUTPUT_DIR", () =>
    Effect.gen(function*() {
      const files = Effect.map(ConfigFiles, (real) => ({ ...real, environment: { OUTPUT_DIR: "/scratch/me" } }))
      const { config } = yield* load({ configDir, configRef: "autoexp", overrides: [] }).pipe(
        Effect.provideServiceEffect(ConfigFiles, files),
        Effect.provide(layer)
      )
      expect(config.project.base_output_dir).toBe("/scratch/me/demo_19700101_000000_000")
    }))

  it.effect("has an experiment that runs out of memory", () =>
    Effect.gen(function*() {
      const { config } = yield* loading("experiments/demo_oom")
      expect(config.project.name).toBe("demo_oom")
      expect(config.sweep).toMatchObject({ axes: {}, name_template: "{project}" })
      expect(config.backend).toMatchObject({ args: { scenario: "oom", train_iters: 20 } })
    }))

  it.effect.each(
    groups.filter((group) => group !== "experiments").flatMap((group) =>
      options(group).map((option) => `${group}=${option}`)
    )
  )(
    "composes with %s",
    (override) =>
      Effect.map(loading("autoexp", [override]), ({ request }) => expect(request.overrides).toEqual([override]))
  )

  it.effect.each(options("experiments"))(
    "composes experiments/%s",
    (name) => Effect.map(loading(`experiments/${name}`), ({ resolved }) => expect(resolved).toHaveProperty("project"))
  )

  it.effect("gives every restart a budget", () =>
    Effect.gen(function*() {
      for (const monitoring of options("monitoring")) {
        const { config } = yield* loading("autoexp", [`monitoring=${monitoring}`])
        for (const rule of [...config.monitoring.log_events, ...config.monitoring.state_events]) {
          for (const binding of rule.actions) {
            const action = binding.class_name === "EventAction" ? binding.action : binding
            if (action.class_name === "RestartAction") {
              expect(action.max_restarts, `${monitoring}: ${rule.name}`).toBe(3)
            }
          }
        }
      }
    }))
})

/** Composed after Megatron core 0.12 to 0.20, torch 2.0 to 2.8, NCCL, torchrun and Slurm 20.11 to 25.11. */
const iteration = (time: string, rest = " lm loss: 2.731000E+00 | loss scale: 1.0 | grad norm: 0.412 |") =>
  ` [${time}] iteration     1200/   20000 | consumed samples:       307200 | elapsed time per iteration (ms): 843.2 |`
  + ` throughput per GPU (TFLOP/s/GPU): 412.7 | learning rate: 2.400000E-04 | global batch size:   256 |${rest}`
  + " number of skipped iterations:   0 | number of nan iterations:   0 |"

const progress = { training_iteration: { iteration: "1200", total_iterations: "20000", loss: "2.731000E+00" } }
const saved = { checkpoint_saved: { checkpoint_iteration: "1200", checkpoint_path: "runs/exp1/ckpt" } }
const nccl = (line: string) => ({ nccl_error: { error_message: line } })
const watchdog =
  "Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1580, OpType=ALLREDUCE, NumelIn=1048576, "
  + "NumelOut=1048576, Timeout(ms)=600000) ran for 600060 milliseconds before timing out."

const lines: ReadonlyArray<readonly [line: string, found: object]> = [
  [iteration("2026-03-14 09:26:53"), progress],
  [iteration("2026-03-14 09:26:53.589793"), progress],
  [`[default0]:${iteration("2026-03-14 09:26:53.589793")}`, progress],
  [`0: ${iteration("2026-03-14 09:26:53")}`, progress],
  [iteration("2026-03-14 09:26:53.589793", " loss scale: 1.0 |"), {
    training_iteration: { ...progress.training_iteration, loss: null }
  }],
  ["  successfully saved checkpoint from iteration    1200 to runs/exp1/ckpt [ t 1/2, p 1/1 ]", saved],
  [
    "  [2026-03-14 09:26:58.120044] successfully saved checkpoint from iteration    1200 to runs/exp1/ckpt [ t 1/2, p 1/1 ]",
    saved
  ],
  [
    "  [2026-03-14 09:26:58.120044] successfully saved checkpoint from iteration    1200 to runs/exp1/ckpt [ t 1/2, gtp_remat 1/1, p 1/1 ]",
    saved
  ],
  ["[default0]:  successfully saved checkpoint from iteration    1200 to runs/exp1/ckpt [ t 1/2, p 1/1 ]", saved],
  ["  successfully saved checkpoint from iteration    1200 to runs/my exp/ckpt [ t 1/2, p 1/1 ]", {
    checkpoint_saved: { checkpoint_iteration: "1200", checkpoint_path: "runs/my exp/ckpt" }
  }],
  [
    "[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 3 has a total capacity of 93.10 GiB",
    {
      cuda_oom: { allocation_size: "2.50 GiB" }
    }
  ],
  ["torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has", {
    cuda_oom: { allocation_size: "20.00 MiB" }
  }],
  ["RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 39.59 GiB total", {
    cuda_oom: { allocation_size: "20.00 MiB" }
  }],
  ["torch.OutOfMemoryError: HIP out of memory. Tried to allocate 2.50 GiB.", {
    cuda_oom: { allocation_size: "2.50 GiB" }
  }],
  [
    "RuntimeError: [enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 8589934592 bytes.",
    { host_oom: {} }
  ],
  ["slurmstepd: error: Detected 1 oom-kill event(s) in StepId=4242.0 cgroup. Some of your processes", { host_oom: {} }],
  [
    "slurmstepd-gpu07: error: Detected 1 oom_kill event in StepId=4242.0. Some of the step tasks have been OOM Killed.",
    { host_oom: {} }
  ],
  ["srun: error: gpu07: task 3: Out Of Memory", { host_oom: {} }],
  [`[rank0]:[E314 09:41:12.408271257 ProcessGroupNCCL.cpp:616] [Rank 0] ${watchdog}`, nccl(watchdog)],
  [
    "[rank0]:[E314 09:41:12.465150152 ProcessGroupNCCL.cpp:1785] [PG ID 0] Exception (either an error or timeout) detected by watchdog at work: 1580",
    nccl("detected by watchdog at work: 1580")
  ],
  ["terminate called after throwing an instance of 'c10::DistBackendError'", nccl("c10::DistBackendError'")],
  [
    `  what():  [PG ID 0] Process group watchdog thread terminated with exception: ${watchdog}`,
    nccl(`Process group watchdog thread terminated with exception: ${watchdog}`)
  ],
  [
    "  what():  NCCL watchdog thread terminated with exception: x",
    nccl("NCCL watchdog thread terminated with exception: x")
  ],
  [
    "torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:268, unhandled system error",
    nccl("DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:268, unhandled system error")
  ],
  ...[
    "[2026-03-14 09:26:53.589793] saving checkpoint at iteration    1200 to runs/exp1/ckpt in torch_dist format",
    "  successfully saved local checkpoint from iteration    1200",
    "  scheduled an async checkpoint save at iteration    1200 to runs/exp1/ckpt",
    "saving dataloader checkpoint at iteration 1200 to runs/exp1/dl",
    "  successfully deleted checkpoint from iteration    1000 at runs/exp1/ckpt",
    " loading distributed checkpoint from runs/exp1/ckpt at iteration 1200",
    "  successfully loaded checkpoint from runs/exp1/ckpt [ t 1/2, p 1/1 ] at iteration 1200",
    "WARNING: could not find the metadata file runs/exp1/ckpt/latest_checkpointed_iteration.txt",
    "    will not load any checkpoints and will start from random",
    " validation loss at iteration 1200 | lm loss value: 2.690000E+00 | lm loss PPL: 1.473170E+01 | ",
    " validation loss at iteration 20000 on test set | lm loss value: 2.690000E+00 | lm loss PPL: 1.473170E+01 | ",
    "[exiting program at iteration 1200] datetime: 2026-03-14 09:30:00 ",
    "[after training is done] datetime: 2026-03-14 09:30:00 ",
    "  distributed_timeout_minutes ..................... 10",
    "  exit_on_missing_checkpoint ...................... False",
    "  distributed_backend ............................. nccl",
    "  error_injection_rate ............................ 0",
    "[Rank 0] (after 2 iterations) memory (MB) | allocated: 8123.44 | max allocated: 20110.02 | reserved: 21000.00",
    "gpu07:41233:41877 [3] misc/socket.cc:50 NCCL WARN socketProgress: Connection closed by remote peer gpu08<41522>",
    "gpu07:41233:41877 [0] NCCL INFO NCCL_IB_TIMEOUT set by environment to 22.",
    "NCCL version 2.21.5+cuda12.4",
    "using world size: 16, data-parallel size: 8, context-parallel size: 1",
    "slurmstepd: error: *** JOB 4242 ON gpu07 CANCELLED AT 2026-03-14T12:00:11 DUE TO TIME LIMIT ***",
    "srun: error: gpu07: task 3: Exited with exit code 1"
  ].map((line) => [line, {}] as const)
]

describe("megatron_checkpoint_eval", () => {
  it.effect.each(lines)("reads %j", ([line, found]) =>
    Effect.gen(function*() {
      const { config } = yield* loading("autoexp", ["monitoring=megatron_checkpoint_eval"])
      const detect = Either.getOrThrow(makeDetector(config.monitoring))
      const matches = detect([{ offset: 0, text: line }])
      expect(Object.fromEntries(matches.map(({ groups, rule }) => [rule, groups]))).toEqual(found)
      expect(matches).toHaveLength(Object.keys(found).length)
    }))

  it.effect("asks for the evaluation of the very checkpoint that was saved, by overrides that can be read", () =>
    Effect.gen(function*() {
      const { config } = yield* loading("autoexp")
      const rule = config.monitoring.log_events.find(({ name }) => name === "checkpoint_saved")
      const binding = rule?.actions[0]
      const action = binding?.class_name === "EventAction" ? binding.action : undefined
      const overrides = action?.class_name === "RunAutoexpAction" ? action.overrides : []
      const hostile = { checkpoint_path: "a b=c,[d]{e}", checkpoint_iteration: "1200" }
      const read = overrides.map((text) =>
        Either.getOrThrow(parseOverride(Either.getOrThrow(formatTemplate(text, hostile))))
      )
      expect(read.map(({ key, value }) => [key, value?.kind === "scalar" ? value.value : null])).toEqual([
        ["evaluation.checkpoint", "a b=c,[d]{e}/iter_0001200"],
        ["evaluation.iteration", 1200]
      ])
      const { config: follow } = yield* loading("autoexp", ["evaluation.checkpoint='/x/iter_0001200'"])
      expect(follow.backend).toMatchObject({ args: { evaluate_checkpoint: "/x/iter_0001200" } })
    }))
})

describe("the files", () => {
  it("are all YAML without mistakes", () => {
    for (const group of ["", ...groups]) {
      for (const option of options(group)) {
        const file = path.join(configDir, group, `${option}.yaml`)
        const problems: Array<never> = []
        parseYaml(fs.readFileSync(file, "utf8"), file, problems)
        expect(problems).toEqual([])
      }
    }
  })
})
