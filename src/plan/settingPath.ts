/** Where a sweep sets a parameter. */
import { isList, isMap, same, type Value } from "../backend/Value.ts"
import type { Path } from "../config/decode.ts"

/** A parameter as a point has it. */
export interface Wanted {
  readonly key: string
  readonly value: Value
}

/**
 * Where in `value` (the `sweep` section, which stands at `path`) the parameter is set so, alone or among others; else where
 * its key first stands, whose values may be written as `${…}`; null if nowhere.
 */
export const settingPath = (value: Value, wanted: Wanted, path: Path): Path | null =>
  find(value, path, (key, item) => {
    if (key !== wanted.key) return null
    if (same(item, wanted.value)) return []
    const at = isList(item) ? item.findIndex((each) => same(each, wanted.value)) : -1
    return at < 0 ? null : [at]
  }) ?? find(value, path, (key) => key === wanted.key ? [] : null)

const find = (
  value: Value,
  path: Path,
  matches: (key: string | number, item: Value) => Path | null
): Path | null => {
  const entries: ReadonlyArray<readonly [string | number, Value]> = isList(value)
    ? value.map((item, at) => [at, item])
    : isMap(value)
    ? Object.entries(value)
    : []
  for (const [part, item] of entries) {
    const here = [...path, part]
    const rest = matches(part, item)
    const found = rest === null ? find(item, here, matches) : [...here, ...rest]
    if (found !== null) return found
  }
  return null
}
