import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import { expect } from "vitest"
import { layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"
import { parseOverride } from "../../src/config/overrides.ts"
import { acts, makeDetector } from "../../src/rule/detect.ts"
import type { Monitoring } from "../../src/rule/Monitoring.ts"
import { formatTemplate } from "../../src/sweep/format.ts"
import { matchesIn } from "../rule/finding.ts"

const configDir = path.resolve(import.meta.dirname, "../../config")

const loading = (...overrides: ReadonlyArray<string>) =>
  Effect.map(Effect.provide(load({ configDir, configRef: "autoexp", overrides }), layer), ({ config }) => config)

const loaded = new Map<string, Promise<Monitoring>>()

/** The preset's section, loaded once. */
const section = (preset: string) =>
  Effect.promise(() => {
    const known = loaded.get(preset) ??
      Effect.runPromise(Effect.map(loading(`monitoring=${preset}`), ({ monitoring }) => monitoring))
    loaded.set(preset, known)
    return known
  })

const presets = [
  "megatron_basic",
  "megatron_production",
  "megatron_checkpoint_eval",
  "megatron_nccl",
  "megatron_stall_detection"
] as const
type Preset = (typeof presets)[number]

/** Each rule of the preset that found something in the line, with what it found, and the names of its acting rules. */
const reading = (preset: string, line: string) =>
  Effect.map(section(preset), (monitoring) => {
    const matches = matchesIn(Either.getOrThrow(makeDetector(monitoring)), [line])
    expect(new Set(matches.map(({ rule }) => rule)).size, `one match a rule in ${line}`).toBe(matches.length)
    const acting = monitoring.log_events.filter(acts).map(({ name }) => name)
    return { groups: Object.fromEntries(matches.map(({ groups, rule }) => [rule, groups])), acting }
  })

/** Composed after Megatron core 0.12 to 0.20, torch 2.0 to 2.8, NCCL, torchrun and Slurm 20.11 to 25.11. */
const iteration = (time: string, rest = " lm loss: 2.731000E+00 | loss scale: 1.0 | grad norm: 0.412 |") =>
  ` [${time}] iteration     1200/   20000 | consumed samples:       307200 | elapsed time per iteration (ms): 843.2 |`
  + ` throughput per GPU (TFLOP/s/GPU): 412.7 | learning rate: 2.400000E-04 | global batch size:   256 |${rest}`
  + " number of skipped iterations:   0 | number of nan iterations:   0 |"

const saved = (time = "", groups = "p 1/1") =>
  `  ${time}successfully saved checkpoint from iteration    1200 to runs/exp1/ckpt [ t 1/2, ${groups} ]`

const testLoss = "loss at iteration 20000 on test set | lm loss value: 2.690000E+00 | lm loss PPL: 1.473170E+01 | "

const training = {
  training_iteration: {
    iteration: "1200",
    total_iterations: "20000",
    loss: "2.731000E+00",
    step_ms: "843.2",
    tflops: "412.7"
  }
}
const checkpoint = { checkpoint_saved: { checkpoint_iteration: "1200", checkpoint_path: "runs/exp1/ckpt" } }
const begun = { checkpoint_begun: { saving_iteration: "1200" } }
const validated = { validation_complete: { validation_loss: "2.690000E+00" } }

/** What a healthy run says of how it goes. */
const progress: ReadonlyArray<readonly [line: string, found: object]> = [
  [iteration("2026-03-14 09:26:53"), training],
  [iteration("2026-03-14 09:26:53.589793"), training],
  [`[default0]:${iteration("2026-03-14 09:26:53.589793")}`, training],
  [`0: ${iteration("2026-03-14 09:26:53")}`, training],
  ["[2026-03-14 09:26:53.589793] saving checkpoint at iteration    1200 to runs/exp1/ckpt in torch_dist format", begun],
  ["saving checkpoint at iteration    1200 to runs/exp1/ckpt in torch_dist format", begun],
  [
    iteration("2026-03-14 09:26:53.589793", " mtp_1 loss: 3.1E+00 | lm loss: 2.731000E+00 | loss scale: 1.0 |"),
    training
  ],
  [iteration("2026-03-14 09:26:53.589793", " loss scale: 1.0 |"), {
    training_iteration: { ...training.training_iteration, loss: null }
  }],
  [saved(), checkpoint],
  [saved("[2026-03-14 09:26:58.120044] "), checkpoint],
  [saved("[2026-03-14 09:26:58.120044] ", "gtp_remat 1/1, p 1/1"), checkpoint],
  [`[default0]:${saved()}`, checkpoint],
  [saved().replace("runs/exp1", "runs/my exp"), {
    checkpoint_saved: { checkpoint_iteration: "1200", checkpoint_path: "runs/my exp/ckpt" }
  }],
  [` validation ${testLoss}`, validated],
  [` validation-1 ${testLoss}`, validated],
  [`[default7]: validation-NAME ${testLoss}`, validated],
  [` validation ${testLoss.replace("2.690000E+00", "NAN").replace("1.473170E+01", "nan")}`, {
    validation_complete: { validation_loss: "NAN" },
    loss_nan: { error_message: "loss value: NAN | lm loss PPL: nan | " }
  }]
]

/** Everything else that a healthy run prints. */
const healthy: ReadonlyArray<string> = [
  "  successfully saved local checkpoint from iteration    1200",
  "  [2026-03-14 09:26:58.120044] successfully saved local checkpoint from iteration    1200",
  "  scheduled an async checkpoint save at iteration    1200 to runs/exp1/ckpt",
  "saving dataloader checkpoint at iteration 1200 to runs/exp1/dl",
  "  successfully deleted checkpoint from iteration    1000 at runs/exp1/ckpt",
  " loading distributed checkpoint from runs/exp1/ckpt at iteration 1200",
  "  successfully loaded checkpoint from runs/exp1/ckpt [ t 1/2, p 1/1 ] at iteration 1200",
  "  successfully loaded checkpoint from runs/exp1/ckpt [ t 1/2, gtp_remat 1/1, p 1/1 ] at iteration 1200",
  "WARNING: could not find the metadata file runs/exp1/ckpt/latest_checkpointed_iteration.txt",
  "    will not load any checkpoints and will start from random",
  " validation loss at iteration 1200 | lm loss value: 2.690000E+00 | lm loss PPL: 1.473170E+01 | ",
  " validation loss at iteration 20000 on validation set | lm loss value: 2.690000E+00 | lm loss PPL: 1.473170E+01 | ",
  " validation-1 loss at iteration 1200 | lm loss value: 2.690000E+00 | lm loss PPL: 1.473170E+01 | ",
  "Evaluating on 8192 samples",
  "Evaluating iter 1/32",
  "-----------------------------------------------------------------------------------------------",
  "[exiting program at iteration 1200] datetime: 2026-03-14 09:30:00 ",
  "[exiting program after 235.02 minutes] datetime: 2026-03-14 09:30:00.120044 ",
  "[exiting program after receiving SIGTERM.] datetime: 2026-03-14 09:30:00 ",
  "[after training is done] datetime: 2026-03-14 09:30:00 ",
  "[before the start of training step] datetime: 2026-03-14 09:30:00 ",
  "done with setup ...",
  "training ...",
  "setting training iterations to 20000",
  "using world size: 16, data-parallel size: 8, context-parallel size: 1, pipeline-model-parallel size: 1",
  "------------------------ arguments ------------------------",
  "  accumulate_allreduce_grads_in_fp32 .............. True",
  "  check_for_nan_in_loss_and_grad .................. True",
  "  check_for_spiky_loss ............................ False",
  "  cuda_graph_impl ................................. none",
  "  distributed_backend ............................. nccl",
  "  distributed_timeout_minutes ..................... 10",
  "  error_injection_rate ............................ 0",
  "  error_injection_type ............................ transient_error",
  "  exit_on_missing_checkpoint ...................... False",
  "  log_loss_scale_to_tensorboard ................... True",
  "  loss_scale ...................................... None",
  "  initial_loss_scale .............................. 4294967296",
  "  no_load_optim ................................... None",
  "  overlap_grad_reduce ............................. True",
  "-------------------- end of arguments ---------------------",
  "(min, max) time across ranks (ms):",
  "    forward-backward ...............................: (812.44, 815.02)",
  "    all-grads-sync .................................: (0.04, 0.06)",
  "    optimizer-unscale-and-check-inf ................: (1.22, 1.24)",
  "[Rank 0] (after 2 iterations) memory (MB) | allocated: 8123.44 | max allocated: 20110.02 | reserved: 21000.00",
  " > number of parameters on (tensor, pipeline) model parallel rank (0, 0): 1234567890",
  "gpu07:41233:41877 [0] NCCL INFO NCCL_IB_TIMEOUT set by environment to 22.",
  "gpu07:41233:41877 [0] NCCL INFO Bootstrap : Using ib0:10.1.2.3<0>",
  "gpu07:41233:41877 [0] NCCL INFO NET/IB : No device found, error ignored; AllReduce goes over sockets.",
  "gpu07:41233:41877 [0] NCCL INFO comm 0x55d rank 0 nranks 16 - Abort COMPLETE",
  "gpu07:41233:41877 [0] NCCL INFO TUNER/Plugin: Failed to find ncclTunerPlugin_v3 symbol.",
  "NCCL version 2.21.5+cuda12.4",
  "[rank0]:[W314 09:26:01.1 ProcessGroupNCCL.cpp:4115] [PG ID 0 PG GUID 0 Rank 0] using GPU 0 to perform barrier as " +
  "devices used by this process are currently unknown. This can potentially cause a hang if this rank to GPU mapping " +
  "is incorrect.",
  "[rank0]:[W314 09:26:01.1 ProcessGroupNCCL.cpp:1250] Warning: WARNING: process group has NOT been destroyed before " +
  "we destruct ProcessGroupNCCL. On normal program exit, the application should call destroy_process_group.",
  "[W socket.cpp:663] [c10d] The client socket has failed to connect to [gpu07]:29500 (errno: 97 - Address family " +
  "not supported by protocol).",
  "huggingface/tokenizers: The current process just got forked, after parallelism has already been used. Disabling " +
  "parallelism to avoid deadlocks...",
  "DeprecationWarning: This process (pid=41233) is multi-threaded, use of fork() may lead to deadlocks in the child.",
  "WARNING:urllib3.connectionpool:Retrying after connection broken by 'ConnectionResetError(104, 'Connection reset " +
  "by peer')'",
  "wandb: WARNING a caught ValueError: nothing to log",
  "INFO: retried once after RuntimeError: the tracker was busy",
  "/usr/lib/python3.12/site-packages/torch/cuda/__init__.py:61: FutureWarning: The pynvml package is deprecated.",
  "UserWarning: expandable_segments not supported on this platform",
  "Spiky loss: rank 3 at iteration #412 (message='Spiky loss')",
  "slurmstepd: error: *** JOB 4242 ON gpu07 CANCELLED AT 2026-03-14T12:00:11 DUE TO TIME LIMIT ***",
  "slurmstepd: error: *** STEP 4242.0 ON gpu07 CANCELLED AT 2026-03-14T12:00:11 DUE TO PREEMPTION ***",
  "srun: error: gpu07: task 3: Exited with exit code 1",
  "srun: Job step aborted: Waiting up to 32 seconds for job step to finish.",
  "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ",
  "torch.distributed.elastic.multiprocessing.api.SignalException: Process 41200 got signal: 15",
  "  error_file: <N/A>",
  "W0314 09:41:20.157000 41200 torch/distributed/elastic/multiprocessing/api.py:900] Sending process 41234 closing " +
  "signal SIGTERM",
  "E0314 09:41:21.627620 41200 torch/distributed/elastic/multiprocessing/api.py:874] failed (exitcode: 1) " +
  "local_rank: 3 (pid: 41237) of binary: python",
  "Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions."
]

describe.each([...presets, "megatron_torchrun", "megatron_torchrun_elastic"])("%s", (preset) => {
  it.effect.each(progress)("reads %j", ([line, found]) =>
    Effect.gen(function*() {
      const { acting, groups } = yield* reading(preset, line)
      const { log_events } = yield* section(preset)
      const has = (name: string) => log_events.some((rule) => rule.name === name)
      for (const name of ["training_iteration", "validation_complete"]) expect(acting).not.toContain(name)
      const expected = Object.entries(found).filter(([name]) => has(name))
      if (has("loss_invalid") && line.includes("NAN")) expected.push(["loss_invalid", expect.anything()])
      expect(groups).toEqual(Object.fromEntries(expected))
    }))

  it.effect("finds nothing in any other line of a healthy run, or of an end that has causes elsewhere", () =>
    Effect.gen(function*() {
      for (const line of healthy) expect([line, (yield* reading(preset, line)).groups]).toEqual([line, {}])
    }))
})

/** The presets that tell of each rule. */
const all = (...rules: ReadonlyArray<string>): Expected => ({
  megatron_basic: rules,
  megatron_production: rules,
  megatron_checkpoint_eval: rules
})
const acting = (...rules: ReadonlyArray<string>): Expected => ({
  megatron_production: rules,
  megatron_checkpoint_eval: rules
})
type Expected = Partial<Record<Preset, ReadonlyArray<string>>>

const watchdog =
  "Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1580, OpType=ALLREDUCE, NumelIn=1048576, "
  + "NumelOut=1048576, Timeout(ms)=600000) ran for 600060 milliseconds before timing out."
const unexpected = (message: string) =>
  `RuntimeError: Rank 3, node gpu07, device 3, iteration 412: Unexpected result nan (message='${message}')`

const ncclTimeout: Expected = {
  megatron_production: ["nccl_timeout"],
  megatron_checkpoint_eval: ["nccl_error"],
  megatron_nccl: ["nccl_timeout"]
}
const ncclError: Expected = { ...acting("nccl_error"), megatron_nccl: ["nccl_error"] }
const timeout: Expected = { ...acting("processgroup_timeout"), megatron_stall_detection: ["processgroup_timeout"] }
const communication: Expected = { ...acting("communication_error"), megatron_nccl: ["communication_error"] }
const hang: Expected = { ...acting("cuda_hang"), megatron_stall_detection: ["cuda_hang"] }
const deadlock: Expected = { ...acting("deadlock"), megatron_stall_detection: ["deadlock"] }
const lossNan: Expected = { ...acting("loss_nan"), megatron_stall_detection: ["loss_invalid"] }
const gradientNan: Expected = { ...acting("gradient_nan"), megatron_stall_detection: ["gradient_invalid"] }
const basicToo = (name: string, expected: Expected): Expected => ({ ...expected, megatron_basic: [name] })

/** What a sick run says, and which rules of which presets notice. */
const sick: ReadonlyArray<readonly [line: string, expected: Expected]> = [
  ["[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 3 has", all("cuda_oom")],
  ["torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has", all("cuda_oom")],
  ["torch.OutOfMemoryError: HIP out of memory. Tried to allocate 2.50 GiB.", all("cuda_oom")],
  ["torch.OutOfMemoryError: Allocation on device 0 would exceed allowed memory.", all("cuda_oom")],
  [
    "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 39.59 GiB total capacity",
    basicToo("cuda_oom", acting("cuda_oom"))
  ],
  [
    "RuntimeError: [enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried " +
    "to allocate 8589934592 bytes. Error code 12 (Cannot allocate memory)",
    basicToo("python_exception", acting("cpu_oom"))
  ],
  ["OSError: [Errno 12] Cannot allocate memory", basicToo("python_exception", acting("cpu_oom"))],
  ["MemoryError", acting("cpu_oom")],
  ["numpy.core._exceptions._ArrayMemoryError: Unable to allocate 37.3 GiB", acting("cpu_oom")],
  ["slurmstepd: error: Detected 1 oom-kill event(s) in StepId=4242.0 cgroup. Some of your", acting("cpu_oom")],
  ["slurmstepd-gpu07: error: Detected 2 oom_kill events in StepId=4242.0. Some of the step", acting("cpu_oom")],
  ["srun: error: gpu07: task 3: Out Of Memory", acting("cpu_oom")],
  [`[rank0]:[E314 09:41:12.408271257 ProcessGroupNCCL.cpp:616] [Rank 0] ${watchdog}`, {
    ...ncclTimeout,
    megatron_stall_detection: ["watchdog_timeout"]
  }],
  [
    "[rank0]:[E314 09:41:12.465150152 ProcessGroupNCCL.cpp:1785] [PG ID 0 PG GUID 0(default_pg) Rank 0] Exception " +
    "(either an error or timeout) detected by watchdog at work: 1580, last enqueued NCCL work: 1582",
    { ...ncclTimeout, megatron_stall_detection: ["watchdog_timeout"] }
  ],
  [`  what():  [PG ID 0] Process group watchdog thread terminated with exception: [Rank 0] ${watchdog}`, {
    ...ncclTimeout,
    megatron_stall_detection: ["watchdog_timeout"]
  }],
  ["  what():  NCCL watchdog thread terminated with exception: CUDA error: unspecified", ncclTimeout],
  ["terminate called after throwing an instance of 'c10::DistBackendError'", ncclError],
  [
    "[rank1]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:268, " +
    "unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.21.5",
    basicToo("torch_error", ncclError)
  ],
  [
    "RuntimeError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1269, internal error",
    basicToo("python_exception", ncclError)
  ],
  ["RuntimeError: NCCL Error 2: unhandled system error", basicToo("python_exception", ncclError)],
  ["NCCL ERROR injected", ncclError],
  ["gpu07:41233:41877 [3] misc/socket.cc:50 NCCL WARN socketProgress: Connection closed by remote peer gpu08<41522>", {
    megatron_nccl: ["nccl_warning"]
  }],
  ["gpu07:1:1 [3] enqueue.cc:9 NCCL WARN AllReduce : 4 bytes failed", {
    megatron_nccl: ["nccl_warning", "nccl_collective_fail"]
  }],
  [
    "[rank2]: torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients. 14/16 clients joined.",
    basicToo("torch_error", timeout)
  ],
  [
    "RuntimeError: [../third_party/gloo/gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 1800000ms for recv",
    basicToo("python_exception", timeout)
  ],
  ["[E socket.cpp:957] [c10d] The client socket has timed out after 60000ms while trying to connect", timeout],
  [
    "torch.distributed.DistStoreError: wait timeout after 600000ms, keys: /default_pg/0//cuda//0",
    basicToo("torch_error", timeout)
  ],
  [
    "torch.distributed.elastic.rendezvous.api.RendezvousConnectionError: The connection to the C10d store has failed.",
    basicToo("torch_error", communication)
  ],
  ["torch.distributed.DistNetworkError: Connection reset by peer", basicToo("torch_error", communication)],
  [
    "RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [10.0.0.2]:4711",
    basicToo("python_exception", communication)
  ],
  ["srun: error: task 0 launch failed on node gpu07: Communication connection failure", communication],
  ["RuntimeError: CUDA error: device-side assert triggered", basicToo("python_exception", hang)],
  [
    "torch.AcceleratorError: CUDA error: device-side assert triggered",
    { ...acting("torch_error", "cuda_hang"), megatron_basic: ["torch_error"], megatron_stall_detection: ["cuda_hang"] }
  ],
  ["watch: CUDA stream 7 seems to hang", hang],
  ["scheduler: deadlock detected between ranks 3 and 5", deadlock],
  ["DEADLOCK in pipeline schedule", deadlock],
  [unexpected("found NaN in local forward loss calculation"), basicToo("python_exception", lossNan)],
  [unexpected("found Inf in local forward loss calculation"), basicToo("python_exception", lossNan)],
  [
    "Unexpected result nan on rank 3 at iteration #412 invocation #1 (message='found NaN in local forward loss " +
    "calculation')",
    lossNan
  ],
  [iteration("2026-03-14 09:26:53", " lm loss: nan | loss scale: 1.0 |"), {
    megatron_basic: ["training_iteration"],
    megatron_nccl: ["training_iteration"],
    ...acting("training_iteration", "loss_nan"),
    megatron_stall_detection: ["training_iteration", "loss_invalid"]
  }],
  [
    unexpected("found NaN in local grad norm for bucket #3 in backward pass"),
    basicToo("python_exception", gradientNan)
  ],
  [iteration("2026-03-14 09:26:53", " lm loss: 2.7E+00 | loss scale: 1.0 | grad norm: nan |"), {
    megatron_basic: ["training_iteration"],
    megatron_nccl: ["training_iteration"],
    ...acting("training_iteration", "gradient_nan"),
    megatron_stall_detection: ["training_iteration", "gradient_invalid"]
  }],
  ["[default3]:[rank3]: torch.AcceleratorError: CUDA error: an illegal memory access", all("torch_error")],
  ["torch._dynamo.exc.BackendCompilerError: backend='inductor' raised:", all("torch_error")],
  ["[rank3]: RuntimeError: CUDA error: an illegal memory access was encountered", all("python_exception")],
  ["3: ValueError: sequence length must be a multiple of 8", all("python_exception")],
  ["KeyError: 'model'", all("python_exception")],
  ["FileNotFoundError: [Errno 2] No such file or directory: '/data/x.idx'", { megatron_basic: ["python_exception"] }]
]

describe("a sick run", () => {
  it.effect.each(sick)("is noticed by %j", ([line, expected]) =>
    Effect.gen(function*() {
      for (const preset of presets) {
        const { acting, groups } = yield* reading(preset, line)
        const names = Object.keys(groups)
        expect([preset, names.sort()]).toEqual([preset, [...expected[preset] ?? []].sort()])
        const telling = names.filter((name) => name !== "training_iteration")
        expect(acting).toEqual(expect.arrayContaining(telling))
      }
    }))

  it.effect.each([
    {
      line: "[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB.",
      found: { cuda_oom: { allocation_size: "2.50 GiB" } }
    },
    {
      line: "[rank3]: torch.AcceleratorError: CUDA error: x",
      found: { torch_error: { error_class: "AcceleratorError", error_message: "CUDA error: x" } }
    },
    {
      line: "TypeError: 'int' object",
      found: { python_exception: { exception_type: "TypeError", error_message: "'int' object" } }
    },
    { line: `[Rank 0] ${watchdog}`, found: { nccl_timeout: { timeout_details: watchdog } } }
  ])("leaves what it says to actions: $line", ({ found, line }) =>
    Effect.gen(function*() {
      expect((yield* reading("megatron_production", line)).groups).toEqual(found)
    }))

  it.effect.each([
    {
      line: "torch.distributed.DistBackendError: NCCL error in: x.cpp:268, unhandled system error (run",
      code: "unhandled system error"
    },
    { line: "RuntimeError: NCCL error in: x.cpp:1, invalid usage, NCCL version 2.21.5", code: "invalid usage" },
    { line: "NCCL ERROR injected", code: null }
  ])("has NCCL's own word for it: $line", ({ code, line }) =>
    Effect.gen(function*() {
      const { groups } = yield* reading("megatron_nccl", line)
      expect(groups).toMatchObject({ nccl_error: { nccl_error_code: code } })
    }))
})

describe("megatron_checkpoint_eval", () => {
  it.effect("knows all that megatron_production knows, NCCL's failures as one rule", () =>
    Effect.gen(function*() {
      const rules = (monitoring: Monitoring) =>
        monitoring.log_events.filter(({ name }) => name !== "checkpoint_saved" && !name.startsWith("nccl_"))
      const [production, own] = [yield* section("megatron_production"), yield* section("megatron_checkpoint_eval")]
      expect(rules(own)).toEqual(rules(production))
      expect({ ...own, log_events: [] }).toEqual({ ...production, log_events: [] })
    }))

  it.effect("asks for the evaluation of the very checkpoint that was saved, by overrides that can be read", () =>
    Effect.gen(function*() {
      const { log_events } = yield* section("megatron_checkpoint_eval")
      const rule = log_events.find(({ name }) => name === "checkpoint_saved")
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
      const follow = yield* loading("evaluation.checkpoint='/x/iter_0001200'")
      expect(follow.backend).toMatchObject({ args: { evaluate_checkpoint: "/x/iter_0001200" } })
    }))
})

describe("megatron_followup", () => {
  it.effect("queues one follow-up, which has none itself", () =>
    Effect.gen(function*() {
      const { state_events } = yield* section("megatron_followup")
      const success = state_events.find(({ name }) => name === "success")
      const queued = success?.actions.flatMap((binding) => binding.class_name === "EventAction" ? [binding] : []) ?? []
      expect(queued.map(({ action, mode }) => [mode, action.class_name])).toEqual([
        ["queue", "RunAutoexpAction"],
        ["queue", "RunCommandAction"]
      ])
      const action = queued[0]?.action
      const overrides = action?.class_name === "RunAutoexpAction" ? action.overrides : []
      const read = overrides.map((text) => Either.getOrThrow(formatTemplate(text, { output_dir: "/out/a b" })))
      const config = yield* loading("monitoring=megatron_followup", ...read)
      expect(config.evaluation).toMatchObject({ checkpoint: "/out/a b/checkpoints" })
      expect(config.monitoring.state_events.flatMap(({ actions }) => actions)).toEqual([
        { class_name: "LogAction", message: "run_finished" }
      ])
    }))
})

describe("no preset", () => {
  it.effect.each([...presets, "megatron_followup", "default", "demo"])(
    "ends a job by what its log says: %s",
    (preset) =>
      Effect.gen(function*() {
        const { log_events, state_events } = yield* section(preset)
        const classes = log_events.map(({ state }) => state?.class_name ?? null)
        expect(classes).not.toContain("SuccessState")
        expect(classes).not.toContain("TimeoutState")
        const own = { success: "SuccessState", crash: "CrashState", stall: "StalledState", timeout: "TimeoutState" }
        for (const { name, state } of state_events) expect(state?.class_name).toBe(own[name])
      })
  )
})
