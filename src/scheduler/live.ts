/** The scheduler that a session's settings name, made once for each settings in a process. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { Scheduler, Schedulers, SchedulerUnavailableError } from "../port/Scheduler.ts"
import { Client } from "./Client.ts"
import * as local from "./local/layer.ts"

/** The user's own local cluster. Source of the default: XDG Base Directory Specification. */
const userCluster = (): string =>
  path.join(process.env["XDG_STATE_HOME"] || path.join(os.homedir(), ".local", "state"), "autoexp", "local-cluster")

const layerOf = (client: Client): Layer.Layer<Scheduler, SchedulerUnavailableError> => {
  if (client.class_name === "SlurmClient") {
    const message = "submitting to SLURM is not part of this release yet; planning works: its scripts are written, " +
      "and can be submitted by hand"
    return Layer.fail(new SchedulerUnavailableError({ command: client.submit_cmd ?? "sbatch", message }))
  }
  return local.layer({
    dir: client.dir === null ? userCluster() : path.resolve(client.dir),
    slots: client.slots,
    graceSeconds: client.grace_seconds,
    controller: [process.execPath, fileURLToPath(new URL("./local-controller.js", import.meta.url))]
  })
}

const decode = Schema.decodeUnknown(Client)

/** Schedulers by their settings. */
export const layer: Layer.Layer<Schedulers> = Layer.scoped(
  Schedulers,
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const known = new Map<string, typeof Scheduler.Service>()
    const of = (client: unknown) =>
      Effect.gen(function*() {
        const key = JSON.stringify(client)
        const made = known.get(key)
        if (made !== undefined) return made
        const settings = yield* Effect.mapError(decode(client), (error) =>
          new SchedulerUnavailableError({ command: "slurm.client", message: error.message }))
        const context = yield* Layer.buildWithScope(layerOf(settings), scope)
        const scheduler = Context.get(context, Scheduler)
        known.set(key, scheduler)
        return scheduler
      })
    return { of }
  })
)
