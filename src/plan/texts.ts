/** Config values as the texts of files. */
import { floatRepr, pyStr } from "../backend/python.ts"
import { isList, isMap, PyFloat, toPlain, type Value, type ValueMap } from "../backend/Value.ts"

/** A JSON document with a line break at its end. What JSON has no number for (`inf`, `nan`) is a text. */
export const jsonText = (document: unknown): string =>
  `${
    JSON.stringify(
      document,
      (_, value: unknown) => typeof value === "number" && !Number.isFinite(value) ? floatRepr(value) : value,
      2
    )
  }\n`

/** A mapping as plain JSON values. */
export const plainMap = (map: ValueMap): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, toPlain(value)]))

/** A mapping as block YAML, which reads back as the same values of the same types. */
export const yamlText = (map: ValueMap): string => mapLines(map, "").map((line) => `${line}\n`).join("")

const mapLines = (map: ValueMap, indent: string): ReadonlyArray<string> =>
  Object.entries(map).flatMap(([key, value]) => itemLines(`${indent}${keyText(key)}:`, value, indent))

const itemLines = (head: string, value: Value, indent: string): ReadonlyArray<string> => {
  if (isMap(value)) return Object.keys(value).length === 0 ? [`${head} {}`] : [head, ...mapLines(value, `${indent}  `)]
  if (isList(value)) {
    if (value.length === 0) return [`${head} []`]
    return [head, ...value.flatMap((item) => itemLines(`${indent}  -`, item, `${indent}  `))]
  }
  return [`${head} ${scalarText(value)}`]
}

const keyText = (key: string): string =>
  /^[A-Za-z_][\w./-]*$/.test(key) && !reserved.test(key) ? key : JSON.stringify(key)

/** Words that YAML 1.1 reads as something else than text. */
const reserved = /^(?:null|true|false|yes|no|on|off|y|n)$/i

const scalarText = (value: Exclude<Value, ReadonlyArray<Value> | ValueMap>): string => {
  if (typeof value === "string") return JSON.stringify(value)
  if (value === null || typeof value === "boolean") return `${value}`
  return value instanceof PyFloat ? pyStr(value).replace(/^(-?)(inf|nan)$/, "$1.$2") : value.toString()
}
