/** A configuration as text that reads back as the same values of the same types. */
import * as Yaml from "yaml"
import { pyStr } from "../backend/python.ts"
import { isList, isMap, PyFloat, type Value } from "../backend/Value.ts"
import { readPlain } from "./yaml.ts"

const special = /^-?(?:inf|nan)$/

const jsonScalar = (value: Value): string => {
  if (!(value instanceof PyFloat)) return typeof value === "bigint" ? value.toString() : JSON.stringify(value)
  const text = pyStr(value)
  return special.test(text) ? JSON.stringify(text) : text
}

const json = (value: Value, indent: string): string => {
  const deeper = `${indent}  `
  const block = (open: string, items: ReadonlyArray<string>, close: string) =>
    items.length === 0 ? open + close : `${open}\n${deeper}${items.join(`,\n${deeper}`)}\n${indent}${close}`
  if (isList(value)) return block("[", value.map((item) => json(item, deeper)), "]")
  if (!isMap(value)) return jsonScalar(value)
  return block("{", Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${json(item, deeper)}`), "}")
}

/** JSON, indented; a float stays one (`1.0`), except inf and nan, which are texts. */
export const showJson = (value: Value): string => `${json(value, "")}\n`

const scalarNode = (value: Value): Yaml.Scalar => {
  const text = value === null ? "null" : typeof value === "boolean" ? String(value) : pyStr(value)
  const node = new Yaml.Scalar(value instanceof PyFloat ? text.replace(/^(-?)(inf|nan)$/, "$1.$2") : text)
  node.type = typeof value === "string" && (readPlain(value) !== value || value === "=") ? "QUOTE_DOUBLE" : "PLAIN"
  return node
}

const yaml = (value: Value): Yaml.Node => {
  if (isList(value)) {
    const list = new Yaml.YAMLSeq()
    list.items = value.map(yaml)
    return list
  }
  if (!isMap(value)) return scalarNode(value)
  const map = new Yaml.YAMLMap()
  map.items = Object.entries(value).map(([key, item]) => new Yaml.Pair(scalarNode(key), yaml(item)))
  return map
}

/** YAML that this configuration language reads back as the same values. */
export const showYaml = (value: Value): string => {
  const document = new Yaml.Document(null, { schema: "failsafe", version: "1.1" })
  document.contents = yaml(value)
  return document.toString({ lineWidth: 0, directives: false })
}
