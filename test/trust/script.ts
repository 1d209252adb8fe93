/** A session that comes by everything a monitor does, on a cluster and a disk whose monitor may die at any point. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { EventRecord } from "../../src/event/EventRecord.ts"
import type { EventData } from "../../src/event/events.ts"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { look } from "../../src/monitor/held.ts"
import {
  actorOf,
  quietly,
  type SessionError,
  type SessionServices,
  submitRequest,
  submitSession,
  watchSession
} from "../../src/monitor/sessions.ts"
import { Commands } from "../../src/port/Commands.ts"
import { FollowUpFailedError, FollowUps } from "../../src/port/FollowUps.ts"
import type { Journal } from "../../src/port/Journal.ts"
import { Scheduler, Schedulers } from "../../src/port/Scheduler.ts"
import { FakeCluster, type FakeOptions, type LedgerEntry } from "../../src/scheduler/fake/FakeScheduler.ts"
import type { Session } from "../../src/session/Session.ts"
import { Disk, world } from "../monitor/world.ts"
import { actor, begin, opening, plannedJob } from "../rule/machine.ts"
import * as disk from "./memoryDisk.ts"
import { makeClock, settle } from "./virtualClock.ts"

export const place = { stateDir: "/state", planId: "plan" }

const command = (...argv: [string, ...Array<string>]) => ({ class_name: "RunCommandAction" as const, command: argv })
const queued = <A>(action: A) => ({ class_name: "EventAction" as const, mode: "queue" as const, action })
/** What may be done more than once. */
export const archive = "archive"
const restart = { class_name: "RestartAction", max_restarts: 3 } as const

/** `retried`: each checkpoint is archived too, again where nobody knows whether it was. */
const rules = (retried: boolean) => ({
  poll_interval_seconds: 0.5,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 0.5,
  log_events: [
    {
      name: "saved",
      pattern: "saved (?P<path>\\S+)",
      extract_groups: { path: "path" },
      actions: [
        queued(command("evaluate", "{path}")),
        command("note", "{path}"),
        ...retried ? [{ ...queued(command(archive, "{path}")), on_interrupt: "retry" as const }] : []
      ]
    },
    { name: "nccl", pattern: "NCCL WARN", metadata: { error_type: "nccl" }, actions: [restart] },
    { name: "ready", pattern: "ready", actions: [queued({ class_name: "RunAutoexpAction" as const })] }
  ],
  state_events: [{ name: "crash", actions: [restart] }]
} as const)

const job = (name: string, index: number) =>
  plannedJob(name, index, { log_path: `/out/${name}/log`, output_dir: `/out/${name}` })

/** One that succeeds, one that crashes and is restarted, one that hangs and is, one that is cancelled. */
const jobs = ["good", "bad", "hung", "unwanted"].map(job)
const openingOf = (retried: boolean) => opening(rules(retried), jobs, { settle_seconds: 1 })
const opened = openingOf(false)

const courses: FakeOptions["courses"] = {
  "good.": { endAfterSeconds: 3 },
  "bad.": [{ endAfterSeconds: 1.5, state: "FAILED", exitCode: 1 }, { endAfterSeconds: 1.5 }],
  "hung.": [{}, { endAfterSeconds: 1.5 }],
  "unwanted.": {},
  "evaluation.": { endAfterSeconds: 1 }
}

/** What attempts print, and so many seconds after they were submitted. */
const prints: Readonly<Record<string, ReadonlyArray<readonly [after: number, text: string]>>> = {
  "good.1": [[0.6, "saved /ckpt/1\nsav"], [1.2, "ed /ckpt/2\nready\n"], [2.9, "saved /ckpt/3"]],
  "bad.1": [[0.6, "saved /ckpt/4\n"]],
  "hung.1": [[0.6, "NCCL WARN one\nNCCL WARN two\n"]]
}

/** When its operator no longer wants the job, in seconds after it was submitted. */
const unwantedAfter = 1.4

/** Names `<job>.<attempt>` of what was submitted, in its order. */
export const submissionsOf = (ledger: ReadonlyArray<LedgerEntry>): ReadonlyArray<string> =>
  ledger.filter(({ what }) => what === "submit").map(({ name }) => name.split(".").slice(0, 2).join("."))

