import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import { CheckpointRollbackAction, run } from "../../src/action/actions/CheckpointRollbackAction.ts"
import * as LiveCheckpoints from "../../src/monitor/LiveCheckpoints.ts"
import { Checkpoints, CheckpointsError } from "../../src/port/Checkpoints.ts"
import { stateDir } from "./world.ts"

const tracker = "latest_checkpointed_iteration.txt"

const nameOf = (iteration: number) => `iter_${`${iteration}`.padStart(7, "0")}`

/** A directory of whole checkpoints, of which the last one is loaded. */
const saved = (...iterations: ReadonlyArray<number>) =>
  Effect.map(stateDir, (root) => {
    const dir = path.join(root, "checkpoints")
    for (const iteration of iterations) {
      const place = path.join(dir, nameOf(iteration))
      fs.mkdirSync(place, { recursive: true })
      for (const file of ["__0_0.distcp", "__0_1.distcp", "common.pt"]) fs.writeFileSync(path.join(place, file), "x")
      fs.writeFileSync(path.join(place, ".metadata"), "\x80 __0_0.distcp \xff __0_1.distcp")
    }
    fs.writeFileSync(path.join(dir, tracker), `${iterations.at(-1)}\n`)
    return dir
  })

const action = (dir: string, checkpoint = "") =>
  Schema.decodeSync(CheckpointRollbackAction)({
    class_name: "CheckpointRollbackAction",
    checkpoint_dir: dir,
    checkpoint
  })

const origin = (actionId: string) => ({ planId: "plan", actionId })

const roll = (dir: string, checkpoint = "", id = "a7") =>
  Effect.provide(run(action(dir, checkpoint), origin(id)), LiveCheckpoints.layer)

/** All that is in the directory, and what the tracker file says. */
const state = (dir: string) => ({
  names: fs.readdirSync(dir).filter((name) => name !== tracker).sort(),
  loaded: fs.readFileSync(path.join(dir, tracker), "utf8").trim()
})

const aside = (iteration: number, id = "a7") => `${nameOf(iteration)}.quarantined-plan-${id}`

