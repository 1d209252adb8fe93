/**
 * Stand-in for `srun` inside a local job: runs the command once a task, all on this host, passes signals on and exits
 * with the highest exit code. Options of the real one (its man page) are read past; `-n`, `-N`, `-c`,
 * `--ntasks-per-node`, `-K` and `-D` have an effect. A program for Node: a shell loses signals and exit codes when
 * they come together.
 */
const program = String.raw`
const { spawn } = process.getBuiltinModule("node:child_process")
const { constants } = process.getBuiltinModule("node:os")

const LONG = { n: "ntasks", N: "nodes", c: "cpus-per-task", D: "chdir", K: "kill-on-bad-exit" }
// Long options that take no value, or one only after "=".
const FLAGS = new Set((
  "label unbuffered exclusive overlap overcommit oversubscribe hold quiet verbose no-kill contiguous disable-status " +
  "exact immediate multi-prog no-allocate preserve-env pty spread-job test-only use-min-nodes interactive whole " +
  "propagate nice reboot send-libs resv-ports bcast stepmgr kill-on-bad-exit help version"
).split(" "))

const die = (message) => {
  console.error("srun: " + message)
  process.exit(1)
}

const read = (argv) => {
  const options = {}
  const words = [...argv]
  const value = (option) => words.length > 0 ? words.shift() : die("error: option requires an argument: " + option)
  while (words.length > 0 && words[0].length > 1 && words[0].startsWith("-")) {
    const word = words.shift()
    if (word === "--") break
    const long = /^--([^=]+)(?:=([^]*))?$/.exec(word)
    if (long !== null) options[long[1]] = long[2] ?? (FLAGS.has(long[1]) ? "" : value(word))
    else if ("KkI".includes(word[1])) options[LONG[word[1]] ?? word[1]] = word.slice(2)
    else if ("lusOHQvXZEhV".includes(word[1])) {
      options[word[1]] = ""
      if (word.length > 2) words.unshift("-" + word.slice(2))
    } else options[LONG[word[1]] ?? word[1]] = word.length > 2 ? word.slice(2).replace(/^=/, "") : value(word)
  }
  return { options, command: words }
}

const { options, command } = read(process.argv.slice(2))
if ("version" in options || "V" in options) {
  console.log("slurm local")
  process.exit(0)
}
if (command.length === 0) die("fatal: No command given to execute.")

const count = (text, name) => /^[1-9][0-9]*/.test(text) ? parseInt(text, 10) : die("error: Invalid numeric value for " + name)
const nodes = count(options.nodes ?? process.env.SLURM_JOB_NUM_NODES ?? "1", "--nodes")
const perNode = options["ntasks-per-node"]
const tasks = options.ntasks !== undefined
  ? count(options.ntasks, "--ntasks")
  : perNode !== undefined ? count(perNode, "--ntasks-per-node") * nodes : count(process.env.SLURM_NTASKS ?? "1", "--ntasks")
const onNode = Math.ceil(tasks / nodes)
const killOnBadExit = options["kill-on-bad-exit"] !== undefined && options["kill-on-bad-exit"] !== "0"
const env = {
  ...process.env,
  SLURM_NTASKS: String(tasks),
  SLURM_NPROCS: String(tasks),
  SLURM_NNODES: String(nodes),
  SLURM_STEP_ID: "0",
  SLURM_STEPID: "0",
  SLURM_STEP_NUM_TASKS: String(tasks),
  SLURM_STEP_NUM_NODES: String(nodes),
  SLURM_STEP_NODELIST: process.env.SLURM_JOB_NODELIST ?? ""
}
if (options["cpus-per-task"] !== undefined) env.SLURM_CPUS_PER_TASK = options["cpus-per-task"]

const HOW = { SIGABRT: "Aborted", SIGKILL: "Killed", SIGSEGV: "Segmentation fault", SIGTERM: "Terminated" }
const node = process.env.SLURMD_NODENAME ?? ""
let highest = 0
let running = []
const tell = (signal) => running.forEach((child) => child.kill(signal))
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"]) process.on(signal, () => tell(signal))

const ended = (rank, code, how) => {
  if (code === 0) return
  highest = Math.max(highest, code)
  console.error("srun: error: " + node + ": task " + rank + ": " + how)
  if (!killOnBadExit) return
  tell("SIGTERM")
  setTimeout(() => tell("SIGKILL"), 30000).unref()
}
for (let rank = 0; rank < tasks; rank++) {
  const child = spawn(command[0], command.slice(1), {
    stdio: "inherit",
    cwd: options.chdir,
    env: {
      ...env,
      SLURM_PROCID: String(rank),
      SLURM_LOCALID: String(rank % onNode),
      SLURM_NODEID: String(Math.floor(rank / onNode))
    }
  })
  running.push(child)
  child.once("error", (error) => ended(rank, 2, "execve(): " + command[0] + ": " + error.message))
  child.once("exit", (code, signal) => {
    running = running.filter((other) => other !== child)
    const number = signal === null ? code : 128 + constants.signals[signal]
    ended(rank, number, HOW[signal] ?? "Exited with exit code " + number)
  })
}
process.on("exit", () => process.exitCode = highest)
`

/** The stand-in for the Node that runs this; a path that no `#!` line can hold is looked up on PATH. */
export const srun = (node: string): string =>
  `#!${/\s/.test(node) || node.length > 120 ? "/usr/bin/env node" : node}${program}`
