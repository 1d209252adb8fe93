/** `autoexp backtest`: where rules match in any log, and why they do not. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { didYouMean, nearest } from "../../backend/nearest.ts"
import * as ConfigFiles from "../../config/ConfigFiles.ts"
import { backtest as lookThrough, explainLine, type GivenUp, type Hit, lineOf } from "../../replay/backtest.ts"
import { otherRules } from "../../replay/otherRules.ts"
import { Screen } from "../../report/Screen.ts"
import { makeTable } from "../../report/table.ts"
import { clean } from "../../report/width.ts"
import { requestOf } from "../composing.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { printJson, printLines } from "../print.ts"
import type { Given } from "../spec.ts"
import { usage, type UsageError } from "../UsageError.ts"

/** Bytes looked at in one go, as a monitor reads. */
const portion = 256 * 1024

/** A log's bytes, piece by piece: it may be longer than memory, or a pipe. Throws what keeps it from being read. */
function* piecesOf(file: string): Generator<Uint8Array> {
  const handle = fs.openSync(file, "r")
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(portion)
      const length = fs.readSync(handle, buffer, 0, portion, null)
      if (length === 0) return
      yield buffer.subarray(0, length)
    }
  } finally {
    fs.closeSync(handle)
  }
}

const reading = <A>(file: string, attempt: () => A): Effect.Effect<A, UsageError> =>
  Effect.try({
    try: attempt,
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
    const line = yield* reading(file, () => lineOf(piecesOf(file), number))
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

/** Prints hits as they are found: there may be more of them than memory holds. */
interface Shown {
  readonly some: (hits: ReadonlyArray<Hit>) => Effect.Effect<void, never, Screen>
  readonly end: Effect.Effect<void, never, Screen>
}

/** One JSON array. */
const hitsAsJson = (): Shown => {
  let isFirst = true
  return {
    some: (hits) =>
      Effect.flatMap(Screen, ({ out }) => {
        if (hits.length === 0) return Effect.void
        const text = JSON.stringify(hits, null, 2).slice("[\n".length, -"\n]".length)
        const before = isFirst ? "[\n" : ",\n"
        isFirst = false
        return out(before + text)
      }),
    end: Effect.flatMap(Screen, ({ out }) => Effect.suspend(() => out(isFirst ? "[]\n" : "\n]\n")))
  }
}

/** So many hits make the first widths of a table. */
const firstHits = 1000

const hitsAsTable = (cwd: string) =>
  Effect.gen(function*() {
    const { color, err, size } = yield* Screen
    const rowsOf = makeTable<Hit>([
      { title: "RULE", value: ({ rule }) => rule },
      { title: "PLACE", value: ({ file, line_number }) => `${path.relative(cwd, file)}:${line_number}` },
      { title: "LEADS TO", value: actionText },
      { title: "GROUPS", value: ({ groups }) => Object.keys(groups).length === 0 ? "" : JSON.stringify(groups) },
      { title: "LINE", value: ({ line }) => line }
    ], { columns: (yield* size).columns, color })
    let waiting: Array<Hit> = []
    let isAny = false
    const print = Effect.suspend(() => {
      const hits = waiting
      waiting = []
      return hits.length === 0 ? Effect.void : printLines(rowsOf(hits))
    })
    return {
      some: (hits) =>
        Effect.suspend(() => {
          for (const hit of hits) waiting.push(hit)
          if (waiting.length < firstHits) return Effect.void
          isAny = true
          return print
        }),
      end: Effect.suspend(() => isAny || waiting.length > 0 ? print : err("no rule matches\n"))
    } satisfies Shown
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
    const matched = new Set<string>()
    const slow: Array<GivenUp> = []
    const show = given.json ? hitsAsJson() : yield* hitsAsTable(cwd)
    for (const file of logs) {
      const found = lookThrough(rules, file, piecesOf(file))
      // Patterns of a config that loads are patterns.
      if (Either.isLeft(found)) return yield* usage(found.left.message)
      const results = found.right[Symbol.iterator]()
      for (;;) {
        const next = yield* reading(file, () => results.next())
        if (next.done === true) break
        for (const { rule } of next.value.hits) matched.add(rule)
        slow.push(...next.value.slow)
        yield* show.some(next.value.hits)
      }
    }
    yield* show.end
    const silent = given.expect.filter((name) => !matched.has(name))
    yield* screen.err(
      [
        ...slow.map(({ file, rule, why }) => `autoexp: rule ${rule} is too slow for ${file}: ${why}\n`),
        ...silent.map((name) => `autoexp: rule ${name} matches nowhere\n`)
      ].map((text) => `${clean(text.trimEnd())}\n`).join("")
    )
    return slow.length === 0 && silent.length === 0 ? 0 : 1
  }).pipe(Effect.provide(ConfigFiles.layer))
