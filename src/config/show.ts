/** A configuration as text that reads back as the same values of the same types. */
import { floatRepr, pyStr } from "../backend/python.ts"
import { isList, isMap, PyFloat, type Value, type ValueMap } from "../backend/Value.ts"

const jsonScalar = (value: unknown): string => {
  if (typeof value === "number" && !Number.isFinite(value)) return JSON.stringify(floatRepr(value))
  if (value instanceof PyFloat) return Number.isFinite(value.value) ? pyStr(value) : JSON.stringify(pyStr(value))
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value)
}

const json = (value: unknown, indent: string): string => {
  const deeper = `${indent}  `
  const block = (open: string, items: ReadonlyArray<string>, close: string) =>
    items.length === 0 ? open + close : `${open}\n${deeper}${items.join(`,\n${deeper}`)}\n${indent}${close}`
  if (Array.isArray(value)) return block("[", value.map((item) => json(item, deeper)), "]")
  if (typeof value !== "object" || value === null || value instanceof PyFloat) return jsonScalar(value)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return block("{", entries.map(([key, item]) => `${JSON.stringify(key)}: ${json(item, deeper)}`), "}")
}

/** An indented JSON document; a float stays one (`1.0`), and what JSON has no number for (`inf`, `nan`) is a text. */
export const showJson = (document: unknown): string => `${json(document, "")}\n`

/** The same on one line. */
export const showLine = (document: unknown): string => {
  if (Array.isArray(document)) {
    const isText = document.every((item) => typeof item === "string")
    return isText ? JSON.stringify(document) : `[${document.map(showLine).join()}]`
  }
  if (typeof document !== "object" || document === null || document instanceof PyFloat) return jsonScalar(document)
  const entries = Object.entries(document).filter(([, item]) => item !== undefined)
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${showLine(item)}`).join()}}`
}

/** A mapping as block YAML, which reads back as the same values of the same types. */
export const showYaml = (map: ValueMap): string => mapLines(map, "").map((line) => `${line}\n`).join("")

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
