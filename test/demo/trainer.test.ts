import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { text } from "node:stream/consumers"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"

const program = path.resolve(import.meta.dirname, "../../config/demo/trainer.mjs")
let folder = ""
const started: Array<ChildProcess> = []
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "trainer-"))
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.exitCode ?? child.signalCode ?? kill(child)))
  fs.rmSync(folder, { recursive: true })
})

const kill = (child: ChildProcess): Promise<unknown> => {
  const closed = once(child, "close")
  child.kill("SIGKILL")
  return closed
}

const start = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, [program, "--iteration-seconds", "0.01", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  started.push(child)
  return child
}

/** Runs to its end. */
const run = async (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) => {
  const child = start(args, env)
  const closed = once(child, "close")
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  await closed
  return { code: child.exitCode, stdout, stderr, lines: stdout.split("\n") }
}

const iterations = (stdout: string) =>
  [...stdout.matchAll(/ iteration +(\d+)\/ +(\d+) \|/g)].map(([, iteration]) => Number(iteration))
const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

// The shapes that Megatron-LM's core 0.16 to 0.18 prints.
const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}`
const float = String.raw`\d\.\d{6}E[+-]\d\d`
const shapes = [
  "-{24} arguments -{24}",
  String.raw`  (?=.{49} )\w+ \.+ \S+`,
  "-{20} end of arguments -{21}",
  String.raw`\[(after|before) [a-z, ]+\] datetime: ${time} `,
  String.raw`WARNING: could not find the metadata file ckpt/latest_checkpointed_iteration\.txt`,
  " {4}will not load any checkpoints and will start from random",
  String.raw` loading distributed checkpoint from ckpt at iteration \d+`,
  String.raw`  successfully loaded checkpoint from ckpt \[ t 1/1, p 1/1 \] at iteration \d+`,
  String.raw`done with setup \.\.\.`,
  String.raw`training \.\.\.`,
  String.raw`skipping training \(--skip-train is on\) \.\.\.`,
  String.raw` \[${time}\] iteration [\d ]{8}/[\d ]{8} \| consumed samples: [\d ]{12} ` +
  String.raw`\| elapsed time per iteration \(ms\): \d+\.\d \| throughput per GPU \(TFLOP/s/GPU\): \d+\.\d ` +
  String.raw`\| learning rate: ${float} \| global batch size: [\d ]{5} \| lm loss: ${float} \| loss scale: 1\.0 ` +
  String.raw`\| grad norm: \d\.\d{3} \| number of skipped iterations: {3}0 \| number of nan iterations: {3}0 \|`,
  String.raw`\[${time}\] saving checkpoint at iteration [\d ]{7} to ckpt in torch_dist format`,
  String.raw`  \[${time}\] successfully saved checkpoint from iteration [\d ]{7} to ckpt \[ t 1/1, p 1/1 \]`,
  String.raw`Evaluating iter \d/2`,
  "-{90,130}",
  String
    .raw` validation loss at iteration \d+ on (validation|test) set \| lm loss value: ${float} \| lm loss PPL: ${float} \| `,
  ""
].map((shape) => new RegExp(`^${shape}$`))
const strange = (lines: ReadonlyArray<string>) => lines.filter((line) => !shapes.some((shape) => shape.test(line)))

describe("a run that branches off another one's checkpoint", () => {
  it("begins with the iteration that is named, or the latest, and goes on from its own checkpoints", async () => {
    await run(["--save", "stable", "--train-iters", "20"])
    const branch = ["--save", "decay", "--load", "stable", "--train-iters"]
    expect(iterations((await run([...branch, "12", "--ckpt-step", "10"])).stdout)).toEqual(from(11, 12))
    expect(iterations((await run([...branch, "14", "--ckpt-step", "10"])).stdout)).toEqual(from(13, 14))
    expect(iterations((await run(["--load", "stable", "--train-iters", "22"])).stdout)).toEqual(from(21, 22))
  })

  it("fails if there is none", async () => {
    expect(await run(["--load", "nowhere"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/no checkpoint/) })
  })
})

describe("a healthy run", () => {
  it("prints Megatron's lines and nothing else, and its loss falls", async () => {
    const { code, lines, stderr, stdout } = await run(["--save", "ckpt"])
    expect({ code, stderr, strange: strange(lines) }).toEqual({ code: 0, stderr: "", strange: [] })
    expect(iterations(stdout)).toEqual(from(1, 20))
    const losses = [...stdout.matchAll(/lm loss: (\S+)/g)].map(([, loss]) => Number(loss))
    expect(losses).toEqual([...losses].sort((a, b) => b - a))
    expect(stdout).toContain("[after training is done] datetime: ")
  })

  it("saves its last iteration too, and has nothing left to do when started again", async () => {
    await run(["--save", "ckpt", "--train-iters", "13"])
    expect(fs.readdirSync(path.join(folder, "ckpt")).sort())
      .toEqual(["iter_0000010", "iter_0000013", "latest_checkpointed_iteration.txt"])
    const again = await run(["--save", "ckpt", "--train-iters", "13"])
    expect({ code: again.code, iterations: iterations(again.stdout) }).toEqual({ code: 0, iterations: [] })
  })

  it("has its checkpoint on disk before it says so", async () => {
    const child = start(["--save", "ckpt", "--scenario", "hang"])
    for await (const chunk of child.stdout.setEncoding("utf8")) if (/successfully saved/.test(chunk)) break
    const checkpoint = path.join(folder, "ckpt/iter_0000010/state.json")
    expect(JSON.parse(fs.readFileSync(checkpoint, "utf8"))).toEqual({ iteration: 10, consumed_samples: 640 })
    expect(fs.readFileSync(path.join(folder, "ckpt/latest_checkpointed_iteration.txt"), "utf8")).toBe("10")
  })
})

describe("an ill run", () => {
  it("aborts with five lines about NCCL after its first checkpoint, and finishes from it", async () => {
    const first = await run(["--save", "ckpt", "--scenario", "nccl"])
    expect({ code: first.code, iterations: iterations(first.stdout) }).toEqual({ code: 134, iterations: from(1, 12) })
    expect(first.stderr.match(/NCCL WARN|ProcessGroupNCCL|DistBackendError|watchdog thread terminated/g)).toHaveLength(
      5
    )
    const second = await run(["--save", "ckpt", "--scenario", "nccl"])
    expect({ code: second.code, strange: strange(second.lines) }).toEqual({ code: 0, strange: [] })
    expect(iterations(second.stdout)).toEqual(from(11, 20))
  })

  it.each(["hang", "slow"])(
    "stays in the middle until it is terminated: %s; and finishes from its checkpoint",
    async (scenario) => {
      const child = start([
        "--save",
        "ckpt",
        "--scenario",
        scenario,
        "--iteration-seconds",
        scenario === "slow" ? "0.1" : "0.01"
      ])
      const closed = once(child, "close")
      let printed = ""
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        printed += chunk
      })
      await vi.waitFor(() => expect(iterations(printed)).toContain(12), { timeout: 20_000 })
      child.kill("SIGTERM")
      await closed
      expect(child.signalCode).toBe("SIGTERM")
      expect(iterations(printed).at(-1)).toBeLessThan(20)
      const second = await run(["--save", "ckpt", "--scenario", scenario])
      expect({ code: second.code, iterations: iterations(second.stdout) }).toEqual({
        code: 0,
        iterations: from(11, 20)
      })
    }
  )

  it("is ill again when its checkpoint is lost", async () => {
    await run(["--save", "ckpt", "--scenario", "nccl"])
    fs.rmSync(path.join(folder, "ckpt"), { recursive: true })
    expect((await run(["--save", "ckpt", "--scenario", "nccl"])).code).toBe(134)
  })

  it("runs out of memory however often it is started", async () => {
    for (const _ of [1, 2]) {
      const { code, stderr, stdout } = await run(["--save", "ckpt", "--scenario", "oom"])
      expect({ code, iterations: iterations(stdout) }).toEqual({ code: 1, iterations: [1, 2] })
      expect(stderr).toMatch(
        /^\[rank0\]: torch\.OutOfMemoryError: CUDA out of memory\. Tried to allocate 2\.50 GiB\. GPU 0 has/m
      )
    }
  })
})

describe("an evaluation", () => {
  it.each(["ckpt", "ckpt/iter_0000010"])(
    "prints validation lines for %s and trains nothing, whatever the scenario",
    async (checkpoint) => {
      await run(["--save", "ckpt", "--train-iters", "10"])
      const { code, lines, stdout } = await run([
        "--save",
        "ckpt",
        "--evaluate-checkpoint",
        checkpoint,
        "--scenario",
        "oom"
      ])
      expect({ code, strange: strange(lines), iterations: iterations(stdout) }).toEqual({
        code: 0,
        strange: [],
        iterations: []
      })
      expect(stdout).toMatch(/^ validation loss at iteration 10 on validation set \| lm loss value: /m)
    }
  )

  it("of a checkpoint that is not there fails in a sentence", async () => {
    const { code, stderr } = await run(["--evaluate-checkpoint", "ckpt/iter_0000010"])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^trainer\.mjs: error: no checkpoint: .*iter_0000010.*\n$/)
    })
  })
})

describe("the ledger", () => {
  it("gets one line a start, which says who it was", async () => {
    const env = { AUTOEXP_DEMO_LEDGER: "ledger", AUTOEXP_JOB: "a b", AUTOEXP_ATTEMPT: "2", AUTOEXP_NONCE: "n1" }
    await run(["--save", "ckpt", "--scenario", "oom"], env)
    await run(["--save", "ckpt", "--train-iters", "1", "--start-ledger", "sub/other"], env)
    await run(["--evaluate-checkpoint", "ckpt"], env)
    await run(["--scenario", "oom"], { AUTOEXP_DEMO_LEDGER: "ledger" })
    const read = (file: string) => fs.readFileSync(path.join(folder, file), "utf8").replace(/pid=\d+/g, "pid=N")
    expect(read("ledger")).toBe(
      "job=a b attempt=2 nonce=n1 mode=train point=oom checkpoint=- pid=N\n" +
        "job=a b attempt=2 nonce=n1 mode=train point=healthy checkpoint=- pid=N\n" +
        "job=a b attempt=2 nonce=n1 mode=eval point=healthy checkpoint=ckpt pid=N\n" +
        "job=- attempt=- nonce=- mode=train point=oom checkpoint=- pid=N\n"
    )
    expect(read("sub/other")).toBe("job=a b attempt=2 nonce=n1 mode=train point=healthy checkpoint=- pid=N\n")
  })
})

it.each([
  [["--scenario", "flu"], "argument --scenario: invalid choice: 'flu'"],
  [["--train-iters", "many"], "argument --train_iters: invalid value: 'many'"],
  [["stray"], "unrecognized arguments: stray"]
])("refuses %j as argparse would", async (args, message) => {
  expect(await run(args)).toMatchObject({ code: 2, stdout: "", stderr: `trainer.mjs: error: ${message}\n` })
})
