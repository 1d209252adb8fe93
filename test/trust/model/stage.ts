/** The world that the model is held against: a cluster, a disk, a clock, and monitors that die and are followed by others. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { EventData } from "../../../src/event/events.ts"
import type { Request } from "../../../src/event/Request.ts"
import * as FileJournal from "../../../src/journal/FileJournal.ts"
import { look } from "../../../src/monitor/held.ts"
import { quietly, watchSession } from "../../../src/monitor/sessions.ts"
import { verify } from "../../../src/monitor/verify.ts"
import { Commands } from "../../../src/port/Commands.ts"
import { Scheduler, Schedulers, SubmissionRefusedError } from "../../../src/port/Scheduler.ts"
import { LIVE } from "../../../src/scheduler/fake/course.ts"
import { type Change, FakeCluster } from "../../../src/scheduler/fake/FakeScheduler.ts"
import { Disk, world } from "../../monitor/world.ts"
import { actor, begin } from "../../rule/machine.ts"
import * as disk from "../memoryDisk.ts"
import { bury, guarded, place } from "../script.ts"
import { makeClock, settle } from "../virtualClock.ts"

/** Milliseconds between two looks at the world, and how many of them must bring nothing new until all is done. */
const tick = 250
const silent = 7

const jobOf = (name: string): string => name.split(".")[0] ?? ""

