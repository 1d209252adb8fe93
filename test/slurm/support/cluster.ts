/**
 * A real SLURM on this host: munged, MariaDB, slurmdbd, slurmctld and a slurmd for each of two nodes. Lives in the
 * directory and the namespaces that `test/slurm/run` made, and ends with them.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { output, run, until } from "./commands.ts"
import { accounting, type Ports, type Settings, slurmConf, slurmdbdConf } from "./conf.ts"

export const nodes = ["n1", "n2"] as const
export type Node = typeof nodes[number]
export type Daemon = "munged" | "mariadbd" | "slurmdbd" | "slurmctld"
/** Ended in order; ended without saving its state; or frozen, with its connections open. */
export type How = "stop" | "kill" | "hang"

const made = process.env["AUTOEXP_TEST_SLURM"]
if (made === undefined) throw new Error("these tests are started by test/slurm/run")
/** Where everything of the cluster is. */
export const dir: string = made
const at = (...names: ReadonlyArray<string>) => path.join(dir, ...names)

const mariadb = ["--no-defaults", `--datadir=${at("mariadb")}`]
const commands: Readonly<Record<Daemon | Node, ReadonlyArray<string>>> = {
  munged: [
    "munged",
    "--foreground",
    `--socket=${at("munge.socket")}`,
    `--key-file=${at("etc", "munge.key")}`,
    `--log-file=${at("log", "munged.log")}`,
    `--pid-file=${at("run", "munged.own")}`,
    `--seed-file=${at("run", "munged.seed")}`
  ],
  mariadbd: [
    "mariadbd",
    ...mariadb,
    "--user=root",
    `--socket=${at("mariadb.socket")}`,
    `--pid-file=${at("run", "mariadbd.own")}`,
    "--skip-networking",
    "--performance-schema=off",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync"
  ],
  slurmdbd: ["slurmdbd", "-D"],
  slurmctld: ["slurmctld", "-D"],
  n1: ["slurmd", "-D", "-N", "n1"],
  n2: ["slurmd", "-D", "-N", "n2"]
}

/** Whether a daemon of this name answers. */
const ready: Readonly<Record<Daemon, () => Promise<boolean>>> = {
  munged: async () => (await run(["munge", "-S", at("munge.socket"), "-n"])).code === 0,
  mariadbd: async () =>
    (await run(["mariadb-admin", "--no-defaults", `--socket=${at("mariadb.socket")}`, "ping"])).code === 0,
  slurmdbd: async () => (await run(["sacctmgr", "-n", "list", "cluster"])).code === 0,
  slurmctld: async () => (await run(["scontrol", "ping"])).stdout.includes("is UP")
}

const pidFile = (name: Daemon | Node) => at("run", `${name}.pid`)

const pidOf = (name: Daemon | Node): number | null => {
  try {
    const pid = Number(fs.readFileSync(pidFile(name), "utf8"))
    return statOf(pid) === null ? null : pid
  } catch {
    return null
  }
}

/** State and parent of a process; null once it has ended, whether or not somebody took notice. */
const statOf = (pid: number): { readonly state: string; readonly parent: number } | null => {
  try {
    const [state = "", parent] = fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")
    return state === "Z" || state === "X" ? null : { state, parent: Number(parent) }
  } catch {
    return null
  }
}

const begin = (name: Daemon | Node): void => {
  const [program = "", ...args] = commands[name]
  const log = fs.openSync(at("log", `${name}.out`), "a")
  const child = spawn(program, args, {
    cwd: dir,
    env: {
      PATH: process.env["PATH"],
      LANG: "C.UTF-8",
      SLURM_CONF: at("etc", "slurm.conf"),
      MYSQL_UNIX_PORT: at("mariadb.socket"),
      AUTOEXP_TEST_NODE: name
    },
    detached: true,
    stdio: ["ignore", log, log]
  })
  fs.closeSync(log)
  child.unref()
  fs.writeFileSync(pidFile(name), String(child.pid ?? ""))
}

const end = async (name: Daemon | Node, signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
  const pid = pidOf(name)
  if (pid === null) return
  process.kill(pid, signal)
  await until(`the end of ${name}`, async () => statOf(pid) === null ? true : null, 30)
}

const healthy = async (daemon: Daemon): Promise<void> => {
  try {
    await until(`${daemon} to answer`, async () => await ready[daemon]() || null, 30)
  } catch (error) {
    const log = fs.readFileSync(at("log", `${daemon}.out`), "utf8")
    throw new Error(`${String(error)}; its log ends:\n${log.slice(-2000)}`)
  }
}

const wellNodes = async (): Promise<ReadonlyArray<string>> =>
  (await output(["sinfo", "-h", "-N", "-p", "debug", "-o", "%N %T"])).split("\n")
    .filter((line) => / (?:idle|mixed|allocated|completing)$/.test(line))
    .map((line) => line.split(" ")[0] ?? "")

/** Until every node can run jobs. */
const nodesWell = () => until("all nodes to be well", async () => (await wellNodes()).length === nodes.length || null)

/** A port that nobody listens on; all are held until all are found, so that they differ. */
const freePorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const servers = await Promise.all(Array.from({ length: count }, () =>
    new Promise<net.Server>((resolve, reject) => {
      const server = net.createServer()
      server.on("error", reject)
      server.listen(0, "127.0.0.1", () => resolve(server))
    })))
  return Promise.all(servers.map((server) =>
    new Promise<number>((resolve) => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  ))
}

