/** The monitoring rules of the predecessor's README, run as they stand, on lines of the shape they were written for. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { parse } from "yaml"
import { actorOf, quietly, submitRequest, watchSession } from "../../src/monitor/sessions.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Disk, runClock, stateDir, world } from "./world.ts"

const readme = `
log_events:
  - name: checkpoint_saved
    pattern: "saved checkpoint (?P<path>\\\\S+)"
    pattern_type: regex
    metadata:
      kind: checkpoint
    extract_groups:
      checkpoint_path: path
    actions:
      - class_name: EventAction
        mode: queue
        conditions:
          - class_name: FileExistsCondition
            path: "{checkpoint_path}"
            blocking: true
        action:
          class_name: RunAutoexpAction
          config_path: "{output_dir}/_provenance/config_reference.json"
          overrides:
            - evaluation.checkpoint={checkpoint_path}
state_events:
  - name: stall
    state:
      class_name: StalledState
    actions:
      - class_name: EventAction
        action:
          class_name: RestartAction
          reason: "retry stall"
  - name: success
    state:
      class_name: SuccessState
    actions:
      - class_name: EventAction
        action:
          class_name: LogAction
          message: "run_finished"
`

describe("the predecessor's README example", () => {
  it.scoped("queues an evaluation for the checkpoint, restarts the stalled job, and notes its success", () =>
    Effect.gen(function*() {
      const rules = { ...Schema.decodeUnknownSync(Schema.Object)(parse(readme)), poll_interval_seconds: 1 }
      const monitoring = Schema.encodeSync(Monitoring)(Schema.decodeUnknownSync(Monitoring)(rules))
      const disk = yield* Disk
      const cluster = yield* FakeCluster
      const dir = yield* stateDir
      const fiber = yield* Effect.fork(watchSession({ stateDir: dir, planId: "plan" }, {
        ...quietly,
        worker: true,
        toolVersion: "0",
        opening: opening({ ...monitoring, inactivity_threshold_seconds: 20 }, [plannedJob("a")]),
        requests: [submitRequest(actorOf("operator"))]
      }))
      yield* runClock(fiber, 3)
      yield* disk.append("/ckpt/iter_10", "weights")
      yield* disk.append("/out/a/slurm-1000.out", "saved checkpoint /ckpt/iter_10\n")
      yield* runClock(fiber, 40)
      yield* cluster.set("a", 2, { state: "COMPLETED", exitCode: 0 })
      yield* runClock(fiber, 30)
      const session = yield* Fiber.join(fiber)

      expect(disk.followUps).toMatchObject([{
        configPath: "/out/a/_provenance/config_reference.json",
        overrides: ["evaluation.checkpoint=/ckpt/iter_10"],
        stateDir: dir
      }])
      expect(session.jobs.get("a")).toMatchObject({
        outcome: "success",
        attempt: 2,
        restarts: [{ cause: "stall", reason: "retry stall" }]
      })
      expect([...session.events.values()].map(({ name, status }) => [name, status])).toContainEqual(["success", "done"])

      const file: unknown = JSON.parse(fs.readFileSync(`${dir}/plan.json`, "utf8"))
      expect(file).toMatchObject({
        manifest: "/out/manifests/plan.json",
        jobs: [{ resolved_log_path: expect.stringContaining("/out/a/slurm-"), slurm_state: "COMPLETED" }],
        events: expect.arrayContaining([expect.objectContaining({ name: "checkpoint_saved", count: 1 })])
      })
    }).pipe(Effect.provide(world({}))))
})
