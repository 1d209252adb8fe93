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
import { matchesIn } from "./finding.ts"
import { machine } from "./machine.ts"

const configDir = path.resolve(import.meta.dirname, "../../config")

const oom = "[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 3 has"
const nccl = "terminate called after throwing an instance of 'c10::DistBackendError'"
/** What the other ranks print once a rank is gone. */
const consequences = [
  nccl,
  "[rank0]:[E314 09:41:12.408271257 ProcessGroupNCCL.cpp:616] [Rank 0] Watchdog caught collective operation timeout: " +
  "WorkNCCL(SeqNum=1580, OpType=ALLREDUCE, NumelIn=1048576, NumelOut=1048576, Timeout(ms)=600000) ran for 600060 ms",
  "torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:268, unhandled system error",
  "torch.distributed.DistNetworkError: The client socket has failed to connect",
  "[rank2]:[W314 09:41:13.1 c10d] The wait was Timed out"
]
const healthy = [
  " [2026-03-14 09:26:53.589793] iteration     1200/   20000 | consumed samples:       307200 | lm loss: 2.7E+00 |" +
  " number of skipped iterations:   0 | number of nan iterations:   0 |",
  " validation loss at iteration 20000 on test set | lm loss value: 2.690000E+00 | lm loss PPL: 1.473170E+01 | ",
  "[after training is done] datetime: 2026-03-14 09:30:00 "
]

/** What a job comes to that ends in `state` after these lines, every time it is started; at most ten times. */
const course = (preset: string, lines: ReadonlyArray<string>, state: string) =>
  Effect.map(
    Effect.provide(load({ configDir, configRef: "autoexp", overrides: [`monitoring=${preset}`] }), layer),
    ({ config: { monitoring } }) => {
      const detect = Either.getOrThrow(makeDetector(monitoring))
      const m = machine(Schema.encodeSync(Monitoring)(monitoring))
      m.submitAll()
      for (let start = 0; start < 10 && m.job().state === "submitting"; start++) {
        m.accept()
        m.state("RUNNING")
        const matches = matchesIn(detect, lines)
        m.fact("LogRead", { path: "log", from: 0, to: 1, size: 1, identity: `${start}`, matches }, {
          job: "a",
          attempt: m.job().attempt
        })
        m.state(m.job().restart === null ? state : "CANCELLED")
        m.pass(10)
      }
      const { attempt, attention, outcome, restarts } = m.job()
      return {
        attempt,
        outcome,
        causes: [...new Set(restarts.map(({ cause }) => cause))],
        attention: attention !== null
      }
    }
  )

const restarted = (cause: string, outcome: string) => ({ attempt: 4, outcome, causes: [cause], attention: true })
const ended = (outcome: string) => ({ attempt: 1, outcome, causes: [], attention: false })

const courses = [
  { name: "a healthy run", lines: healthy, state: "COMPLETED", end: ended("success") },
  { name: "a run out of memory", lines: [...healthy, oom], state: "FAILED", end: ended("failed") },
  { name: "a run out of memory, as SLURM sees it", lines: [], state: "OUT_OF_MEMORY", end: ended("failed") },
  {
    name: "a rank out of memory, of which the others speak as of NCCL and the network",
    lines: [...healthy, oom, ...consequences],
    state: "FAILED",
    end: ended("failed")
  },
  { name: "an exception", lines: ["ValueError: no such data set"], state: "FAILED", end: ended("failed") },
  {
    name: "a NaN",
    lines: ["RuntimeError: Unexpected result nan (message='found NaN in local forward loss calculation')"],
    state: "FAILED",
    end: ended("failed")
  },
  { name: "somebody's scancel", lines: healthy, state: "CANCELLED", end: ended("cancelled") },
  { name: "a failure without a word", lines: healthy, state: "FAILED", end: restarted("crash", "failed") },
  { name: "a lost node", lines: [], state: "NODE_FAIL", end: restarted("crash", "failed") },
  { name: "a preemption", lines: [], state: "PREEMPTED", end: restarted("crash", "failed") },
  { name: "a time limit", lines: healthy, state: "TIMEOUT", end: restarted("timeout", "timeout") },
  { name: "NCCL's failure", lines: [nccl, nccl, nccl], state: "FAILED", end: restarted("nccl_error", "failed") }
]

describe.each(["megatron_production", "megatron_checkpoint_eval"])("under %s", (preset) => {
  it.effect.each(courses)(
    "$name ends as it should",
    ({ end, lines, state }) => Effect.map(course(preset, lines, state), (found) => expect(found).toEqual(end))
  )
})

describe.each([
  "megatron_basic",
  "megatron_nccl",
  "megatron_stall_detection",
  "megatron_followup"
])("under %s", (preset) => {
  it.effect.each(courses)(
    "$name is never started again",
    ({ lines, state }) =>
      Effect.map(
        course(preset, lines, state),
        ({ attempt, causes }) => expect({ attempt, causes }).toEqual({ attempt: 1, causes: [] })
      )
  )
})

describe("a checkpoint under megatron_checkpoint_eval", () => {
  it.effect("W-18: is no success: a run that fails after it is restarted, and one that completes has its one attempt", () =>
    Effect.gen(function*() {
      const saved = ["  successfully saved checkpoint from iteration    1200 to runs/exp1/ckpt [ t 1/2, p 1/1 ]"]
      expect(yield* course("megatron_checkpoint_eval", saved, "FAILED")).toEqual(restarted("crash", "failed"))
      expect(yield* course("megatron_checkpoint_eval", saved, "COMPLETED")).toEqual(ended("success"))
    }))
})
