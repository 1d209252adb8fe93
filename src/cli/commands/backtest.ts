/** `autoexp backtest`: where rules match in any log, and why they do not. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { didYouMean, nearest } from "../../backend/nearest.ts"
import * as ConfigFiles from "../../config/ConfigFiles.ts"
import { type Backtest, backtest as lookThrough, explainLine, type Hit, lineOf } from "../../replay/backtest.ts"
import { otherRules } from "../../replay/otherRules.ts"
import { Screen } from "../../report/Screen.ts"
import { clean } from "../../report/width.ts"
import { requestOf } from "../composing.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { printJson, printLines, printTable } from "../print.ts"
import type { Given } from "../spec.ts"
import { usage, type UsageError } from "../UsageError.ts"

const readLog = (file: string): Effect.Effect<Uint8Array, UsageError> =>
  Effect.try({
    try: () => fs.readFileSync(file),
    catch: (error) => usage(`the log ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  })

const actionText = ({ actions, event }: Hit): string =>
  event === null
    ? "noted"
    : actions.length === 0
    ? "raised"
    : actions.map(({ class_name, conditions }) =>
      conditions.length === 0 ? class_name : `${class_name} if ${conditions.join(" and ")}`
    ).join(", ")

const explained = (given: Given<"backtest">, logs: ReadonlyArray<string>, number: number) =>
  Effect.gen(function*() {
    const [file, ...others] = logs
    if (file === undefined || others.length > 0) return yield* usage("--explain speaks of a line of one log; give one")
    const rules = yield* otherRules(given.monitoring, requestOf(given))
    const line = lineOf(yield* readLog(file), number)
    if (line === null) return yield* usage(`${file} has no line ${number}`)
    const verdicts = explainLine(rules, line)
    yield* given.json ? printJson(verdicts) : printLines([
      clean(`line ${number}: ${new TextDecoder().decode(line.subarray(0, 2048))}`),
      ...verdicts.map(({ groups, matches, rule, why }) =>
        clean(
          `  ${rule} ${matches ? "matches" : "does not match"}: ${why}` +
            groups.filter((group) => Object.keys(group).length > 0).map((group) => ` ${JSON.stringify(group)}`).join("")
        )
      )
    ])
    return 0
  })

export const backtest: Handler<"backtest"> = (given) =>
  Effect.gen(function*() {
    const { cwd } = yield* Invocation
    const screen = yield* Screen
    const logs = given.log.map((file) => path.resolve(cwd, file))
    if (logs.length === 0) return yield* usage("name a log by --log")
    if (given.explain !== null) return yield* explained(given, logs, given.explain)
    const rules = yield* otherRules(given.monitoring, requestOf(given))
    const names = rules.log_events.map(({ name }) => name)
    const unknown = given.expect.find((name) => !names.includes(name))
    if (unknown !== undefined) {
      return yield* usage(`there is no rule "${unknown}"; ${didYouMean(unknown, names)}`, nearest(unknown, names))
    }
    const results: Array<Backtest> = []
    for (const file of logs) {
      const result = lookThrough(rules, file, yield* readLog(file))
      // Patterns of a config that loads are patterns.
      if (Either.isLeft(result)) return yield* usage(result.left.message)
      results.push(result.right)
    }
    const hits = results.flatMap((result) => result.hits)
    const slow = results.flatMap((result) => result.slow)
    const silent = given.expect.filter((name) => !hits.some(({ rule }) => rule === name))
    yield* given.json ? printJson(hits) : printTable(
      [
        { title: "RULE", value: ({ rule }) => rule },
        { title: "PLACE", value: ({ file, line_number }) => `${path.relative(cwd, file)}:${line_number}` },
        { title: "LEADS TO", value: actionText },
        { title: "GROUPS", value: ({ groups }) => Object.keys(groups).length === 0 ? "" : JSON.stringify(groups) },
        { title: "LINE", value: ({ line }) => line }
      ],
      hits,
      "no rule matches"
    )
    yield* screen.err(
      [
        ...slow.map(({ file, rule, why }) => `autoexp: rule ${rule} is too slow for ${file}: ${why}\n`),
        ...silent.map((name) => `autoexp: rule ${name} matches nowhere\n`)
      ].map((text) => `${clean(text.trimEnd())}\n`).join("")
    )
    return slow.length === 0 && silent.length === 0 ? 0 : 1
  }).pipe(Effect.provide(ConfigFiles.layer))
