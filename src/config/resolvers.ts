/**
 * The resolvers that `${name:…}` can call.
 * Source: OmegaConf 2.3's own, the predecessor's newest version, and their answers (test/conformance/hydra).
 */
import * as Either from "effect/Either"
import { pyStr } from "../backend/python.ts"
import { isList, isMap, PyFloat, type Value } from "../backend/Value.ts"
import * as numeric from "./numeric.ts"

/** What resolvers may know of the world; taken once, so that all uses agree. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** UTC time of the load as `YYYYMMDD_HHMMSS_mmm`. */
  readonly timestring: string
  /** The config directory, absolute. */
  readonly configDir: string
}

/** What a resolver is called with besides its arguments. */
export interface Call extends Surroundings {
  /** Which arguments are interpolations: a list read from the configuration differs from a list written in place. */
  readonly fromConfig: ReadonlyArray<boolean>
  /** The value at a key, null if there is none; on the left null if it cannot be resolved, which is noted already. */
  readonly select: (key: string) => Either.Either<{ readonly value: Value } | null, null>
  /** A text read as one argument of the interpolation grammar. */
  readonly decode: (text: string) => Either.Either<Value, string | null>
}

export interface Resolver {
  /** Whether `${a.b}` can reach into a mapping that it returned. Lists can always be entered. */
  readonly enterable?: boolean
  /** Least and greatest number of arguments. */
  readonly arity: readonly [number, number]
  /** On the left half a sentence that says what does not fit, or null if the problem is noted already. */
  readonly run: (args: ReadonlyArray<Value>, call: Call) => Either.Either<Value, string | null>
}

const wrong = (what: string): Either.Either<never, string> => Either.left(what)

const truthy = (value: Value): boolean => {
  if (value instanceof PyFloat) return value.value !== 0
  if (typeof value === "string") return value !== "" && value.toLowerCase() !== "false"
  if (isList(value)) return value.length > 0
  if (isMap(value)) return Object.keys(value).length > 0
  return Boolean(value)
}

const select: Resolver = {
  arity: [1, 2],
  run: ([key = null, standard = null], call) =>
    Either.map(call.select(pyStr(key)), (found) => (found === null ? standard : found.value))
}

const environment: Resolver = {
  arity: [1, 2],
  run: (args, call) => {
    const [name = null, standard] = args
    const found = call.environment[pyStr(name)]
    if (found !== undefined) return Either.right(found)
    if (standard === undefined) {
      return wrong(`the environment variable ${pyStr(name)} is not set, and no default is given`)
    }
    return Either.right(standard === null ? null : pyStr(standard))
  }
}

const concat: Resolver = {
  arity: [2, 2],
  run: ([a = null, b = null]) => {
    if (typeof a === "string" && typeof b === "string") return Either.right(a + b)
    if (isList(a) && isList(b)) return Either.right([...a, ...b])
    const sum = typeof a === "string" || typeof b === "string" ? null : numeric.plus(a, b)
    return sum === null ? wrong("only two texts, two lists or two numbers can be put together") : Either.right(sum)
  }
}

