/** Texts filled in, over lists and mappings (test/conformance/hydra/project-resolvers.json). `%` is the value. */
import * as Either from "effect/Either"
import { pyStr } from "../../backend/python.ts"
import { isList, isMap, type Value, type ValueMap } from "../../backend/Value.ts"
import { compilePattern } from "../../rule/pattern.ts"
import { type Resolved, type Resolver, type Resolvers, wrong } from "./Resolver.ts"

const fill = (template: Value, mark: string, value: Value): string =>
  pyStr(template).replaceAll(mark, () => pyStr(value))

const list = (value: Value, run: (items: ReadonlyArray<Value>) => Resolved): Resolved =>
  isList(value) ? run(value) : wrong(`${pyStr(value)} is no list`)

const map = (value: Value, run: (map: ValueMap) => Value): Resolved =>
  isMap(value) ? Either.right(run(value)) : wrong(`${pyStr(value)} is no mapping`)

const one: Resolver = {
  arity: [2, 2],
  run: ([template = null, value = null]) =>
    typeof value === "string" && typeof template === "string"
      ? Either.right(fill(template, "%", value))
      : wrong("it fills a text into a text")
}

const each: Resolver = {
  arity: [2, 2],
  run: ([template = null, items = null]) =>
    list(items, (values) => Either.right(values.map((value) => fill(template, "%", value))))
}

const eachAsMap: Resolver = {
  arity: [3, 3],
  run: ([key = null, template = null, items = null]) =>
    list(items, (values) => Either.right(values.map((value) => ({ [pyStr(key)]: fill(template, "%", value) }))))
}

const eachEntry: Resolver = {
  arity: [2, 2],
  run: ([template = null, entries = null]) =>
    map(
      entries,
      (given) =>
        Object.entries(given).map(([key, value]) =>
          pyStr(template).replaceAll(/%[kv]/g, (mark) => (mark === "%k" ? key : pyStr(value)))
        )
    )
}

const eachValue: Resolver = {
  arity: [2, 2],
  run: ([template = null, entries = null]) =>
    map(
      entries,
      (given) => Object.fromEntries(Object.entries(given).map(([key, value]) => [key, fill(template, "%v", value)]))
    )
}

const extract: Resolver = {
  arity: [2, 2],
  run: ([key = null, items = null]) =>
    list(items, (values) =>
      Either.all(values.map((value, at) =>
        isMap(value) && Object.hasOwn(value, pyStr(key))
          ? Either.right(value[pyStr(key)] ?? null)
          : wrong(`item ${at} has no ${pyStr(key)}`)
      )))
}

/** One template for what the pattern matches from its beginning, another one for the rest. */
const byPattern: Resolver = {
  arity: [4, 4],
  run: ([pattern = null, yes = null, no = null, items = null]) =>
    Either.flatMap(
      Either.mapLeft(compilePattern(pyStr(pattern)), ({ column, message }) => `column ${column}: ${message}`),
      ({ regex: { flags, source } }) => {
        const begins = (value: Value) => new RegExp(source, `${flags}y`).test(pyStr(value))
        return list(items, (values) => Either.right(values.map((value) => fill(begins(value) ? yes : no, "%", value))))
      }
    )
}

export const templates: Resolvers = {
  "oc.tmpl": one,
  "oc.maptmpl": each,
  "oc.mapkeytmpl": eachAsMap,
  "oc.mapkeyvaltmpl": eachEntry,
  "oc.mapvaltmpl": eachValue,
  "oc.mapextractkey": extract,
  "oc.mapcondtmpl": byPattern
}
