/** What the options of `plan`, `run`, `sweep show` and `config show` ask for. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import * as ConfigFiles from "../config/ConfigFiles.ts"
import type { ConfigRequest } from "../config/load.ts"
import type { ConfigError } from "../config/Problem.ts"
import type { ImageError } from "../container/ImageError.ts"
import { setting } from "../monitor/followUps.ts"
import * as LiveCommands from "../monitor/LiveCommands.ts"
import type { ManifestError } from "../plan/Manifest.ts"
import type { PlanError } from "../plan/PlanError.ts"
import type { PlannedFiles } from "../plan/PlannedFiles.ts"
import { preparePlan } from "../plan/prepare.ts"
import { referenceRequest } from "../plan/provenance.ts"
import { ResolvedConfig, RunMetadata, sinceThen } from "../plan/since.ts"
import type { ContainerRuntimeError } from "../port/ContainerRuntime.ts"
import { Screen } from "../report/Screen.ts"
import { clean } from "../report/width.ts"
import { requestOf } from "./composing.ts"
import { Invocation } from "./Invocation.ts"
import { namedStateDir } from "./place.ts"
import type { Given } from "./spec.ts"
import { usage, type UsageError } from "./UsageError.ts"

/** What planning needs of this machine. */
export const workshop = Layer.mergeAll(NodeFileSystem.layer, ConfigFiles.layer, LiveCommands.layer)

/** What `--allow-unknown-args` stands for. */
export const allowUnknownArgs = "++backend.allow_unknown_args=true"

/** Tells people what of a plan is as it was asked for, but may not be what was meant; on standard error. */
export const printNotes = (notes: ReadonlyArray<string>): Effect.Effect<void, never, Screen> =>
  Effect.flatMap(
    Screen,
    (screen) => Effect.forEach(notes, (note) => screen.err(`autoexp: note: ${clean(note)}\n`), { discard: true })
  )

/** The `config_reference.json` of a job: `from` is this file, or a directory that holds it. */
const recordOf = (from: string): Effect.Effect<string, never, Invocation> =>
  Effect.map(Invocation, ({ cwd }) => {
    const file = path.resolve(cwd, from)
    const folder = fs.existsSync(path.join(file, "_provenance")) ? path.join(file, "_provenance") : file
    const isFolder = fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
    return isFolder ? path.join(folder, "config_reference.json") : folder
  })

/** What differs today from the record beside the reference; nothing if it has gone. */
const sinceRecorded = (reference: string, plan: PlannedFiles) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const before = yield* jobRecord((name) => files.readFileString(path.join(path.dirname(reference), name)))
    const now = yield* jobRecord((name) =>
      Effect.fromNullable(plan.files.find((file) => path.basename(file.path) === name)?.text)
    )
    const found = sinceThen(before, now)
    const { created } = before.metadata
    return found.length === 0
      ? [`nothing that is on record differs today from ${created}, when this was planned before`]
      : found.map((difference) => `since ${created}: ${difference}`)
  }).pipe(Effect.orElseSucceed(() => [
    `what differs today cannot be told: run_metadata.json or resolved_config.json beside ${reference} cannot be read`
  ]))

const jobRecord = <E, R>(text: (name: string) => Effect.Effect<string, E, R>) =>
  Effect.all({
    config: Effect.flatMap(text("resolved_config.json"), Schema.decode(Schema.parseJson(ResolvedConfig))),
    metadata: Effect.flatMap(text("run_metadata.json"), Schema.decode(Schema.parseJson(RunMetadata)))
  })

/** Reads the parser inside the config's image, which plans are checked against from then on. */
const readInside = ({ configDir, configRef, overrides }: ConfigRequest) =>
  Effect.gen(function*() {
    const { probed } = yield* Effect.promise(() => import("./containers.ts"))
    const asked = { "config-dir": configDir, "config-ref": configRef, "container-cmd": null, operands: overrides }
    const { digest } = yield* probed({ ...asked, image: null })
    if (digest === null) {
      return yield* usage("--container needs an image file, not a directory, which may change any time")
    }
  })

/** The plan that the options ask for; nothing is written. A state directory that was named is part of its config. */
export const planned = (
  given: Given<"plan">
): Effect.Effect<
  PlannedFiles,
  ConfigError | PlanError | ManifestError | UsageError | ImageError | ContainerRuntimeError,
  Invocation | FileSystem.FileSystem | Effect.Effect.Context<ReturnType<typeof preparePlan>>
> =>
  Effect.gen(function*() {
    const { cwd, program, version } = yield* Invocation
    const from = given.from
    const composing = (["config-ref", "config-dir"] as const).find((option) => given[option] !== null)
    if (from !== null && composing !== undefined) {
      return yield* usage(`--from says which config to use, and so does --${composing}; give one of them`)
    }
    const reference = from === null ? null : yield* recordOf(from)
    const { request, subset } = reference === null
      ? { request: requestOf(given), subset: null }
      : yield* referenceRequest(reference)
    const stateDir = yield* namedStateDir(given["state-dir"])
    const overrides = [
      ...from === null ? [] : request.overrides,
      ...stateDir === null ? [] : [setting("project.monitoring_state_dir", stateDir)],
      ...given["allow-unknown-args"] ? [allowUnknownArgs] : [],
      ...given.image === null ? [] : [setting("container.image", path.resolve(cwd, given.image))],
      ...given.operands
    ]
    if (given.container) yield* readInside({ ...request, overrides })
    const made = yield* preparePlan({
      request: { ...request, overrides },
      subset: given["array-subset"] ?? subset,
      planId: given["plan-id"],
      parent: null,
      grows: null,
      asOf: null,
      readImage: !given["dry-run"] && !given.check,
      cwd,
      toolVersion: version,
      autoexpCommand: program
    })
    return reference === null ? made : { ...made, notes: [...made.notes, ...yield* sinceRecorded(reference, made)] }
  })
