/** A small world for a monitor: fake cluster, files in memory, journal in memory, the test clock. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { EventData } from "../../src/event/events.ts"
import * as MemoryJournal from "../../src/journal/MemoryJournal.ts"
import { actorOf, quietly, submitRequest, watchSession } from "../../src/monitor/sessions.ts"
import { CommandFailedError, Commands } from "../../src/port/Commands.ts"
import { Files, headBytes } from "../../src/port/Files.ts"
import { type FollowUp, FollowUps } from "../../src/port/FollowUps.ts"
import { type RulesAnswer, RuleSource } from "../../src/port/RuleSource.ts"
import { Scheduler, Schedulers } from "../../src/port/Scheduler.ts"
import { type FakeCluster, type FakeOptions, make } from "../../src/scheduler/fake/FakeScheduler.ts"

/** What jobs wrote, by path; a test appends to it. */
export class Disk extends Context.Tag("test/Disk")<Disk, {
  readonly append: (path: string, text: string) => Effect.Effect<void>
  readonly commands: ReadonlyArray<ReadonlyArray<string>>
  readonly followUps: ReadonlyArray<FollowUp>
}>() {}

const memory = Layer.effectContext(Effect.sync(() => {
  const files = new Map<string, Buffer>()
  const commands: Array<ReadonlyArray<string>> = []
  const followUps: Array<FollowUp> = []
  return Context.make(Disk, {
    append: (file, text) =>
      Effect.sync(() => {
        files.set(file, Buffer.concat([files.get(file) ?? Buffer.alloc(0), Buffer.from(text)]))
      }),
    commands,
    followUps
  }).pipe(
    Context.add(Files, {
      read: (file, offset, limit) =>
        Effect.sync(() => {
          const content = files.get(file)
          return content === undefined ? null : {
            identity: file,
            size: content.length,
            modified: 0,
            bytes: content.subarray(offset, offset + limit),
            head: content.subarray(0, headBytes)
          }
        }),
      moved: () => Effect.succeed(null),
      exists: (file) => Effect.sync(() => files.has(file)),
      append: () => Effect.succeed(false),
      matches: () => Effect.succeed(false)
    }),
    Context.add(Commands, {
      run: ({ argv, timeoutSeconds }) =>
        Effect.suspend(() => {
          commands.push(argv)
          const [program = "", what, file = ""] = argv
          if (program === "hang") {
            return Effect.never.pipe(Effect.timeoutFail({
              duration: `${timeoutSeconds} seconds`,
              onTimeout: () => new CommandFailedError({ command: argv, message: "hang did not end in time" })
            }))
          }
          const no = program === "false" || (program === "test" && what === "-f" && !files.has(file))
          return Effect.succeed({ exitCode: no ? 1 : 0, stdout: "", stderr: "" })
        })
    }),
    Context.add(FollowUps, {
      start: (followUp) =>
        Effect.sync(() => {
          followUps.push(followUp)
          return { planId: followUp.planId, jobs: 0 }
        })
    })
  )
}))

/** What configs say of the rules: what a test has them say, once; otherwise nothing new. */
export class Configs extends Context.Tag("test/Configs")<Configs, {
  readonly say: (answer: RulesAnswer["answer"]) => Effect.Effect<void>
  /** The settings that the last question named. */
  readonly settings: () => ReadonlyArray<string>
}>() {}

const configs = Layer.effectContext(Effect.sync(() => {
  const answers: Array<RulesAnswer["answer"]> = []
  let settings: ReadonlyArray<string> = []
  return Context.make(Configs, {
    say: (answer) => Effect.sync(() => void answers.push(answer)),
    settings: () => settings
  }).pipe(Context.add(RuleSource, {
    ask: (question) =>
      Effect.sync(() => {
        settings = question.settings
        const about = JSON.stringify([question.manifests, question.settings])
        return { answer: answers.shift() ?? { said: "nothing" }, seen: { about, stamps: new Map() } }
      })
  }))
}))

const schedulers = Layer.effect(
  Schedulers,
  Effect.map(Scheduler, (scheduler) => ({ of: () => Effect.succeed(scheduler) }))
)

/** Everything a session needs, with handles on the cluster and the disk. */
export const world = (options: FakeOptions): Layer.Layer<
  | Scheduler
  | FakeCluster
  | Schedulers
  | Files
  | Commands
  | FollowUps
  | Disk
  | Configs
  | RuleSource
  | Layer.Layer.Success<typeof MemoryJournal.layer>
> => Layer.mergeAll(Layer.provideMerge(schedulers, make(options)), memory, configs, MemoryJournal.layer)

/** A state directory that goes with the scope. */
export const stateDir = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-state-"))),
  (dir) => Effect.sync(() => fs.rmSync(dir, { recursive: true, force: true }))
)

/** Lets the test clock run, tick by tick, until the fiber has ended or `seconds` are over. */
export const runClock = (fiber: Fiber.Fiber<unknown, unknown>, seconds: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let passed = 0; passed < seconds; passed += 0.25) {
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      if ((yield* Fiber.poll(fiber))._tag === "Some") return
      yield* TestClock.adjust("250 millis")
      // Real file work (projections) goes on between two ticks.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
    }
  })

/** Begins to watch the session `plan` of `dir`: a new one with that first record, all of it submitted, or the one there is. */
export const watching = (dir: string, opened: EventData<"SessionOpened"> | null) =>
  Effect.fork(watchSession({ stateDir: dir, planId: "plan" }, {
    ...quietly,
    worker: true,
    toolVersion: "0",
    opening: opened,
    requests: opened === null ? [] : [submitRequest(actorOf("operator"))]
  }))
