/** `autoexp doctor`: what of this machine autoexp can use and what is missing; `--smoke` tries it with real jobs. */
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { examine } from "../../monitor/doctor/examine.ts"
import * as LiveCommands from "../../monitor/LiveCommands.ts"
import { clean } from "../../report/width.ts"
import { stateDirOfConfig } from "../configured.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { namedStateDir } from "../place.ts"
import { printJson, printLines } from "../print.ts"
import { usage } from "../UsageError.ts"

const unusable = 3

const examination = (stateDir: string | null, json: boolean) =>
  Effect.gen(function*() {
    const { cwd, env, version } = yield* Invocation
    const named = (yield* namedStateDir(stateDir)) ?? (yield* stateDirOfConfig) ?? path.join(cwd, "monitor")
    const { checks, usable } = yield* examine({ env, version, stateDirs: [named] })
    const width = Math.max(...checks.map(({ name }) => name.length))
    yield* json ? printJson({ usable, checks }) : printLines([
      ...checks.flatMap(({ found, name, status, todo }) => [
        `${status.padEnd(7)}  ${name.padEnd(width)}  ${clean(found)}`,
        ...todo === null ? [] : [`${" ".repeat(width + 11)}-> ${todo}`]
      ]),
      "",
      usable ? "autoexp can run jobs here" : "nothing here can run a job"
    ])
    return usable ? 0 : unusable
  }).pipe(Effect.provide(LiveCommands.layer))

export const doctor: Handler<"doctor"> = (given) =>
  Effect.gen(function*() {
    if (given.smoke) {
      const { smoke } = yield* Effect.promise(() => import("../smoke.ts"))
      return yield* smoke(given)
    }
    const [override] = given.operands
    if (override !== undefined) {
      return yield* usage(`"${override}" chooses where the smoke test runs: autoexp doctor --smoke ${override}`)
    }
    return yield* examination(given["state-dir"], given.json)
  })
