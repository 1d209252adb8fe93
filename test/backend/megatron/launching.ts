/** Megatron's command for a section of a config, without a plan around it. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Backend, launch } from "../../../src/backend/Backend.ts"
import type { LaunchPoint } from "../../../src/backend/launch.ts"
import * as before from "../../../src/backend/megatron/arguments/core_r0_13_0.ts"
import * as now from "../../../src/backend/megatron/arguments/main.ts"
import { argumentTable, type ArgumentTables } from "../../../src/backend/megatron/ArgumentTable.ts"
import { formatTemplate } from "../../../src/sweep/format.ts"

/** The shipped tables. */
export const tables: ArgumentTables = [
  Either.getOrThrowWith(argumentTable("core_r0.13.0", before.version, before.text), (why) => new Error(why)),
  Either.getOrThrowWith(argumentTable("main", now.version, now.text), (why) => new Error(why))
]

const point: LaunchPoint = {
  parameters: {},
  render: (template) => formatTemplate(template, { name: "toy_0", output_dir: "/out/toy_0" }),
  swept: new Set(),
  size: { nodes: 1, tasks: 1, gpus: 0 },
  env: {},
  argumentTables: tables
}

/** The command of `section` (a MegatronBackend unless it says otherwise), or `at: message` of what is wrong. */
export const launched = (section: Readonly<Record<string, unknown>>, given: Partial<LaunchPoint> = {}) =>
  Either.mapLeft(
    launch(
      Schema.decodeUnknownSync(Backend, { onExcessProperty: "error" })({
        class_name: "MegatronBackend",
        launcher_script: "run",
        ...section
      }),
      { ...point, ...given }
    ),
    ({ at, message }) => `${at}: ${message}`
  )

/** The arguments, or what is wrong. */
export const argv = (section: Readonly<Record<string, unknown>>, given: Partial<LaunchPoint> = {}) =>
  Either.match(launched(section, given), {
    onLeft: (wrong) => wrong,
    onRight: ({ argv: [, ...words] }) => words
  })
