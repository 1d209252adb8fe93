/** OmegaConf's own resolvers. Source: OmegaConf 2.3 `resolvers/oc`, and what they answered (test/conformance/hydra). */
import * as Either from "effect/Either"
import { pyStr } from "../../backend/python.ts"
import { isMap } from "../../backend/Value.ts"
import { type Resolver, type Resolvers, single, wrong } from "./Resolver.ts"

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

const entriesOf = (name: "keys" | "values"): Resolver => ({
  arity: [1, 1],
  run: ([key = null], call) =>
    Either.flatMap(typeof key === "string" ? call.select(key) : Either.right({ value: key }), (found) => {
      if (found === null) return wrong(`there is no ${pyStr(key)}`)
      if (!isMap(found.value)) return wrong(`${pyStr(key)} is no mapping`)
      return Either.right(name === "keys" ? Object.keys(found.value) : Object.values(found.value))
    })
})

export const builtin: Resolvers = {
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
  "oc.dict.values": entriesOf("values")
}
