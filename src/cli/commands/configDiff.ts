/** `autoexp config diff A B`: what two configurations differ in, value by value. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ValueMap } from "../../backend/Value.ts"
import { type Difference, differences, leafText } from "../../config/leaves.ts"
import { load } from "../../config/load.ts"
import { showJson } from "../../config/show.ts"
import { Screen } from "../../report/Screen.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { splitConfigs } from "../operands.ts"
import { workshop } from "../planning.ts"
import { printTable } from "../print.ts"
import { usage } from "../UsageError.ts"

const documentOf = (found: ReadonlyArray<Difference>): ValueMap => ({
  equal: found.length === 0,
  differences: found.map(({ a, b, name }) => ({
    key: name,
    ...(a === undefined ? {} : { a }),
    ...(b === undefined ? {} : { b })
  }))
})

export const diff: Handler<"config diff"> = (given) =>
  Effect.gen(function*() {
    const { cwd } = yield* Invocation
    const { configs: [a, b, ...more], first } = splitConfigs(given.operands, cwd)
    if (a === undefined || b === undefined || more.length > 0) {
      return yield* usage("autoexp config diff compares two configs: names, manifests, or recorded or plain files", [
        "autoexp config diff A [overrides…] B [overrides…]"
      ])
    }
    if (first[0] !== undefined) {
      return yield* usage(`"${first[0]}" stands before both configs; overrides stand behind the config they change`)
    }
    // Both at the same time, which `${oc.timestring:}` tells.
    const now = yield* Clock.currentTimeMillis
    const configDir = given["config-dir"] ?? "config"
    const [left, right] = yield* Effect.all([
      load({ configDir, ...a }, Effect.succeed(now)),
      load({ configDir, ...b }, Effect.succeed(now))
    ])
    const found = differences(left.resolved, right.resolved)
    const text = (value: Difference["a"]) => (value === undefined ? "(absent)" : leafText(value))
    yield* given.json
      ? Effect.flatMap(Screen, (screen) => screen.out(showJson(documentOf(found))))
      : printTable(
        [
          { title: "KEY", value: ({ name }) => name },
          { title: [a.configRef, ...a.overrides].join(" "), value: (difference) => text(difference.a) },
          { title: [b.configRef, ...b.overrides].join(" "), value: (difference) => text(difference.b) }
        ],
        found,
        "no differences"
      )
    return found.length === 0 ? 0 : 1
  }).pipe(Effect.provide(workshop))
