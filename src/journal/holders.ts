/** Which process holds an epoch, and whether it lives: what a lease file says, held against this host. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as os from "node:os"
import type { Holder } from "../port/Journal.ts"
import { codeOf } from "./disk.ts"

/** Content of a lease file. What a system does not tell is null. */
export const Lease = Schema.Struct({
  host: Schema.String,
  pid: Schema.Int,
  /** Start of the process in clock ticks since the boot, so that a number used again is not taken for the process. */
  started: Schema.NullOr(Schema.String),
  /** The kernel's boot id. */
  boot: Schema.NullOr(Schema.String),
  /** Pid namespace: within a container the same number is another process. */
  pids: Schema.NullOr(Schema.String),
  /** ISO 8601 UTC. */
  since: Schema.String
})
export type Lease = typeof Lease.Type

const decodeLease = Schema.decodeUnknownOption(Schema.parseJson(Lease))

/** What a lease file says; one that says nothing belongs to an unknown host. */
export const parseLease = (text: string): Lease =>
  Option.getOrElse(decodeLease(text), () => ({
    host: "unknown",
    pid: 0,
    started: null,
    boot: null,
    pids: null,
    since: "unknown"
  }))

const ask = (read: () => string): Effect.Effect<string | null> =>
  Effect.orElseSucceed(Effect.try(() => read().trim()), () => null)

/** State and start time of a process by proc(5); null where there is no such file to read. */
const stat = (pid: number): Effect.Effect<{ readonly state: string; readonly started: string } | null> =>
  Effect.map(ask(() => fs.readFileSync(`/proc/${pid}/stat`, "latin1")), (text) => {
    // The second field is the command's name and may hold anything, ")" too; state is field 3, start time field 22.
    const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? []
    const [state, started] = [fields[0], fields[19]]
    return state === undefined || started === undefined ? null : { state, started }
  })

const thisHost = Effect.all({
  host: Effect.sync(() => os.hostname()),
  boot: ask(() => fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1")),
  pids: ask(() => fs.readlinkSync("/proc/self/ns/pid"))
})

/** The lease of this process, from now on. */
export const ownLease: Effect.Effect<Lease> = Effect.gen(function*() {
  const { boot, host, pids } = yield* thisHost
  const started = (yield* stat(process.pid))?.started ?? null
  const since = new Date(yield* Clock.currentTimeMillis).toISOString()
  return { host, pid: process.pid, started, boot, pids, since }
})

// Refused for lack of permission means that it is there and somebody else's.
const isGone = (pid: number): Effect.Effect<boolean> =>
  Effect.match(Effect.try({ try: () => process.kill(pid, 0), catch: codeOf }), {
    onFailure: (code) => code === "ESRCH",
    onSuccess: () => false
  })

/** Whether the process of a lease lives. Certain only for this host, boot and pid namespace. */
export const liveness = Effect.fnUntraced(function*(lease: Lease): Effect.fn.Return<Holder["alive"]> {
  const here = yield* thisHost
  if (lease.host !== here.host || lease.boot !== here.boot || lease.pids !== here.pids) return "unknown"
  if (yield* isGone(lease.pid)) return "dead"
  const now = yield* stat(lease.pid)
  if (now === null || lease.started === null) return "unknown"
  return now.started === lease.started && now.state !== "Z" && now.state !== "X" ? "alive" : "dead"
})
