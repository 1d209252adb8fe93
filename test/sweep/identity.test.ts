import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { PyFloat, type Value } from "../../src/backend/Value.ts"
import { pointKey } from "../../src/sweep/identity.ts"

describe("the identity of a point", () => {
  it("does not depend on the order of keys, at any depth", () => {
    expect(pointKey({ a: 1, b: { c: [1, { d: 2, e: 3 }] } })).toBe(pointKey({ b: { c: [1, { e: 3, d: 2 }] }, a: 1 }))
  })

  it("depends on types, on the order of lists, and on where values stand", () => {
    const values: ReadonlyArray<Value> = [
      ...[1, 2n ** 60n, new PyFloat(1), "1", "1.0", true, "true", "True", null, "null", [], {}, "", [1], [[1]], [1, 2]],
      ...[[2, 1], { a: 1 }, { "a": "1" }, "a", "\"a\"", new PyFloat(-0), new PyFloat(0), 0, new PyFloat(NaN), "nan"]
    ]
    expect(new Set(values.map((a) => pointKey({ a }))).size).toBe(values.length)
    expect(pointKey({ "a.b": 1 })).not.toBe(pointKey({ a: { b: 1 } }))
  })

  it("is the same for an int however it is held", () => {
    expect(pointKey({ a: 5n })).toBe(pointKey({ a: 5 }))
  })

  it("tells any two points apart that differ", () => {
    const point = fc.dictionary(fc.string({ maxLength: 2 }), fc.oneof(fc.integer(), fc.string(), fc.boolean()))
    fc.assert(fc.property(point, point, (a, b) => {
      const sorted = (map: object) => JSON.stringify(Object.entries(map).sort(([x], [y]) => (x < y ? -1 : 1)))
      expect(pointKey(a) === pointKey(b)).toBe(sorted(a) === sorted(b))
    }))
  })
})