const readPorts = (): Ports => JSON.parse(fs.readFileSync(at("ports.json"), "utf8")) as Ports
const writeConf = (changed: Settings): void =>
  fs.writeFileSync(at("etc", "slurm.conf"), slurmConf(dir, readPorts(), changed))

/** Starts a cluster without a past. */
export const start = async (): Promise<void> => {
  for (const name of ["etc", "log", "run", "spool", "state"]) fs.mkdirSync(at(name), { recursive: true })
  const [slurmctld = 0, slurmdbd = 0, n1 = 0, n2 = 0] = await freePorts(4)
  fs.writeFileSync(at("ports.json"), JSON.stringify({ slurmctld, slurmdbd, nodes: { n1, n2 } } satisfies Ports))
  writeConf({})
  fs.writeFileSync(at("etc", "slurmdbd.conf"), slurmdbdConf(dir, readPorts()), { mode: 0o600 })
  fs.writeFileSync(at("etc", "cgroup.conf"), "CgroupPlugin=cgroup/v1\n")
  fs.writeFileSync(at("etc", "munge.key"), crypto.getRandomValues(new Uint8Array(128)), { mode: 0o400 })
  await output([
    "mariadb-install-db",
    ...mariadb,
    "--user=root",
    "--auth-root-authentication-method=socket",
    "--auth-root-socket-user=root",
    "--skip-test-db",
    "--skip-name-resolve"
  ])
  begin("munged")
  begin("mariadbd")
  await healthy("munged")
  await healthy("mariadbd")
  begin("slurmdbd")
  await healthy("slurmdbd")
  await output(["sacctmgr", "-i", "-Q"], accounting)
  begin("slurmctld")
  nodes.forEach(begin)
  await healthy("slurmctld")
  await nodesWell()
}

/** The first half of an outage. */
export const down = async (daemon: Daemon, how: How = "stop"): Promise<void> => {
  const pid = pidOf(daemon)
  if (pid === null) throw new Error(`${daemon} does not run`)
  if (how === "hang") process.kill(pid, "SIGSTOP")
  else await end(daemon, how === "stop" ? "SIGTERM" : "SIGKILL")
}

/** The second half of an outage. Does nothing if there is none. */
export const up = async (daemon: Daemon): Promise<void> => {
  const pid = pidOf(daemon)
  if (pid === null) begin(daemon)
  else process.kill(pid, "SIGCONT")
  await healthy(daemon)
}

/** Does something while a daemon is down. */
export const without = async <A>(daemon: Daemon, how: How, body: () => Promise<A>): Promise<A> => {
  await down(daemon, how)
  try {
    return await body()
  } finally {
    await up(daemon)
  }
}

/** The processes of a node's jobs: SLURM's step daemons and all that they started. */
const jobProcesses = (node: Node): ReadonlyArray<number> => {
  const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number)
  const parents = new Map(pids.map((pid) => [pid, statOf(pid)?.parent ?? 0]))
  const isStep = (pid: number): boolean => {
    try {
      return fs.readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("slurmstepd") &&
        fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`AUTOEXP_TEST_NODE=${node}`)
    } catch {
      return false
    }
  }
  const steps = new Set(pids.filter(isStep))
  const below = (pid: number): boolean => steps.has(pid) || (pid > 1 && below(parents.get(pid) ?? 0))
  return pids.filter(below)
}

/** A node breaks with all that it runs; `noticed`: the controller is told at once, instead of finding out by itself. */
export const downNode = async (node: Node, noticed = true): Promise<void> => {
  await end(node, "SIGKILL")
  for (const pid of jobProcesses(node)) {
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      // It ended with what it belonged to.
    }
  }
  if (noticed) await output(["scontrol", "update", `nodename=${node}`, "state=down", "reason=broken"])
}

export const upNode = async (node: Node): Promise<void> => {
  if (pidOf(node) === null) begin(node)
  await run(["scontrol", "update", `nodename=${node}`, "state=resume"])
  await until(`${node} to be well`, async () => (await wellNodes()).includes(node) || null)
}

/** Restarts the controller with other lines in its configuration, than which nothing else is changed. */
export const configure = async (changed: Settings): Promise<void> => {
  writeConf(changed)
  await end("slurmctld", "SIGTERM")
  await up("slurmctld")
  await output(["scontrol", "reconfigure"])
  await nodesWell()
}

/** Does something on a cluster that is configured otherwise. */
export const configured = async <A>(changed: Settings, body: () => Promise<A>): Promise<A> => {
  try {
    await configure(changed)
    return await body()
  } finally {
    await configure({})
  }
}

/** The controller loses its memory: queued jobs are gone, and their ids are given out again from the first on. */
export const forget = async (): Promise<void> => {
  await end("slurmctld", "SIGKILL")
  fs.rmSync(at("state"), { recursive: true })
  fs.mkdirSync(at("state"))
  await up("slurmctld")
  await nodesWell()
}

/** Ends all jobs and waits until nodes are free. */
export const clear = async (): Promise<void> => {
  await output(["scancel", "-u", "root"])
  await until("all jobs to end", async () => (await output(["squeue", "-h"])) === "" || null)
}
