import * as Schema from "effect/Schema"
import { pyStr } from "../../backend/python.ts"
import { Any, isList, PyFloat, type Value, withFloats } from "../../backend/Value.ts"
import { Fail, type Judge, Pass } from "../Verdict.ts"

/**
 * Passes if the event's metadata holds `key` and, where `equals` is given, that very value (by its text), or one of a
 * list of them.
 */
export const MetadataCondition = Schema.Struct({
  class_name: Schema.Literal("MetadataCondition"),
  key: Schema.String,
  equals: Schema.optionalWith(Any, { default: () => null })
})

export const judge: Judge<typeof MetadataCondition.Type> = ({ equals, key }, { metadata }) => {
  const found: Value | undefined = Object.hasOwn(metadata, key) ? metadata[key] : undefined
  if (found === undefined) return Fail(`the event has no metadata ${key}`)
  const wanted = (isList(equals) && !isList(found) ? equals : [equals])
    .map((one) => found instanceof PyFloat ? withFloats(one) : one)
  if (equals === null || wanted.some((one) => pyStr(found) === pyStr(one))) return Pass(`${key} is ${pyStr(found)}`)
  return Fail(`${key} is ${pyStr(found)}, not ${wanted.map((one) => pyStr(one)).join(" or ")}`)
}
