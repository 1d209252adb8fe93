/** Hydra's casts in override values: `int(…)`, `float(…)`, `str(…)`, `bool(…)`, also over lists and mappings. */
import * as Either from "effect/Either"
import { pyStr } from "../backend/python.ts"
import { PyFloat } from "../backend/Value.ts"
import type { Node, Scalar } from "./Node.ts"

const numberOf = (value: Scalar): number | null => {
  if (value instanceof PyFloat) return value.value
  if (typeof value === "boolean") return value ? 1 : 0
  if (typeof value === "string") return /^\s*[-+]?(?:\d|\.\d|inf|nan)/i.test(value) ? Number(value) : null
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : null
}

const castScalar = (name: string, value: Scalar): Scalar | undefined => {
  switch (name) {
    case "int": {
      if (typeof value === "bigint") return value
      if (typeof value === "string") return /^\s*[-+]?\d+\s*$/.test(value) ? Number(value) : undefined
      const number = numberOf(value)
      return number === null || !Number.isFinite(number) ? undefined : Math.trunc(number)
    }
    case "float": {
      const number = numberOf(value)
      return number === null || (Number.isNaN(number) && !/nan/i.test(pyStr(value))) ? undefined : new PyFloat(number)
    }
    case "str":
      return value === null ? undefined : typeof value === "boolean" ? String(value) : pyStr(value)
    default: {
      if (typeof value !== "string") return value === null ? undefined : numberOf(value) !== 0
      return /^(?:true|false)$/i.test(value) ? value.toLowerCase() === "true" : undefined
    }
  }
}

export const casts = ["int", "float", "str", "bool"]

/** `node` cast by the function `name`; on the left, what does not fit, as half a sentence. */
export const cast = (name: string, node: Node): Either.Either<Node, string> => {
  switch (node.kind) {
    case "scalar": {
      const value = castScalar(name, node.value)
      return value === undefined
        ? Either.left(`${pyStr(node.value)} cannot be made ${name === "int" ? "an" : "a"} ${name}`)
        : Either.right({ ...node, value })
    }
    case "list":
      return Either.map(Either.all(node.items.map((item) => cast(name, item))), (items) => ({ ...node, items }))
    case "map":
      return Either.map(
        Either.all(
          [...node.entries].map(([id, entry]) =>
            Either.map(cast(name, entry.node), (item) => [id, { ...entry, node: item }] as const)
          )
        ),
        (entries) => ({ ...node, entries: new Map(entries) })
      )
  }
}
