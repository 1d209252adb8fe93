/** The scheduler that a session's settings name, made once for each settings in a process. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { commandWords } from "../backend/slurm/commandWords.ts"
import { Commands } from "../port/Commands.ts"
import { Scheduler, Schedulers, SchedulerUnavailableError } from "../port/Scheduler.ts"
import { Client, spare } from "./Client.ts"
import * as fake from "./fake/layer.ts"
import * as local from "./local/layer.ts"
import * as slurm from "./slurm/layer.ts"

/** The user's own cluster of that name. Source of the default: XDG Base Directory Specification. */
const userCluster = (name: string): string =>
  path.join(process.env["XDG_STATE_HOME"] || path.join(os.homedir(), ".local", "state"), "autoexp", name)

/** The words of a command of the settings; a text without a word is taken as it is, and will not be found. */
const words = (text: string | null, otherwise: string): ReadonlyArray<string> =>
  commandWords(text ?? otherwise) ?? [text ?? otherwise]

const layerOf = (client: Client): Layer.Layer<Scheduler, never, Commands> => {
  if (client.class_name === "SlurmClient") {
    return slurm.layer({
      sbatch: words(client.submit_cmd, "sbatch"),
      squeue: words(client.squeue_cmd, "squeue"),
      sacct: words(client.sacct_cmd, "sacct"),
      scancel: words(client.cancel_cmd, "scancel"),
      scontrol: words(client.scontrol_cmd, "scontrol"),
      minPollSeconds: client.min_poll_seconds ?? spare.minPollSeconds,
      callsPerMinute: client.calls_per_minute ?? spare.callsPerMinute
    })
  }
  if (client.class_name !== "LocalClient") {
    return fake.layer({ ...client, dir: client.dir === null ? userCluster("fake-cluster") : path.resolve(client.dir) })
  }
  return local.layer({
    dir: client.dir === null ? userCluster("local-cluster") : path.resolve(client.dir),
    slots: client.slots,
    graceSeconds: client.grace_seconds,
    controller: [process.execPath, fileURLToPath(new URL("./local-controller.js", import.meta.url))]
  })
}

const decode = Schema.decodeUnknown(Client)

/** Schedulers by their settings. */
export const layer: Layer.Layer<Schedulers, never, Commands> = Layer.scoped(
  Schedulers,
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const commands = yield* Commands
    const known = new Map<string, typeof Scheduler.Service>()
    const of = (client: unknown) =>
      Effect.gen(function*() {
        const key = JSON.stringify(client)
        const made = known.get(key)
        if (made !== undefined) return made
        const settings = yield* Effect.mapError(decode(client), (error) =>
          new SchedulerUnavailableError({ command: "slurm.client", message: error.message }))
        const context = yield* Layer.buildWithScope(layerOf(settings), scope).pipe(
          Effect.provideService(Commands, commands)
        )
        const scheduler = Context.get(context, Scheduler)
        known.set(key, scheduler)
        return scheduler
      })
    return { of }
  })
)
