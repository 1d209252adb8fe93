/** `"%s-%03d" % (name, index)`. Source: Python 3.11's "printf-style String Formatting". */
import * as Either from "effect/Either"
import { toFloat, toInt } from "../../backend/numeric.ts"
import { PyFloat } from "../../backend/Value.ts"
import { formatValue } from "../formatSpec.ts"
import { type Py, PyDict, PyTuple, repr, str, typeName } from "./values.ts"

type Result = Either.Either<string, string>

const shape = /%(?:\((?<name>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>\d+)?(?:\.(?<precision>\d*))?(?<type>[^]?)/gu

const isNumber = (value: Py): value is boolean | bigint | PyFloat =>
  typeof value === "boolean" || typeof value === "bigint" || value instanceof PyFloat

const formatOne = (value: Py, groups: Readonly<Record<string, string | undefined>>): Result => {
  const { flags = "", precision, type = "", width = "" } = groups
  const left = flags.includes("-")
  const places = precision === undefined ? "" : `.${precision || "0"}`
  if (/[sra]/.test(type)) {
    return formatValue(type === "s" ? str(value) : repr(value), `${left ? "<" : ">"}${width}${places}`)
  }
  if (!/[diuxXoeEfFgG]/.test(type)) {
    return Either.left(`"%${type}" is no format; to print a percent sign write %%`)
  }
  if (!isNumber(value)) return Either.left(`%${type} takes a number, not ${typeName(value)}`)
  const sign = flags.includes("+") ? "+" : flags.includes(" ") ? " " : ""
  const head = `${left ? "<" : ""}${sign}${flags.includes("#") ? "#" : ""}`
  const size = `${!left && flags.includes("0") ? "0" : ""}${width}`
  if (/[eEfFgG]/.test(type)) {
    return formatValue(new PyFloat(toFloat(value) ?? NaN), `${head}${size}${places}${type}`)
  }
  const whole = toInt(value)
  return whole === null
    ? Either.left(`${str(value)} is no whole number`)
    : formatValue(whole, `${head}${size}${/[diu]/.test(type) ? "d" : type}`)
}

/** `template % values`; on the left half a sentence. */
export const formatPercent = (template: string, values: Py): Result =>
  Either.gen(function*() {
    const given = values instanceof PyTuple ? values.items : [values]
    let used = 0
    let end = 0
    let text = ""
    for (const found of template.matchAll(shape)) {
      const groups = found.groups ?? {}
      text += template.slice(end, found.index)
      end = found.index + found[0].length
      if (groups["type"] === "%") {
        text += "%"
        continue
      }
      const { name } = groups
      const named = name !== undefined && values instanceof PyDict ? values.entries.get(`s${name}`)?.[1] : undefined
      const value = name === undefined ? given[used++] : named
      if (value === undefined) {
        return yield* Either.left(name === undefined ? "there are more % than values" : `there is no value "${name}"`)
      }
      text += yield* formatOne(value, groups)
    }
    if (used < given.length && !(values instanceof PyDict)) {
      return yield* Either.left("there are more values than %")
    }
    return text + template.slice(end)
  })