export interface Told {
  readonly ledger: ReadonlyArray<LedgerEntry>
  readonly commands: ReadonlyArray<string>
  readonly session: Session
  readonly records: ReadonlyArray<EventRecord>
  readonly followUps: ReadonlyArray<Session>
  /** The session file, as it stands. */
  readonly published: string | null
  /** Monitors that it took. */
  readonly monitors: number
  readonly seconds: number
  /** What the monitors said to people. */
  readonly said: ReadonlyArray<string>
}

/** Whether the monitor dies before or after one of its effects. */
export interface Effects {
  readonly before: (effect: string) => boolean
  readonly after: (effect: string) => boolean
}

export const guarded = ({ after, before }: Effects) => {
  const check = (dies: boolean) => {
    if (dies) disk.die()
    return disk.isDead() ? Effect.never : Effect.void
  }
  return <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => disk.isDead() ? Effect.never : check(before(what))).pipe(
      Effect.zipRight(Effect.exit(effect)),
      Effect.tap(() => Effect.suspend(() => disk.isDead() ? Effect.never : check(after(what)))),
      Effect.flatten
    )
}

/** The base world, whose monitors go through `effects`. */
const servicesOf = (
  base: Context.Context<Layer.Layer.Success<ReturnType<typeof world>>>,
  effects: Effects,
  files: Partial<FileJournal.FileOptions>
) => {
  const guard = guarded(effects)
  const scheduler = Context.get(base, Scheduler)
  const commands = Context.get(base, Commands)
  const faulty: typeof Scheduler.Service = {
    ...scheduler,
    submit: (submission) =>
      guard(`submit ${submission.name.split(".").slice(0, 2).join(".")}`, scheduler.submit(submission)),
    cancel: (ref) => guard(`cancel ${ref.name.split(".").slice(0, 2).join(".")}`, scheduler.cancel(ref)),
    lookup: (...asked) => Effect.suspend(() => disk.isDead() ? Effect.never : scheduler.lookup(...asked)),
    snapshot: (asked) => Effect.suspend(() => disk.isDead() ? Effect.never : scheduler.snapshot(asked))
  }
  const services = base.pipe(
    Context.add(Schedulers, { of: () => Effect.succeed(faulty) }),
    Context.add(Commands, { run: (run) => guard(`run ${run.argv.join(" ")}`, commands.run(run)) }),
    Context.merge(
      Effect.runSync(
        Effect.scoped(Layer.build(FileJournal.layerWith({ heartbeat: { seconds: 3600, missed: 3 }, ...files })))
      )
    )
  )
  /** Plans nothing: its one job is known. Idempotent as the live one, by the journal of the session it begins. */
  const followUps: typeof FollowUps.Service = {
    start: ({ parent, planId, stateDir }) => {
      const opening: EventData<"SessionOpened"> = {
        ...opened,
        plan_id: planId,
        entropy: "followup",
        jobs: [job("evaluation", 0)],
        depth: parent.depth,
        parent: { plan_id: parent.planId, queue_id: parent.queueId }
      }
      return guard("start a follow-up", Effect.void).pipe(
        Effect.zipRight(submitSession({ stateDir, planId }, opening, "0")),
        Effect.map((session) => ({ planId, jobs: session.jobs.size })),
        Effect.mapError(({ message }) => new FollowUpFailedError({ planId, message })),
        Effect.provide(Context.add(services, FollowUps, followUps))
      )
    }
  }
  return Context.add(services, FollowUps, followUps)
}

/** The lease files of a dead process look like those of one: its number lives on, as this test. */
export const bury = (): void => {
  for (const file of disk.files()) {
    const text = disk.peek(file)
    if (!/\.lease\/\d+$/.test(file) || text === null || !text.includes("started")) continue
    disk.poke(file, text.replace(/"started":"\d+"/, "\"started\":\"1\""))
  }
}

const finished = async (fiber: Fiber.RuntimeFiber<Session, SessionError>) =>
  (await Effect.runPromise(Fiber.poll(fiber)))._tag === "Some"