const slice: Resolver = {
  arity: [3, 3],
  run: ([sequence = null, from = null, to = null]) => {
    const [start, end] = [numeric.toInt(from), numeric.toInt(to)]
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

const entriesOf = (name: "keys" | "values"): Resolver => ({
  arity: [1, 1],
  run: ([key = null], call) =>
    Either.flatMap(typeof key === "string" ? call.select(key) : Either.right({ value: key }), (found) => {
      if (found === null) return wrong(`there is no ${pyStr(key)}`)
      if (!isMap(found.value)) return wrong(`${pyStr(key)} is no mapping`)
      return Either.right(name === "keys" ? Object.keys(found.value) : Object.values(found.value))
    })
})

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

const total = (unit: number, step: (a: number, b: number) => number): Resolver => ({
  arity: [0, Infinity],
  run: (args) =>
    Either.right(
      new PyFloat(args.map(numeric.toFloat).filter((value) => value !== null).reduce(step, unit))
    )
})

const totalInt = (unit: bigint, step: (a: bigint, b: bigint) => bigint): Resolver => ({
  arity: [0, Infinity],
  run: (args) => Either.right(numeric.int(args.map(numeric.toInt).filter((value) => value !== null).reduce(step, unit)))
})

type Pair = (a: Value, b: Value) => Value

const pairwise = (step: Pair): Resolver => ({
  arity: [2, 2],
  run: ([a = null, b = null], call) => {
    if (!isList(a)) return Either.right(step(a, b))
    // A list written in place is no number, and no list of the configuration either.
    if (call.fromConfig[0] !== true) return Either.right(step(null, b))
    return Either.right(a.map((item, index) => step(item, isList(b) ? b[index] ?? null : b)))
  }
})

const floats = (step: (a: number, b: number) => number): Pair => (a, b) => {
  const [x, y] = [numeric.toFloat(a), numeric.toFloat(b)]
  return new PyFloat(x === null || y === null ? 0 : step(x, y))
}

const ints = (step: (a: bigint, b: bigint) => bigint): Pair => (a, b) => {
  const [x, y] = [numeric.toInt(a), numeric.toInt(b)]
  return x === null || y === null ? 0 : numeric.int(step(x, y))
}

const single = (run: (value: Value) => Either.Either<Value, string>): Resolver => ({
  arity: [1, 1],
  run: ([value = null]) => run(value)
})

/** Every resolver there is; a new one is a line here. */
export const resolvers: Readonly<Record<string, Resolver>> = {
  "oc.env": environment,
  "oc.select": select,
  "oc.decode": {
    arity: [1, 1],
    run: ([text = null], call) => {
      if (typeof text === "string") return call.decode(text)
      return text === null ? Either.right(null) : wrong(`it reads a text, not ${pyStr(text)}`)
    }
  },
  "oc.create": { ...single(Either.right), enterable: true },
  "oc.deprecated": {
    arity: [1, 2],
    run: ([key = null], call) =>
      Either.flatMap(
        call.select(pyStr(key)),
        (found) => found === null ? wrong(`there is no ${pyStr(key)}`) : Either.right(found.value)
      )
  },
  "oc.dict.keys": entriesOf("keys"),
  "oc.dict.values": entriesOf("values"),
  "oc.timestring": { arity: [0, 0], run: (_, call) => Either.right(call.timestring) },
  "oc.concat": concat,
  "oc.if": { arity: [3, 3], run: ([condition = null, a = null, b = null]) => Either.right(truthy(condition) ? a : b) },
  "oc.mul": total(1, (a, b) => a * b),
  "oc.muli": totalInt(1n, (a, b) => a * b),
  "oc.add": total(0, (a, b) => a + b),
  "oc.addi": totalInt(0n, (a, b) => a + b),
  "oc.sub": pairwise(floats((a, b) => a - b)),
  "oc.subi": pairwise(ints((a, b) => a - b)),
  "oc.div": pairwise(floats((a, b) => (b === 0 ? 0 : a / b))),
  "oc.divi": pairwise(ints(numeric.floorDiv)),
  "oc.cdivi": pairwise(ints((a, b) => -numeric.floorDiv(-a, b))),
  "oc.sqrt": single((value) => {
    const number = numeric.toFloat(value)
    return number === null || number < 0
      ? wrong(`${pyStr(value)} has no root`)
      : Either.right(new PyFloat(Math.sqrt(number)))
  }),
  "oc.int": single((value) => {
    const number = value === null ? 0n : numeric.toInt(value)
    if (value instanceof PyFloat && number === null) return wrong(`${pyStr(value)} is no whole number`)
    return Either.right(number === null ? Number(truthy(value)) : numeric.int(number))
  }),
  "oc.slice": slice,
  "oc.len": length,
  "oc.dict_merge": merge,
  "oc.join": join,
  "oc.split": split,
  "autoexp.config_dir": { arity: [0, 0], run: (_, call) => Either.right(call.configDir) }
}
