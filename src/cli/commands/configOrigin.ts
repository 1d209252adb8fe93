/** `autoexp config show --origin`: where each value was set last. */
import * as Effect from "effect/Effect"
import * as path from "node:path"
import type { Value } from "../../backend/Value.ts"
import { leafName, leafText, leaves } from "../../config/leaves.ts"
import type { Loaded } from "../../config/load.ts"
import { showJson } from "../../config/show.ts"
import { Screen } from "../../report/Screen.ts"
import { clean, cut } from "../../report/width.ts"
import { Invocation } from "../Invocation.ts"
import { printTable } from "../print.ts"

/** The path as people know it: relative where that leads down. */
const near = (cwd: string, file: string): string => {
  const relative = path.relative(cwd, file)
  return relative.startsWith("..") ? file : relative
}

const placeText = (cwd: string, { origin }: ReturnType<Loaded["source"]>): string => {
  switch (origin?.source) {
    case "file":
      return `${near(cwd, origin.file)}:${origin.line}:${origin.column}`
    case "override":
      return origin.text
    default:
      return ""
  }
}

const sourceValue = (value: Value, { interpolation, origin }: ReturnType<Loaded["source"]>): Value => ({
  value,
  source: origin?.source ?? null,
  file: origin?.source === "file" ? origin.file : null,
  line: origin?.source === "file" ? origin.line : null,
  column: origin === null || origin.source === "point" ? null : origin.column,
  override: origin?.source === "override" ? origin.text : null,
  interpolation
})

/** Each leaf of `config`, with its place and, where it was resolved, what was written there. */
export const showOrigins = (loaded: Loaded, config: Loaded["resolved"], json: boolean) =>
  Effect.gen(function*() {
    const { cwd } = yield* Invocation
    const rows = leaves(config).map((leaf) => ({
      ...leaf,
      name: leafName(leaf.path),
      source: loaded.source(leaf.path)
    }))
    yield* json
      ? Effect.flatMap(
        Screen,
        (screen) =>
          screen.out(
            showJson(Object.fromEntries(rows.map(({ name, source, value }) => [name, sourceValue(value, source)])))
          )
      )
      : printTable(
        [
          { title: "KEY", value: ({ name }) => name },
          { title: "SET BY", value: ({ source }) => placeText(cwd, source) },
          { title: "VALUE", value: ({ value }) => cut(clean(leafText(value)), 60) },
          { title: "AS", value: ({ source }) => source.interpolation ?? "" }
        ],
        rows,
        "nothing"
      )
  })