/**
 * Carries the session to its end, by as many monitors as it takes: when one has died, the next begins, with what its kind
 * of death leaves on the disk. `pass` hears how much time has passed. `between`: what is done to the files after a death
 * (the number of which it is told, from 1); if that says so, the operator then asks again for what he wants. `retried`:
 * as the rules say.
 */
export const carryOut = async (
  effects: Effects,
  deaths: ReadonlyArray<disk.Death>,
  faults: disk.Faults,
  pass: (millis: number) => void = () => undefined,
  between: (death: number) => Effect.Effect<boolean, unknown, Journal> = () => Effect.succeed(false),
  files: Partial<FileJournal.FileOptions> = {},
  retried = false
): Promise<Told> => {
  disk.format()
  const time = makeClock(begin)
  const said: Array<string> = []
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => {
      said.push(String(message))
    })
  )
  const run = <A, E>(effect: Effect.Effect<A, E>) => effect.pipe(Effect.withClock(time.clock), Effect.provide(logger))
  const base = await Effect.runPromise(Effect.scoped(Layer.build(world({ courses }))))
  const services: Context.Context<SessionServices> = servicesOf(base, effects, files)
  const logs = Context.get(base, Disk)
  const cluster = Context.get(base, FakeCluster)
  const see = (planId: string) =>
    Effect.runPromise(run(Effect.either(Effect.provide(look({ ...place, planId }), services))))

  const start = async () => {
    disk.setFaults(null)
    const before = await see("plan")
    const asked = before._tag === "Right" && before.right.session.requests.size > 0
    disk.setFaults(faults)
    const watching = watchSession(place, {
      ...quietly,
      worker: true,
      toolVersion: "0",
      opening: openingOf(retried),
      requests: asked ? [] : [submitRequest(actorOf("operator"))]
    })
    return Effect.runFork(run(Effect.provide(watching, services)))
  }

  const printed = new Set<string>()
  let isUnwanted = false
  /** What happens in the world by itself: jobs print, and their owner changes his mind. */
  const goOn = async () => {
    const ledger = await Effect.runPromise(cluster.ledger)
    for (const { at, name, what } of ledger) {
      if (what !== "submit") continue
      const since = Date.parse(begin) + time.passed() - at
      const [of = "", attempt = ""] = name.split(".")
      for (const [after, text] of prints[`${of}.${attempt}`] ?? []) {
        if (since < after * 1000 || printed.has(`${name} ${after}`)) continue
        printed.add(`${name} ${after}`)
        await Effect.runPromise(logs.append(`/out/${of}/log`, text))
      }
      if (of !== "unwanted" || since < unwantedAfter * 1000 || isUnwanted) continue
      isUnwanted = true
      const request = { kind: "job_cancel", job: "unwanted", reason: "a typo" }
      disk.poke("/state/plan.inbox/cancel.json", JSON.stringify({ actor, request }))
    }
  }

  let monitors = 1
  let fiber = await start()
  while (!(await finished(fiber))) {
    if (time.passed() > 120_000) throw new Error("the session does not come to its end")
    if (disk.isDead()) {
      Effect.runFork(Fiber.interrupt(fiber))
      await settle()
      disk.restart(deaths[monitors - 1] ?? "crash")
      bury()
      disk.setFaults(null)
      if (await Effect.runPromise(run(Effect.provide(between(monitors), services)))) isUnwanted = false
      monitors += 1
      fiber = await start()
      continue
    }
    await goOn()
    pass(time.passed())
    await time.tick(250)
  }
  disk.setFaults(null)
  const session = await Effect.runPromise(Fiber.join(fiber))
  const told = await see("plan")
  if (told._tag === "Left") throw told.left
  const others = await Promise.all([...session.followUps.keys()].map(see))
  return {
    ledger: await Effect.runPromise(cluster.ledger),
    commands: logs.commands.map((argv) => argv.join(" ")),
    session: told.right.session,
    records: told.right.records,
    followUps: others.flatMap((other) => other._tag === "Right" ? [other.right.session] : []),
    published: disk.peek("/state/plan.json"),
    monitors,
    seconds: time.passed() / 1000,
    said
  }
}
