import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import { Commands } from "../../src/port/Commands.ts"
import { Schedulers } from "../../src/port/Scheduler.ts"
import { Client } from "../../src/scheduler/Client.ts"
import { layer } from "../../src/scheduler/live.ts"

/** A world without programs, which notes what it was asked to run. */
const world = () => {
  const asked: Array<ReadonlyArray<string>> = []
  const commands = Layer.succeed(Commands, {
    run: ({ argv }) =>
      Effect.sync(() => {
        asked.push(argv)
        return { exitCode: 127, stdout: "", stderr: "not found" }
      })
  })
  return { asked, live: Layer.provide(layer, commands) }
}

describe("the scheduler of a session", () => {
  it.effect("is SLURM by the commands that its settings name, made once for the same settings", () => {
    const { asked, live } = world()
    return Effect.gen(function*() {
      const client = Schema.encodeSync(Client)(
        Client.members[1].make({
          class_name: "SlurmClient",
          squeue_cmd: "squeue -M 'other cluster'",
          scontrol_cmd: "/opt/scontrol"
        })
      )
      const { of } = yield* Schedulers
      const scheduler = yield* of(client)
      expect(yield* of({ ...client })).toBe(scheduler)
      expect(scheduler.kind).toBe("slurm")
      yield* Effect.flip(scheduler.snapshot([{ id: "1", name: "a.1.x", task: null }]))
      expect(asked).toEqual([["/opt/scontrol", "show", "config"]])
    }).pipe(Effect.provide(live))
  })

  it.effect("that nobody knows is no local cluster", () =>
    Effect.gen(function*() {
      const { of } = yield* Schedulers
      const error = yield* Effect.flip(of({ class_name: "PbsClient" }))
      expect(error).toMatchObject({ _tag: "SchedulerUnavailableError", command: "slurm.client" })
    }).pipe(Effect.provide(world().live)))
})