describe("the rollback of a checkpoint", () => {
  it.scoped("puts aside the one that is loaded, whole, and names the one before", () =>
    Effect.gen(function*() {
      const dir = yield* saved(500, 1000)
      expect(yield* roll(dir)).toEqual({
        status: "done",
        result: { quarantined: path.join(dir, aside(1000)), iteration: 500 }
      })
      expect(state(dir)).toEqual({ names: [nameOf(500), aside(1000)], loaded: "500" })
      expect(fs.readdirSync(path.join(dir, aside(1000)))).toHaveLength(4)
    }))

  it.scoped("goes back two steps in succession, and no further than there are checkpoints", () =>
    Effect.gen(function*() {
      const dir = yield* saved(200, 500, 1000)
      yield* roll(dir, `/x/${nameOf(1000)}/__0_1.distcp`, "a7")
      yield* roll(dir, `/x/${nameOf(500)}/__0_1.distcp`, "a9")
      expect(state(dir)).toEqual({ names: [nameOf(200), aside(500, "a9"), aside(1000)].sort(), loaded: "200" })
      const before = state(dir)
      const third = yield* roll(dir, "", "a11")
      expect(third).toMatchObject({
        status: "failed",
        result: { error: expect.stringContaining("no whole checkpoint before") }
      })
      expect(state(dir)).toEqual(before)
    }))

  it.scoped.each(["rename", "point"] as const)(
    "ends in the same place where it dies before or after its %s",
    (step) =>
      Effect.gen(function*() {
        for (const when of ["before", "after"] as const) {
          const dir = yield* saved(200, 500, 1000)
          const died = new CheckpointsError({ path: dir, message: "killed" })
          const live = yield* Effect.provide(Checkpoints, LiveCheckpoints.layer)
          const dying = (which: string) => (effect: Effect.Effect<void, CheckpointsError>) =>
            which !== step ? effect : when === "before" ? died : Effect.zipRight(effect, died)
          yield* Effect.provideService(run(action(dir), origin("a7")), Checkpoints, {
            ...live,
            rename: (...args) => dying("rename")(live.rename(...args)),
            point: (...args) => dying("point")(live.point(...args))
          })
          // Once more, and again though it was done.
          for (let times = 0; times < 2; times++) {
            expect(yield* roll(dir)).toMatchObject({ status: "done", result: { iteration: 500 } })
            expect(state(dir)).toEqual({ names: [nameOf(200), nameOf(500), aside(1000)], loaded: "500" })
          }
        }
      })
  )

  it.scoped("changes nothing where what the log names is gone, older than what is loaded, or not to be told", () =>
    Effect.gen(function*() {
      const dir = yield* saved(200, 500)
      const before = state(dir)
      for (
        const [text, why] of [
          [nameOf(900), "there is no iter_0000900"],
          [nameOf(200), "which is newer"],
          ["9".repeat(12), "there is no iter_9"]
        ] as const
      ) {
        expect(yield* roll(dir, text)).toMatchObject({
          status: "failed",
          result: { error: expect.stringContaining(why) }
        })
      }
      expect(state(dir)).toEqual(before)
      fs.writeFileSync(path.join(dir, tracker), "release")
      expect(yield* roll(dir)).toMatchObject({ result: { error: expect.stringContaining("holds no number") } })
      fs.rmSync(path.join(dir, tracker))
      expect(yield* roll(dir)).toMatchObject({ result: { error: expect.stringContaining("neither the log nor") } })
      expect(yield* roll(path.join(dir, "nowhere"))).toMatchObject({ status: "failed" })
    }))

  it.scoped("renames over nothing that has the name already", () =>
    Effect.gen(function*() {
      const dir = yield* saved(500, 1000)
      fs.mkdirSync(path.join(dir, aside(1000)))
      const before = state(dir)
      expect(yield* roll(dir)).toMatchObject({
        status: "failed",
        result: { error: expect.stringContaining("there already") }
      })
      expect(state(dir)).toEqual(before)
    }))

  it.scoped("renames links and follows none of them", () =>
    Effect.gen(function*() {
      const dir = yield* saved(500, 1000)
      const far = path.join(path.dirname(dir), "far")
      fs.renameSync(path.join(dir, nameOf(1000)), far)
      fs.symlinkSync(far, path.join(dir, nameOf(1000)))
      const theirs = path.join(path.dirname(dir), "theirs")
      fs.renameSync(path.join(dir, tracker), theirs)
      fs.symlinkSync(theirs, path.join(dir, tracker))
      expect(yield* roll(dir)).toMatchObject({ status: "done" })
      expect(state(dir)).toEqual({ names: [nameOf(500), aside(1000)], loaded: "500" })
      expect(fs.readlinkSync(path.join(dir, aside(1000)))).toBe(far)
      expect(fs.readdirSync(far)).toHaveLength(4)
      expect(fs.readFileSync(theirs, "utf8").trim()).toBe("1000")
    }))

  it.scoped("passes over earlier ones that are not whole themselves", () =>
    Effect.gen(function*() {
      const dir = yield* saved(200, 300, 400, 500, 1000)
      fs.rmSync(path.join(dir, nameOf(500), "__0_1.distcp"))
      fs.rmSync(path.join(dir, nameOf(400), ".metadata"))
      fs.writeFileSync(path.join(dir, nameOf(300), "common.pt"), "")
      expect(yield* roll(dir)).toMatchObject({ status: "done", result: { iteration: 200 } })
      const only = yield* saved(500, 1000)
      fs.rmSync(path.join(only, nameOf(500), "__0_1.distcp"))
      expect(yield* roll(only)).toMatchObject({
        status: "failed",
        result: { error: expect.stringContaining("1 of its 2 shards are missing") }
      })
    }))

  it.scoped("knows the older form by its ranks' directories", () =>
    Effect.gen(function*() {
      const dir = yield* saved(1000)
      for (const [iteration, text] of [[200, "x"], [500, ""]] as const) {
        const rank = path.join(dir, nameOf(iteration), "mp_rank_00")
        fs.mkdirSync(rank, { recursive: true })
        fs.writeFileSync(path.join(rank, "model_optim_rng.pt"), text)
      }
      expect(yield* roll(dir)).toMatchObject({ status: "done", result: { iteration: 200 } })
    }))
})
