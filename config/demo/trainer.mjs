// A stand-in for a Megatron-LM training process: prints its lines (core 0.16 to 0.18), writes checkpoints and resumes from
// them, and can fall ill as such processes do. Every `--key value` of Megatron's is accepted; these have an effect:
//   --train-iters N  --save-interval N  --save DIR  --lr X  --global-batch-size N   as in Megatron
//   --load DIR  --ckpt-step N   begin from a checkpoint of another run, the latest if no iteration is named
//   --iteration-seconds X     how long an iteration takes
//   --scenario NAME           healthy, or an illness:
//       nccl   a collective times out shortly after the first checkpoint, and the process aborts
//       hang   it says nothing more from then on
//       slow   each iteration from then on takes twice as long as the one before
//       oom    the third iteration does not fit into memory
//     A run that resumes from a checkpoint is past the first three; memory does not grow by trying again.
//   --evaluate-checkpoint PATH   evaluate this checkpoint (or the latest one of this save folder), do not train
//   --start-ledger FILE          append one line about this start to FILE (and to $AUTOEXP_DEMO_LEDGER, if set)
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

const fail = (message, status) => {
  process.stderr.write(`trainer.mjs: error: ${message}\n`)
  process.exit(status)
}
/** As argparse ends. */
const refuse = (message) => fail(message, 2)

const parse = (argv) => {
  const given = {}
  for (let i = 0; i < argv.length; i++) {
    const [key, ...inline] = argv[i].split("=")
    if (!key.startsWith("--")) refuse(`unrecognized arguments: ${argv[i]}`)
    const name = key.slice(2).replaceAll("-", "_")
    const flag = argv[i + 1] === undefined || argv[i + 1].startsWith("--")
    given[name] = inline.length > 0 ? inline.join("=") : flag ? "True" : argv[++i]
  }
  return given
}

const args = {
  scenario: "healthy",
  train_iters: "20",
  iteration_seconds: "0.25",
  save_interval: "10",
  lr: "3e-4",
  global_batch_size: "64",
  ...parse(process.argv.slice(2))
}
const number = (name) => {
  const value = Number(args[name])
  return Number.isFinite(value) && value >= 0 ? value : refuse(`argument --${name}: invalid value: '${args[name]}'`)
}
const [trainIters, saveInterval, batch] = ["train_iters", "save_interval", "global_batch_size"].map(number)
const [seconds, lr] = ["iteration_seconds", "lr"].map(number)
if (!["healthy", "nccl", "hang", "slow", "oom"].includes(args.scenario)) {
  refuse(`argument --scenario: invalid choice: '${args.scenario}'`)
}

/** Appends who started and why, in one write, so that starts can be counted by someone who trusts nobody. */
const tellLedger = (file) => {
  const { AUTOEXP_ATTEMPT = "-", AUTOEXP_JOB = "-", AUTOEXP_NONCE = "-" } = process.env
  const checkpoint = args.evaluate_checkpoint ?? "-"
  const line = `job=${AUTOEXP_JOB} attempt=${AUTOEXP_ATTEMPT} nonce=${AUTOEXP_NONCE} ` +
    `mode=${checkpoint === "-" ? "train" : "eval"} point=${args.scenario} checkpoint=${checkpoint} pid=${process.pid}\n`
  fs.mkdirSync(path.dirname(file), { recursive: true })
  const ledger = fs.openSync(file, "a")
  fs.writeSync(ledger, line)
  fs.closeSync(ledger)
}

const print = (line) => process.stdout.write(`${line}\n`)
const printError = (lines) => process.stderr.write(lines.map((line) => `${line}\n`).join(""))

/** `2026-03-14 09:26:53.589793`, local time. */
const timestamp = () => {
  const micros = Math.floor((performance.timeOrigin + performance.now()) * 1000)
  const now = new Date(micros / 1000)
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString()
  return `${local.slice(0, 10)} ${local.slice(11, 19)}.${String(micros % 1_000_000).padStart(6, "0")}`
}
/** Python's `%E`: at least two digits of exponent. */
const exponential = (value) => value.toExponential(6).replace(/e([+-])(\d)$/, "e$10$2").toUpperCase()
const printPhase = (what) => print(`[${what}] datetime: ${timestamp()} `)