export const makeStage = async (opening: EventData<"SessionOpened">) => {
  disk.format()
  const time = makeClock(begin)
  const logger = Logger.replace(Logger.defaultLogger, Logger.none)
  const run = <A, E>(effect: Effect.Effect<A, E>) => effect.pipe(Effect.withClock(time.clock), Effect.provide(logger))
  const base = await Effect.runPromise(Effect.scoped(Layer.build(world({}))))
  const cluster = Context.get(base, FakeCluster)
  const real = Context.get(base, Scheduler)
  const logs = Context.get(base, Disk)
  const commands = Context.get(base, Commands)

  const refusing = new Set<string>()
  let omitted: string | null = null
  const twice: Array<string> = []
  let death: { after: number; readonly as: disk.Death } | null = null

  const dies = (): boolean => {
    if (death === null) return false
    death.after -= 1
    return death.after < 0
  }
  const guard = guarded({ before: dies, after: dies })
  const alone = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.suspend((): Effect.Effect<A, E> => disk.isDead() ? Effect.never : effect)

  /** All that the cluster ever accepted of the job, whether it lives or not. */
  const attemptsOf = (job: string) =>
    Effect.gen(function*() {
      const names = (yield* cluster.ledger).flatMap(({ name, what }) =>
        what === "submit" && jobOf(name) === job ? [name] : []
      )
      return yield* Effect.orDie(Effect.retry(real.lookup(names, begin, null), { times: 9 }))
    })

  const services = Context.add(base, Schedulers, {
    of: () =>
      Effect.succeed({
        ...real,
        submit: (submission) =>
          guard(
            "submit",
            Effect.gen(function*() {
              const job = jobOf(submission.name)
              if (refusing.has(job)) return yield* new SubmissionRefusedError({ message: "as the test wants it" })
              const others = yield* attemptsOf(job)
              if (others.some(({ state }) => LIVE.has(state))) twice.push(submission.name)
              const answer = yield* Effect.exit(real.submit(submission))
              // It runs whatever time it is, also before it was submitted.
              yield* cluster.set(job, Number(submission.name.split(".")[1]), { state: "RUNNING" })
              return yield* answer
            })
          ),
        cancel: (ref) => guard("cancel", real.cancel(ref)),
        lookup: (...asked) => alone(real.lookup(...asked)),
        snapshot: (asked) =>
          alone(Effect.map(real.snapshot(asked), (answer) => {
            const left = omitted
            omitted = null
            return { ...answer, reports: answer.reports.filter(({ name }) => jobOf(name) !== left) }
          }))
      })
  }).pipe(
    Context.add(Commands, { run: (asked) => guard("run", commands.run(asked)) }),
    Context.merge(
      Effect.runSync(Effect.scoped(Layer.build(FileJournal.layerWith({ heartbeat: { seconds: 3600, missed: 3 } }))))
    )
  )

  const start = () => {
    disk.setFaults({
      before: (_operation, _file, bytes) =>
        dies() ? { fails: "dies", bytes: death?.as === "crash" && bytes !== null ? bytes.length >> 1 : 0 } : null,
      after: () => null
    })
    const submit = { request_id: "submit", actor, request: { kind: "submit" as const, jobs: [] } }
    return Effect.runFork(run(Effect.provide(
      watchSession(place, {
        ...quietly,
        worker: true,
        toolVersion: "0",
        opening,
        requests: [{ type: "OperatorRequested", data: submit }]
      }),
      services
    )))
  }

  let fiber = start()
  let monitors = 1
  /** Ticks until somebody starts the next monitor, once one has died. */
  let absent = 0
  let rest = 0
  const hasEnded = () => fiber.unsafePoll() !== null

  /** Lets a moment pass. */
  const pass = async (): Promise<void> => {
    if (disk.isDead()) {
      if (fiber.unsafePoll() === null) Effect.runFork(Fiber.interrupt(fiber))
      await settle()
      if (absent > 0) absent -= 1
      else {
        disk.restart(death?.as ?? "crash")
        death = null
        bury()
        monitors += 1
        fiber = start()
      }
    }
    await time.tick(tick)
  }

  const size = (): number =>
    disk.files().filter((file) => file.includes("/plan.events")).reduce(
      (sum, file) => sum + (disk.peek(file)?.length ?? 0),
      0
    )

  return {
    logs,
    twice,
    refusing,
    monitors: () => monitors,
    pass,
    hasEnded,
    now: () => Date.parse(begin) + time.passed(),
    jump: (seconds: number): void => {
      time.jump(seconds * 1000)
      // What was to come at a time of day comes so much later.
      if (seconds < 0) rest -= seconds * 1000 / tick
    },
    /** Lets everything happen that is under way. */
    calm: async (): Promise<void> => {
      let before = -1
      for (let same = 0, count = 0; same < silent + rest && !hasEnded(); count += 1) {
        if (count > 600) throw new Error("the session does not come to rest")
        await pass()
        const now = size()
        same = now === before && !disk.isDead() ? same + 1 : 0
        before = now
      }
      rest = 0
    },
    die: (after: number, as: disk.Death, ticks: number): void => {
      if (death !== null) return
      death = { after, as }
      absent = ticks
    },
    omit: (job: string): void => {
      omitted = job
    },
    failQueries: (count: number) => Effect.runPromise(cluster.failQueries(count)),
    loseAnswer: () => Effect.runPromise(cluster.loseNextAnswer),
    failSubmit: () => Effect.runPromise(cluster.failNextSubmit),
    forget: (job: string, attempt: number) => Effect.runPromise(run(cluster.forget(job, attempt))),
    set: (job: string, attempt: number, change: Change) => Effect.runPromise(run(cluster.set(job, attempt, change))),
    ledger: () => Effect.runPromise(cluster.ledger),
    print: (file: string, text: string) => Effect.runPromise(logs.append(file, text)),
    request: (id: string, request: Request): void => {
      disk.poke(`/state/plan.inbox/${id}.json`, JSON.stringify({ actor, request }))
    },
    /** The session file, as it stands. */
    published: (): unknown => JSON.parse(disk.peek("/state/plan.json") ?? "null"),
    /** How it all ended: the journal, and whether it is as it was written. */
    journal: async () => {
      disk.setFaults(null)
      const told = await Effect.runPromise(run(Effect.provide(look(place), services)))
      const checked = await Effect.runPromise(run(Effect.provide(verify(place), services)))
      return { ...told, checked }
    },
    leave: async (): Promise<void> => {
      disk.setFaults(null)
      disk.die()
      Effect.runFork(Fiber.interrupt(fiber))
      await settle()
    },
    ended: () => Effect.runPromise(Fiber.join(fiber))
  }
}

export type Stage = Awaited<ReturnType<typeof makeStage>>
