/** A small config on disk, and its plan. */
import * as FileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Yaml from "yaml"
import * as ConfigFiles from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"
import { argumentTables } from "../../src/plan/argumentTables.ts"
import type { Facts } from "../../src/plan/facts.ts"
import { makePlan } from "../../src/plan/plan.ts"
import type { PlannedFiles } from "../../src/plan/PlannedFiles.ts"
import type { PlanOptions } from "../../src/plan/PlanOptions.ts"
import { templatesOf } from "../../src/plan/templateFiles.ts"
import { Commands } from "../../src/port/Commands.ts"
import { run } from "./shells.ts"

type Section = Readonly<Record<string, unknown>>
type Tree = Readonly<Record<string, Section>>

const template = path.resolve(import.meta.dirname, "../../config/templates/local.sbatch")

/** A config of one job that echoes, with `sections` laid over it; `HOME` is the test's folder. */
export const toy = (sections: Tree): Tree => {
  const standard: Tree = {
    project: { name: "toy", base_output_dir: "out" },
    slurm: { template_path: template, array: false },
    monitoring: {},
    backend: { class_name: "NullBackend" },
    metadata: {}
  }
  return {
    ...standard,
    ...Object.fromEntries(Object.entries(sections).map(([name, section]) => [name, { ...standard[name], ...section }]))
  }
}

const commands = Layer.succeed(Commands, {
  run: ({ argv }) => Effect.map(Effect.promise(() => run(argv)), ({ code, ...texts }) => ({ exitCode: code, ...texts }))
})

/** The real file system, and real commands. */
export const services = Layer.mergeAll(FileSystem.layer, ConfigFiles.layer, commands)

const facts: Facts = {
  git: { commit: "abc", dirty: true, status: " M x\n", diff: "+https://me:s3cret@host" },
  command: ["autoexp", "run", "+metadata.repo=https://me:s3cret@host"],
  environment: { HOME: "/h", API_KEY: "s3cret" },
  versions: { autoexp: "0.1.0" },
  image: null
}

const plan = (home: string, tree: Tree, options: Partial<PlanOptions>, overrides: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    fs.mkdirSync(path.join(home, "config"), { recursive: true })
    fs.writeFileSync(path.join(home, "config/autoexp.yaml"), Yaml.stringify(tree))
    const loaded = yield* load({ configDir: path.join(home, "config"), configRef: "autoexp", overrides })
    return yield* makePlan(loaded, {
      planId: "toy-1",
      createdAt: "2026-11-23T03:12:07.114Z",
      toolVersion: "0.1.0",
      autoexpCommand: ["autoexp"],
      subset: null,
      parent: null,
      grows: null,
      cwd: home,
      template: yield* templatesOf(loaded, home),
      argumentTables: yield* argumentTables(loaded, home),
      facts: Effect.succeed(facts),
      ...options
    })
  }).pipe(Effect.provide(services))

/** The plan of `tree`, whose relative paths are below `home`. Nothing but the config is written. */
export const planned = (
  home: string,
  tree: Tree,
  options: Partial<PlanOptions> = {},
  overrides: ReadonlyArray<string> = []
): Promise<PlannedFiles> => Effect.runPromise(plan(home, tree, options, overrides))

/** Why there is no plan of `tree`: `file:line:column: at: message` as far as they are known. */
export const refused = (home: string, tree: Tree, options: Partial<PlanOptions> = {}): Promise<string> =>
  Effect.runPromise(Effect.map(Effect.flip(plan(home, tree, options, [])), (error) =>
    error._tag === "PlanError"
      ? [
        error.file === null ? null : [error.file, error.line, error.column].filter((part) => part !== null).join(":"),
        error.at,
        error.message
      ].filter((part) => part !== null).join(": ")
      : error.message))