const printArguments = () => {
  print("------------------------ arguments ------------------------")
  for (const [name, value] of Object.entries(args).sort()) {
    print(`  ${name} ${".".repeat(Math.max(0, 48 - name.length))} ${value}`)
  }
  print("-------------------- end of arguments ---------------------")
}

/** Falls quickly, then slowly, with a little noise; the same for the same iteration and learning rate. */
const lossAt = (iteration) =>
  2.4 + 8.4 * Math.exp(-iteration * (0.12 + 40 * lr)) + 0.9 / Math.sqrt(1 + iteration) +
  0.02 * Math.sin(iteration * 12.9898)

const iterationFolder = (folder, iteration) => path.join(folder, `iter_${String(iteration).padStart(7, "0")}`)
const trackerOf = (folder) => path.join(folder, "latest_checkpointed_iteration.txt")
const writeWhole = (file, text) => {
  fs.writeFileSync(`${file}.tmp`, text)
  fs.renameSync(`${file}.tmp`, file)
}

const saveCheckpoint = (iteration) => {
  const where = String(iteration).padStart(7)
  print(`[${timestamp()}] saving checkpoint at iteration ${where} to ${args.save} in torch_dist format`)
  const folder = iterationFolder(args.save, iteration)
  fs.mkdirSync(folder, { recursive: true })
  writeWhole(path.join(folder, "state.json"), JSON.stringify({ iteration, consumed_samples: iteration * batch }))
  writeWhole(trackerOf(args.save), String(iteration))
  print(`  [${timestamp()}] successfully saved checkpoint from iteration ${where} to ${args.save} [ t 1/1, p 1/1 ]`)
}

/** The contents of a file of a checkpoint, which must be there. */
const readCheckpoint = (file) => {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"))
  } catch (error) {
    return fail(`no checkpoint: ${error.message}`, 1)
  }
}

/** The iteration of the checkpoint in `folder`: `iteration`, or the latest if none is named. */
const loadCheckpoint = (folder, iteration = readCheckpoint(trackerOf(folder))) => {
  print(` loading distributed checkpoint from ${folder} at iteration ${iteration}`)
  const state = readCheckpoint(path.join(iterationFolder(folder, iteration), "state.json"))
  print(`  successfully loaded checkpoint from ${folder} [ t 1/1, p 1/1 ] at iteration ${iteration}`)
  return state.iteration
}

/** The iteration to go on from: of the run's own checkpoint, else of the one it branches off, else 0. */
const resume = () => {
  const tracker = trackerOf(args.save ?? "")
  if (fs.existsSync(tracker)) return loadCheckpoint(args.save)
  if (args.load !== undefined) {
    return args.ckpt_step === undefined ? loadCheckpoint(args.load) : loadCheckpoint(args.load, number("ckpt_step"))
  }
  print(`WARNING: could not find the metadata file ${tracker}`)
  print("    will not load any checkpoints and will start from random")
  return 0
}

const printValidation = (iteration) => {
  for (const [set, harder] of [["validation", 0.03], ["test", 0.05]]) {
    for (let i = 1; i <= 2; i++) print(`Evaluating iter ${i}/2`)
    const loss = lossAt(iteration) + harder
    const line = ` validation loss at iteration ${iteration} on ${set} set | lm loss value: ${exponential(loss)} ` +
      `| lm loss PPL: ${exponential(Math.exp(Math.min(20, loss)))} | `
    const dashes = "-".repeat(line.length + 1)
    print(`${dashes}\n${line}\n${dashes}`)
  }
}

const failOfNccl = () => {
  const now = new Date()
  const day = `E${now.getMonth() + 1}${String(now.getDate()).padStart(2, "0")}`
  const at = (line) => `[rank0]:[${day} ${timestamp().slice(11)}257 ProcessGroupNCCL.cpp:${line}]`
  const group = "[PG ID 0 PG GUID 0(default_pg) Rank 0]"
  const timeout = "[Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1580, OpType=ALLREDUCE, " +
    "NumelIn=1048576, NumelOut=1048576, Timeout(ms)=600000) ran for 600060 milliseconds before timing out."
  printError([
    `${os.hostname()}:${process.pid}:${process.pid + 644} [0] misc/socket.cc:50 NCCL WARN socketProgress: ` +
    "Connection closed by remote peer gpu08<41522>",
    `${at(616)} ${timeout}`,
    `${at(1785)} ${group} Exception (either an error or timeout) detected by watchdog at work: 1580, ` +
    "last enqueued NCCL work: 1582, last completed NCCL work: 1579.",
    "terminate called after throwing an instance of 'c10::DistBackendError'",
    `  what():  ${group} Process group watchdog thread terminated with exception: ${timeout}`
  ])
  // What a shell says of SIGABRT; the signal itself would leave a core file of Node's behind.
  process.exit(134)
}

