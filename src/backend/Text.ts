/** Texts of a config, as arguments and environment variables need them. */
import * as Schema from "effect/Schema"
import { pyStr } from "./python.ts"
import { PyFloat } from "./Value.ts"

const Scalar = Schema.Union(
  Schema.String,
  Schema.Boolean,
  Schema.Number,
  Schema.BigIntFromSelf,
  Schema.instanceOf(PyFloat, { identifier: "float" })
)

/** A text, or a number or boolean by the text that Python prints for it. */
export const Text = Schema.transform(Scalar, Schema.String, {
  strict: true,
  decode: pyStr,
  encode: (text) => text
}).annotations({ identifier: "text", jsonSchema: { type: ["string", "number", "boolean"] } })
