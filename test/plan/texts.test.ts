import { expect, it } from "vitest"
import { PyFloat } from "../../src/backend/Value.ts"
import { plainMap } from "../../src/plan/texts.ts"

it("values become what JSON has, whole numbers with all their digits", () => {
  expect(plainMap({ a: new PyFloat(1), b: [{ c: 12345678901234567890n }], d: null })).toEqual({
    a: 1,
    b: [{ c: "12345678901234567890" }],
    d: null
  })
})
