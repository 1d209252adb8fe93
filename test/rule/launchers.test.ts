/** What each launcher's preset makes of a run that falls ill: restarted, rolled back, or left to a person. */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { expect } from "vitest"
import { layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"
import { makeDetector } from "../../src/rule/detect.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { toRun } from "../../src/session/pending.ts"
import { matchesIn } from "./finding.ts"
import { machine } from "./machine.ts"

const configDir = path.resolve(import.meta.dirname, "../../config")

const sections = new Map<string, Monitoring>()

const section = (preset: string): Effect.Effect<Monitoring, unknown> => {
  const known = sections.get(preset)
  if (known !== undefined) return Effect.succeed(known)
  return load({ configDir, configRef: "autoexp", overrides: [`monitoring=${preset}`] }).pipe(
    Effect.provide(layer),
    Effect.map(({ config: { monitoring } }) => monitoring),
    Effect.tap((monitoring) => Effect.sync(() => sections.set(preset, monitoring)))
  )
}

/** What follows when the log has these lines: at once, and, where that is nothing, when the job then ends in `state`. */
const course = (monitoring: Monitoring, lines: ReadonlyArray<string>, state: string) => {
  const m = machine(Schema.encodeSync(Monitoring)(monitoring))
  m.submitAll()
  m.accept()
  m.state("RUNNING", "a", { nodes: "gpu[01-08]" })
  const matches = matchesIn(Either.getOrThrow(makeDetector(monitoring)), lines)
  m.fact("LogRead", { path: "log", from: 0, to: 1, size: 1, identity: "f", matches }, { job: "a", attempt: 1 })
  const atOnce = m.job().cancel !== null
  m.state(atOnce ? "CANCELLED" : state, "a", state === "NODE_FAIL" && lines.length === 0 ? { nodes: "gpu03" } : {})
  m.pass(40)
  const rollsBack = toRun(m.session).length > 0
  const restart = m.job().restarts.at(0) ?? null
  const wait = m.records.flatMap(({ data, type }) => type === "RestartDecided" && "not_before" in data ? [data] : [])
  if (restart !== null && !rollsBack) {
    expect(wait, "a restart backs off").toHaveLength(1)
    expect(m.job().attempt, "it has not begun yet").toBe(1)
    m.pass(300)
    expect(m.job().attempt).toBe(2)
  }
  expect(m.replay()).toEqual(m.records)
  return {
    then: rollsBack ? "rollback" as const : restart === null ? m.job().outcome : "restart" as const,
    atOnce,
    excluded: [...m.session.excluded.keys(), ...(m.job().changes?.exclude ?? []).map(({ node }) => node)]
  }
}

const watchdog =
  "[rank0]:[E314 09:41:12.408271257 ProcessGroupNCCL.cpp:616] [Rank 0] Watchdog caught collective operation "
  + "timeout: WorkNCCL(SeqNum=1580, OpType=ALLREDUCE, NumelIn=1048576, Timeout(ms)=600000) ran for 600060 milliseconds"
const nccl =
  "[rank1]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:268, "
  + "unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.21.5"
const iteration =
  " [2026-03-14 09:26:53.589793] iteration     1200/   20000 | consumed samples:       307200 | elapsed time "
  + "per iteration (ms): 843.2 | learning rate: 2.400000E-04 | global batch size:   256 | lm loss: 2.731000E+00 | loss "
  + "scale: 1.0 | grad norm: 0.412 | number of skipped iterations:   0 | number of nan iterations:   0 |"
const recovery = "I0314 09:41:20 41200 [default] Worker group FAILED. 2/3 attempts left; will restart worker group"
const consequences = [nccl, watchdog, "terminate called after throwing an instance of 'c10::DistBackendError'"]

/** What no restart mends, and what others say because of it. */
const never: ReadonlyArray<readonly [what: string, lines: ReadonlyArray<string>]> = [
  ["a bad argument", ["pretrain_gpt.py: error: unrecognized arguments: --num-layer 3"]],
  ["a missing argument", ["pretrain_gpt.py: error: the following arguments are required: --lr"]],
  ["a quota", ["OSError: [Errno 122] Disk quota exceeded: '/data/ckpt/iter_0001000/__0_0.distcp'"]],
  ["a full disk", ["[rank0]: OSError: [Errno 28] No space left on device"]],
  ["a GPU out of memory", [
    "[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 3 has"
  ]],
  ["a host out of memory", ["slurmstepd: error: Detected 1 oom_kill event in StepId=4242.0. Some of the step tasks"]],
  ["shapes of a layer", ["RuntimeError: mat1 and mat2 shapes cannot be multiplied (4096x1024 and 2048x1024)"]],
  ["shapes of a checkpoint", ["[rank0]: RuntimeError: size mismatch for decoder.layers.0: copying a param with shape"]],
  [
    "a checkpoint of another size",
    [
      "megatron.core.dist_checkpointing.core.CheckpointingException: Global shape mismatch for loaded "
      + "(torch.Size([1024])) and expected ((2048,)) tensor for key decoder"
    ]
  ],
  ["a corrupt index", ["AssertionError: bad header, cannot read: /data/corpus_text_document.idx"]],
  ["a NaN", [
    "RuntimeError: Rank 3, node gpu07, iteration 412: Unexpected result nan (message='found NaN in local forward "
    + "loss calculation')"
  ]],
  ["a missing module", ["ModuleNotFoundError: No module named 'megatron'"]],
  ["an assertion on the device", ["RuntimeError: CUDA error: device-side assert triggered"]]
]

/** What a node or the network did. */
const local: ReadonlyArray<readonly [what: string, lines: ReadonlyArray<string>, excluded?: string]> = [
  ["an ECC error", ["[rank3]: RuntimeError: CUDA error: uncorrectable ECC error encountered"]],
  ["an Xid", ["gpu03: NVRM: Xid (PCI:0000:07:00): 79, pid=41233, GPU has fallen off the bus."], "gpu03"],
  ["a link", ["torch.AcceleratorError: CUDA error: uncorrectable NVLink error detected during the execution"]],
  [
    "an adapter",
    ["gpu05:41233:41877 [3] NCCL WARN NET/IB : Got completion from peer 10.1.2.3<41522> with status=12 opcode=0"],
    "gpu05"
  ],
  ["a bus error", ["srun: error: gpu07: task 3: Bus error (core dumped)"]],
  ["NCCL's time-out", [watchdog]],
  ["NCCL's error", [nccl, nccl, nccl]],
  ["a store's time-out", ["torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients. 14/16"]],
  [
    "a lost node, as srun says",
    ["srun: error: task 0 launch failed on node gpu07: Communication connection failure"],
    "gpu07"
  ],
  ["an illegal access", ["RuntimeError: CUDA error: an illegal memory access was encountered"]],
  ["a file system that stumbles", ["OSError: [Errno 116] Stale file handle: '/data/corpus_text_document.bin'"]]
]

const missingShard =
  "[rank7]: FileNotFoundError: [Errno 2] No such file or directory: '/ckpt/iter_0001000/__7_1.distcp'"

const presets = [
  { preset: "megatron_torchrun", early: true },
  { preset: "megatron_torchrun_elastic", early: false },
  { preset: "megatron_ft_launcher", early: false },
  { preset: "megatron_torchft", early: false }
] as const

describe.each(presets)("under $preset", ({ early, preset }) => {
  it.effect.each(never)(
    "never restarts after %s, whatever the other ranks say of it",
    ([, lines]) =>
      Effect.gen(function*() {
        const monitoring = yield* section(preset)
        for (const all of [lines, [iteration, ...lines, ...consequences]]) {
          expect(course(monitoring, all, "FAILED")).toMatchObject({ then: "failed" })
        }
      })
  )

  it.effect.each(local)(
    "restarts after %s, within its budget and after a pause",
    ([, lines, node]) =>
      Effect.gen(function*() {
        const found = course(yield* section(preset), [iteration, ...lines], "FAILED")
        expect(found).toMatchObject({ then: "restart", atOnce: early })
        expect(found.excluded).toEqual(node === undefined ? [] : [node])
      })
  )

  // Later a launcher that heals may have overcome it, so there the last word counts.
  it.effect("never restarts after an exception of the program", () =>
    Effect.gen(function*() {
      const exception = "[rank2]: KeyError: 'tokens'"
      const lines = early ? [exception, ...consequences] : [iteration, exception]
      expect(course(yield* section(preset), lines, "FAILED")).toMatchObject({ then: "failed" })
    }))

  it.effect("keeps away from a node that SLURM or srun names as lost, and goes on after a preemption and a time limit", () =>
    Effect.gen(function*() {
      const monitoring = yield* section(preset)
      expect(course(monitoring, [], "NODE_FAIL")).toEqual({ then: "restart", atOnce: false, excluded: ["gpu03"] })
      const named = [
        iteration,
        "srun: error: Node failure on gpu05",
        "srun: Job step aborted: Waiting up to 32 seconds"
      ]
      expect(course(monitoring, named, "NODE_FAIL")).toEqual({ then: "restart", atOnce: false, excluded: ["gpu05"] })
      const many = [iteration, "srun: error: Node failure on gpu[03,05]"]
      expect(course(monitoring, many, "NODE_FAIL")).toEqual({ then: "restart", atOnce: false, excluded: [] })
      for (const state of ["PREEMPTED", "TIMEOUT"]) {
        expect(course(monitoring, [iteration], state)).toMatchObject({ then: "restart" })
      }
    }))

  it.effect("leaves alone what completes, and what somebody cancels", () =>
    Effect.gen(function*() {
      const monitoring = yield* section(preset)
      expect(course(monitoring, [iteration], "COMPLETED")).toMatchObject({ then: "success" })
      expect(course(monitoring, [iteration], "CANCELLED")).toMatchObject({ then: "cancelled" })
      if (!early) expect(course(monitoring, [nccl, recovery], "CANCELLED")).toMatchObject({ then: "cancelled" })
    }))

  it.effect("tries a failure once more that nothing explains, and each other one at most three times", () =>
    Effect.gen(function*() {
      const monitoring = yield* section(preset)
      expect(course(monitoring, [iteration], "FAILED")).toMatchObject({ then: "restart" })
      const actions = [...monitoring.log_events, ...monitoring.state_events].flatMap(({ actions }) =>
        actions.map((one) => one.class_name === "EventAction" ? one.action : one)
      )
      for (const action of actions) {
        if (action.class_name === "RestartAction") expect(action.max_restarts).toBeLessThanOrEqual(3)
      }
      expect(monitoring.restarts).toMatchObject({ max_restarts: 20, max_no_progress: 3, max_per_fingerprint: 3 })
    }))

  it.effect("puts a checkpoint aside whose shard is gone, but none that other ranks' files would not fit", () =>
    Effect.gen(function*() {
      const monitoring = yield* section(preset)
      expect(course(monitoring, [missingShard, ...consequences], "FAILED")).toMatchObject({ then: "rollback" })
      const byRank = missingShard.replace("__7_1.distcp", "mp_rank_07/model_optim_rng.pt")
      expect(course(monitoring, [byRank], "FAILED").then).not.toBe("rollback")
    }))
})

describe.each(presets.filter(({ early }) => !early))("what the launcher heals under $preset", ({ preset }) => {
  it.effect("ends nothing", () =>
    Effect.gen(function*() {
      const monitoring = yield* section(preset)
      const healed = [
        ...consequences,
        "[rank2]: KeyError: 'tokens'",
        recovery,
        "FT timeout elapsed.",
        "torch.distributed.elastic.rendezvous.api.RendezvousConnectionError: The connection to the C10d store has failed.",
        "[replica_0/0 - step 12] got exception in future -- skipping remaining: timed out",
        iteration
      ]
      expect(course(monitoring, healed, "COMPLETED")).toEqual({ then: "success", atOnce: false, excluded: [] })
    }))

  it.effect("is not tried again where the launcher itself says that it helps nothing", () =>
    Effect.gen(function*() {
      const monitoring = yield* section(preset)
      for (
        const line of [
          "EARLY TERMINATION: 3 consecutive training cycles without progress (threshold: 3).",
          "[default] Attribution recommended stopping the job; terminating workers"
        ]
      ) expect(course(monitoring, [nccl, line, nccl], "FAILED")).toMatchObject({ then: "failed" })
    }))

  it.effect("is tried on other nodes where replicas could not agree", () =>
    Effect.gen(function*() {
      const line = "RuntimeError: should_commit failed 4 times consecutively, exceeding max_retries=3"
      expect(course(yield* section(preset), [line], "FAILED")).toMatchObject({ then: "restart" })
    }))
})
