/** `autoexp config validate`: all mistakes of all configs that are asked for. */
import * as Effect from "effect/Effect"
import { ConfigFiles } from "../../config/ConfigFiles.ts"
import { ConfigError, type Problem } from "../../config/Problem.ts"
import { validate as check, type Verdict } from "../../plan/validate.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { splitConfigs } from "../operands.ts"
import { allowUnknownArgs, workshop } from "../planning.ts"
import { printJson, printTable } from "../print.ts"

/** Names of all configs of a folder of the config directory, and of the folders in it. */
const configsIn = (configDir: string, folder: string): Effect.Effect<ReadonlyArray<string>, never, ConfigFiles> =>
  Effect.gen(function*() {
    const names = (yield* ConfigFiles).list(`${configDir}/${folder}`) ?? []
    const found = yield* Effect.forEach(names, (name) =>
      name.endsWith("/")
        ? configsIn(configDir, `${folder}/${name.slice(0, -1)}`)
        : Effect.succeed(name.endsWith(".yaml") ? [`${folder}/${name.slice(0, -5)}`] : []))
    return found.flat()
  })

/** Configs share files, and so their mistakes: each is told once. */
const distinct = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> => {
  const known = new Map<string, Problem>()
  for (const problem of problems) {
    const mistake = JSON.stringify({ ...problem, chain: [] })
    if (!known.has(mistake)) known.set(mistake, problem)
  }
  return [...known.values()]
}

const verdictText = ({ jobs, problems }: Verdict): string =>
  problems.length === 0 ? `sound, ${jobs} job${jobs === 1 ? "" : "s"}` : `${problems.length} wrong`

export const validate: Handler<"config validate"> = (given) =>
  Effect.gen(function*() {
    const { cwd, version } = yield* Invocation
    const configDir = given["config-dir"] ?? "config"
    const { configs, first } = splitConfigs(given.operands, cwd)
    const allowing = given["allow-unknown-args"] ? [allowUnknownArgs] : []
    const overrides = [...first, ...configs.flatMap((config) => config.overrides), ...allowing]
    const named = [
      ...(given["config-ref"] === null ? [] : [given["config-ref"]]),
      ...configs.map(({ configRef }) => configRef),
      ...(given.all ? ["autoexp", ...yield* configsIn(configDir, "experiments")] : [])
    ]
    const refs = named.length === 0 ? ["autoexp"] : [...new Set(named)]
    const verdicts = yield* Effect.forEach(
      refs,
      (configRef) => check({ configDir, configRef, overrides }, { cwd, toolVersion: version })
    )
    const [problem, ...more] = distinct(verdicts.flatMap(({ problems }) => problems))
    yield* given.json
      ? printJson({
        ok: problem === undefined,
        configs: verdicts.map(({ configRef, jobs, problems }) => ({
          config: configRef,
          ok: problems.length === 0,
          jobs,
          problems
        }))
      })
      : printTable(
        [{ title: "CONFIG", value: ({ configRef }) => configRef }, { title: "VERDICT", value: verdictText }],
        verdicts,
        "no configs"
      )
    return problem === undefined ? 0 : yield* new ConfigError({ problems: [problem, ...more] })
  }).pipe(Effect.provide(workshop))