const failOfMemory = () => {
  printError([
    "Traceback (most recent call last):",
    "  File \"/opt/Megatron-LM/pretrain_gpt.py\", line 311, in <module>",
    "    pretrain(",
    "  File \"/opt/Megatron-LM/megatron/training/training.py\", line 1406, in train_step",
    "    losses_reduced = forward_backward_func(",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 93.10 GiB of " +
    "which 1.21 GiB is free. Including non-PyTorch memory, this process has 91.80 GiB memory in use. Of the allocated " +
    "memory 88.02 GiB is allocated by PyTorch, and 1.90 GiB is reserved by PyTorch but unallocated. If reserved but " +
    "unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation."
  ].map((line) => `[rank0]: ${line}`))
  process.exit(1)
}

/** Takes this long, and is not silent for long: who waits for data says so, which tells slow from hung. */
const compute = async (seconds) => {
  let left = seconds
  for (; left > 4; left -= 4) {
    await sleep(4000)
    print("WARNING: still waiting for the next batch of data")
  }
  await sleep(1000 * left)
}

const train = async () => {
  const first = resume()
  printPhase("after model, optimizer, and learning rate scheduler are built")
  printPhase("after dataloaders are built")
  print("done with setup ...\ntraining ...")
  printPhase("before the start of training step")
  // What is on disk tells whether it has been ill already: a number of attempts would not survive being killed.
  const illness = first < saveInterval ? args.scenario : "healthy"
  for (let iteration = first + 1; iteration <= trainIters; iteration++) {
    const late = iteration - saveInterval
    if (args.scenario === "oom" && iteration >= 3) failOfMemory()
    if (illness === "nccl" && late > 2) failOfNccl()
    if (illness === "hang" && late > 2) await new Promise(() => setInterval(() => {}, 60_000))
    const began = performance.now()
    const slowness = illness === "slow" ? 2 ** Math.min(20, Math.max(0, late)) : 1
    await compute(seconds * slowness)
    print([
      ` [${timestamp()}] iteration ${String(iteration).padStart(8)}/${String(trainIters).padStart(8)}`,
      `consumed samples: ${String(iteration * batch).padStart(12)}`,
      `elapsed time per iteration (ms): ${(performance.now() - began).toFixed(1)}`,
      `throughput per GPU (TFLOP/s/GPU): ${(412 + 3 * Math.sin(iteration)).toFixed(1)}`,
      `learning rate: ${exponential(lr)}`,
      `global batch size: ${String(batch).padStart(5)}`,
      `lm loss: ${exponential(lossAt(iteration))}`,
      "loss scale: 1.0",
      `grad norm: ${(0.3 + 4 / (1 + iteration)).toFixed(3)}`,
      "number of skipped iterations:   0",
      "number of nan iterations:   0 |"
    ].join(" | "))
    if (args.save !== undefined && saveInterval > 0 && iteration % saveInterval === 0) saveCheckpoint(iteration)
  }
  printPhase("after training is done")
  if (args.save !== undefined && first < trainIters && trainIters % saveInterval !== 0) saveCheckpoint(trainIters)
  printValidation(trainIters)
}

const evaluate = (checkpoint) => {
  const [, iteration] = path.basename(checkpoint).match(/^iter_(\d{7})$/) ?? []
  const loaded = iteration === undefined
    ? loadCheckpoint(checkpoint)
    : loadCheckpoint(path.dirname(checkpoint), Number(iteration))
  printPhase("after dataloaders are built")
  print("done with setup ...\nskipping training (--skip-train is on) ...")
  printValidation(loaded)
}

for (const ledger of [args.start_ledger, process.env.AUTOEXP_DEMO_LEDGER]) if (ledger) tellLedger(ledger)
printArguments()
printPhase("after megatron is initialized")
if (args.evaluate_checkpoint === undefined) await train()
else evaluate(args.evaluate_checkpoint)
