/** The configuration's types as one JSON Schema (draft 7), by which editors complete and check YAML files. */
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"
import { AnyMap, isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { ConfigSchema } from "./Config.ts"
import { optionalSections } from "./typed.ts"

const ref = (name: string): ValueMap => ({ $ref: `#/$defs/${name}` })

const mapValues = (map: ValueMap, change: (value: Value, key: string) => Value): ValueMap =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]))

const mapOf = (value: Value | undefined): ValueMap => (isMap(value) ? value : {})
const listOf = (value: Value | undefined): ReadonlyArray<Value> => (isList(value) ? value : [])
const typesOf = ({ type }: ValueMap): ReadonlyArray<Value> => (isList(type) ? type : type === undefined ? [] : [type])
const propertiesOf = (node: ValueMap): ValueMap => mapOf(node["properties"])
const classesOf = (node: ValueMap): ReadonlyArray<Value> => listOf(mapOf(propertiesOf(node)["class_name"])["enum"])

/** Any text passes that stands for a value: an interpolation, or `???`. */
const interpolation = { type: "string", pattern: "\\$\\{|^\\?\\?\\?$" }

const keyword = { type: "object", minProperties: 1, maxProperties: 1 }
const options = { anyOf: [{ type: ["string", "null"] }, { type: "array", items: { type: "string" } }] }
const defaults = {
  type: "array",
  items: { anyOf: [{ type: "string" }, { ...keyword, additionalProperties: options }] }
}

const anyOf = (nodes: ReadonlyArray<ValueMap>): ValueMap => {
  const distinct = [...new Map(nodes.map((node) => [JSON.stringify(node), node])).values()]
  return distinct.length === 1 && distinct[0] !== undefined ? distinct[0] : { anyOf: distinct }
}

class Opening {
  /** What several places refer to. */
  readonly shared: Record<string, Value> = { interpolation, defaults }
  private readonly given: ValueMap

  constructor(given: ValueMap) {
    this.given = given
  }

  /** The schema that `node` refers to, without the words that Effect adds to its own types. */
  private plain(node: ValueMap): ValueMap {
    const [only] = listOf(node["allOf"])
    const target = node["$ref"] ?? mapOf(only)["$ref"]
    const { description: _, title: __, ...rest } = typeof target === "string"
      ? mapOf(this.given[target.replace("#/$defs/", "")])
      : node
    return rest
  }

  /** As `strict`, or an interpolation in its place. */
  open(value: Value): ValueMap {
    const node = this.plain(mapOf(value))
    const strict = this.named(mapOf(value)) ?? this.strict(node)
    const texts = typesOf(node).includes("string") && node["enum"] === undefined
    if (texts || Object.keys(strict).length === 0) return strict
    const members = isList(strict["anyOf"]) ? strict["anyOf"].map(mapOf) : [strict]
    return anyOf([...members, ref("interpolation")])
  }

  /**
   * The same with nothing required, since files are partial, and with interpolations within; a mapping may also hold
   * the properties `more`.
   */
  strict(value: Value, more: ValueMap = {}): ValueMap {
    const node = this.plain(mapOf(value))
    const types = typesOf(node)
    if (types.includes("object") && types.includes("array")) return {}
    if (isList(node["anyOf"])) return this.union(node["anyOf"].map(mapOf), more)
    if (types.includes("array")) return { ...node, items: this.open(node["items"] ?? {}) }
    return types.includes("object") ? this.mapping(node, more) : node
  }

  private mapping({ required: _, ...node }: ValueMap, more: ValueMap): ValueMap {
    const { additionalProperties } = node
    const open = isMap(additionalProperties) ? this.open(additionalProperties) : additionalProperties ?? true
    return {
      ...node,
      properties: { ...mapValues(propertiesOf(node), (property) => this.open(property)), ...more },
      additionalProperties: isMap(open) && Object.keys(open).length === 0 ? true : open
    }
  }

  private union(members: ReadonlyArray<ValueMap>, more: ValueMap): ValueMap {
    const classes = members.filter((member) => classesOf(this.plain(member)).length > 0)
    if (classes.length < 2) return anyOf(members.map((member) => this.named(member) ?? this.strict(member)))
    const others = members.filter((member) => !classes.includes(member)).map((member) => this.strict(member))
    return anyOf([this.discriminated(classes.map((member) => this.plain(member)), more), ...others])
  }

  /** A mapping or union with a name of its own, written once; null for any other. */
  private named(node: ValueMap): ValueMap | null {
    const name = String(node["$ref"] ?? "").replace("#/$defs/", "")
    const target = this.plain(node)
    if (name === "" || !(isMap(target["properties"]) || isList(target["anyOf"]))) return null
    if (!(name in this.shared)) {
      this.shared[name] = {}
      this.shared[name] = this.strict(target)
    }
    return ref(name)
  }

  /** Checked as the member that `class_name` names; without one, as far as any member knows a key. */
  private discriminated(members: ReadonlyArray<ValueMap>, more: ValueMap): ValueMap {
    const types = members.map((member) => this.mapping(member, more))
    const keys = new Set(types.flatMap((type) => Object.keys(propertiesOf(type))))
    const known = [...keys].filter((key) => key !== "class_name").map((key) => [
      key,
      anyOf(types.flatMap((type) => (isMap(propertiesOf(type)[key]) ? [mapOf(propertiesOf(type)[key])] : [])))
    ])
    const named = { required: ["class_name"] }
    return {
      type: "object",
      properties: { class_name: anyOf([{ enum: members.flatMap(classesOf) }, ref("interpolation")]) },
      additionalProperties: true,
      allOf: [
        ...members.map((member, index) => ({
          if: { ...named, properties: { class_name: { enum: classesOf(member) } } },
          then: this.share(String(classesOf(member)[0]), types[index] ?? {}, more)
        })),
        {
          if: { not: named },
          then: { properties: { ...Object.fromEntries(known), class_name: {} }, additionalProperties: false }
        }
      ]
    }
  }

  /** A class is written once, unless it holds more at this place. */
  private share(name: string, type: ValueMap, more: ValueMap): ValueMap {
    if (Object.keys(more).length > 0) return type
    this.shared[name] = type
    return ref(name)
  }
}

/**
 * The schema of a whole configuration; `#/$defs/<section>` is that of one section, for the files of a group. Nothing is
 * required, and `${…}` may stand for any value. Each section has every keyword of the whole: to one that it lacks, the
 * YAML language server gives the value of the whole (`resolveSchemaContent` in its `yamlSchemaService.ts`).
 */
export const configJsonSchema = (): ValueMap => {
  const { $defs, ...root } = Schema.decodeUnknownSync(AnyMap)(JSONSchema.make(ConfigSchema))
  const opening = new Opening(mapOf($defs))
  const sections = mapValues(propertiesOf(root), (section) => opening.strict(section, { defaults: ref("defaults") }))
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: {
      defaults: ref("defaults"),
      hydra: {},
      ...mapValues(sections, (_, name) =>
        anyOf([
          ref(name),
          ref("interpolation"),
          ...(optionalSections.includes(name) ? [{ type: "null" }] : [])
        ]))
    },
    additionalProperties: false,
    $defs: { ...sections, ...opening.shared }
  }
}
