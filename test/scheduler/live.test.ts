import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import { Schedulers } from "../../src/port/Scheduler.ts"
import { Client } from "../../src/scheduler/Client.ts"
import { layer } from "../../src/scheduler/live.ts"

const asked = (client: unknown) => Effect.flatMap(Schedulers, ({ of }) => of(client)).pipe(Effect.provide(layer))

describe("the scheduler of a session", () => {
  it.effect("is not yet SLURM, which is said with what works instead", () =>
    Effect.gen(function*() {
      const client = Schema.encodeSync(Client)({
        class_name: "SlurmClient",
        submit_cmd: "sbatch --qos=x",
        squeue_cmd: null,
        sacct_cmd: null,
        cancel_cmd: null,
        persist_artifacts: false
      })
      const error = yield* Effect.flip(asked(client))
      expect(error).toMatchObject({ _tag: "SchedulerUnavailableError", command: "sbatch --qos=x" })
      expect(error.message).toBe(
        "submitting to SLURM is not part of this release yet; planning works: its scripts are written, " +
          "and can be submitted by hand"
      )
    }))

  it.effect("that nobody knows is no local cluster", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(asked({ class_name: "PbsClient" }))
      expect(error).toMatchObject({ _tag: "SchedulerUnavailableError", command: "slurm.client" })
    }))
})
