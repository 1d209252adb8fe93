/** Texts, lists and mappings: the predecessor's resolvers (test/conformance/hydra/project-resolvers.json). */
import * as Either from "effect/Either"
import { toInt } from "../../backend/numeric.ts"
import { pyStr } from "../../backend/python.ts"
import { isList, isMap } from "../../backend/Value.ts"
import { operate } from "../../sweep/expression/operate.ts"
import { fromValue, toValue } from "../../sweep/expression/values.ts"
import { type Resolver, type Resolvers, wrong } from "./Resolver.ts"

const concat: Resolver = {
  arity: [2, 2],
  run: ([a = null, b = null]) => {
    if (typeof a === "string" && typeof b === "string") return Either.right(a + b)
    if (isList(a) && isList(b)) return Either.right([...a, ...b])
    const sum = typeof a === "string" || isList(a) ? null : Either.getOrNull(operate("+", fromValue(a), fromValue(b)))
    return sum === null ? wrong("only two texts, two lists or two numbers can be put together") : toValue(sum)
  }
}

const slice: Resolver = {
  arity: [3, 3],
  run: ([sequence = null, from = null, to = null]) => {
    const [start, end] = [toInt(from), toInt(to)]
    if (start === null || end === null) return wrong("start and end must be whole numbers")
    if (typeof sequence === "string") return Either.right([...sequence].slice(Number(start), Number(end)).join(""))
    return isList(sequence)
      ? Either.right(sequence.slice(Number(start), Number(end)))
      : wrong("only a text or a list has parts")
  }
}

const length: Resolver = {
  arity: [1, 1],
  run: ([value = null]) => {
    if (typeof value === "string") return Either.right([...value].length)
    if (isList(value)) return Either.right(value.length)
    return isMap(value) ? Either.right(Object.keys(value).length) : wrong(`${pyStr(value)} has no length`)
  }
}

const join: Resolver = {
  arity: [2, 2],
  run: ([separator = null, items = null]) =>
    isList(items) ? Either.right(items.map(pyStr).join(pyStr(separator))) : wrong("only a list can be joined")
}

const split: Resolver = {
  arity: [2, 2],
  run: ([text = null, separator = null]) =>
    separator === "" ? wrong("the separator is empty") : Either.right(pyStr(text).split(pyStr(separator)))
}

const merge: Resolver = {
  arity: [0, Infinity],
  run: (args) => Either.right(Object.assign({}, ...args.filter(isMap)))
}

export const collections: Resolvers = {
  "oc.concat": concat,
  "oc.slice": slice,
  "oc.len": length,
  "oc.dict_merge": merge,
  "oc.join": join,
  "oc.split": split
}
