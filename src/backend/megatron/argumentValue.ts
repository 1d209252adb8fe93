/** Values of arguments, as the parser will read them from the command line. */
import * as Either from "effect/Either"
import { didYouMean } from "../nearest.ts"
import { integer, toFloat, toInt } from "../numeric.ts"
import { pyRepr, pyStr } from "../python.ts"
import { isList, isMap, PyFloat, type Value } from "../Value.ts"
import type { Argument } from "./ArgumentTable.ts"

/** A value of the argument's type; the left is what it must be instead, as in "must be a whole number, not 'x'". */
type Read = (value: Value) => Either.Either<Value, string>

const must = (what: string, value: Value): Either.Either<never, string> =>
  Either.left(`must be ${what}, not ${pyRepr(value)}`)

const isScalar = (value: Value): boolean => !isList(value) && !isMap(value) && value !== null

const flag: Read = (value) => {
  if (typeof value === "boolean") return Either.right(value)
  const word = typeof value === "string" ? value.toLowerCase() : ""
  return word === "true" || word === "false" ? Either.right(word === "true") : must("true or false", value)
}

/** As Python's `int` of a text; what would be cut or is no number is refused. */
const int: Read = (value) => {
  const whole = value instanceof PyFloat && !Number.isInteger(value.value) || typeof value === "boolean"
    ? null
    : toInt(value)
  return whole === null ? must("a whole number", value) : Either.right(integer(whole))
}

const float: Read = (value) => {
  const number = typeof value === "boolean" ? null : toFloat(value)
  return number === null ? must("a number", value) : Either.right(new PyFloat(number))
}

const text: Read = (value) => isScalar(value) ? Either.right(pyStr(value)) : must("a text", value)

/** Python takes any text for true; which one it is stays what was meant. */
const truth: Read = (value) => Either.map(flag(value), pyStr)

/** How often layers are of a kind: a number, or a list of whole numbers as Python writes it, without blanks. */
const pattern: Read = (value) => {
  if (isList(value) && value.every((item) => typeof item === "number")) return Either.right(`[${value.join()}]`)
  const number = int(value)
  if (Either.isRight(number)) return number
  return typeof value === "string" && value.includes("[") && /^[\d,[\]()+*]+$/.test(value)
    ? Either.right(value)
    : must("a whole number or a list such as ([0]*1+[1]*3), without blanks", value)
}

const numbers: Read = (value) => {
  if (isList(value) && value.every((item) => typeof item === "number")) return Either.right(value.join())
  return typeof value === "string" && /^\(?\s*-?\d+\s*(?:,\s*-?\d+\s*)*\)?$/.test(value)
    ? Either.right(value)
    : must("whole numbers with commas between them", value)
}

const graphModules = [
  ...["attn", "mlp", "moe", "moe_router", "moe_preprocess", "mamba"],
  ...["full", "full_iteration", "full_iteration_inference"]
]

const oneOf = (choices: ReadonlyArray<string | number | null>, read: Read): Read => (value) =>
  Either.flatMap(
    read(value),
    (found) =>
      choices.some((choice) => choice !== null && pyStr(choice) === pyStr(found))
        ? Either.right(found)
        : Either.left(`cannot be ${pyRepr(found)}; ${
          didYouMean(
            pyStr(found),
            choices.flatMap((choice) => choice === null ? [] : [`${choice}`])
          )
        }`)
  )

const readers: Readonly<Record<string, Read>> = {
  int,
  float,
  bool: truth,
  "other:moe_freq_type": pattern,
  "other:no_rope_freq_type": pattern,
  "other:la_freq_type": pattern,
  "other:tuple_type": numbers,
  "other:_parse_cuda_graph_modules_arg": oneOf(graphModules, text)
}

const readerOf = ({ choices, type }: Argument): Read => {
  const read = readers[type] ?? text
  return choices === null ? read : oneOf(choices, read)
}

const items = (argument: Argument, value: ReadonlyArray<Value>): Either.Either<Value, string> => {
  const { nargs } = argument
  if (typeof nargs === "number" && value.length !== nargs) {
    return Either.left(`takes ${nargs} values, not ${value.length}: ${pyRepr(value)}`)
  }
  return Either.all(value.map(readerOf(argument)))
}

/**
 * The value as the argument's type has it: numbers as numbers, flags as booleans, lists as lists. One value for a list is
 * a list of it. The left is a half-sentence that follows the argument's name.
 */
export const argumentValue = (argument: Argument, value: Value): Either.Either<Value, string> => {
  const { action, nargs } = argument
  if (action !== "store") return flag(value)
  if (nargs === null || nargs === "?") {
    return isList(value) && !/^other:/.test(argument.type)
      ? Either.left(`takes one value, not a list: ${pyRepr(value)}`)
      : readerOf(argument)(value)
  }
  return items(argument, isList(value) ? value : [value])
}

/** Whether both are the same to the parser: `1` and `1.0` are, and a list of one is what it holds. */
export const isSameValue = (a: Value, b: Value): boolean => {
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, at) => isSameValue(item, b[at] ?? null))
  if (isList(a) && !isList(b)) return a.length === 1 && isSameValue(a[0] ?? null, b)
  const [left, right] = [a, b].map((value) => value instanceof PyFloat ? value.value : value)
  return left === right
}
