import { describe, expect, it } from "vitest"
import * as Yaml from "yaml"
import { PyFloat } from "../../src/backend/Value.ts"
import { jsonText, plainMap, yamlText } from "../../src/plan/texts.ts"

const values = {
  text: "it's \"a\"\n\u2028#: - x",
  yes: "yes",
  number: "1e-5",
  int: 3,
  big: 12345678901234567890n,
  float: new PyFloat(1),
  small: new PyFloat(1e-5),
  inf: new PyFloat(-Infinity),
  nan: new PyFloat(NaN),
  none: null,
  flag: false,
  empty: {},
  list: [1, [2, "b"], [], { a: { b: [new PyFloat(0.5)] }, c: 2 }],
  "odd key: #": { on: 1, "0": 2 }
}

describe("values written down", () => {
  it("read back from YAML as the same values", () => {
    expect(Yaml.parse(yamlText(values), { version: "1.1", intAsBigInt: false })).toEqual({
      ...values,
      big: 12345678901234567000,
      float: 1,
      small: 1e-5,
      inf: -Infinity,
      nan: NaN,
      list: [1, [2, "b"], [], { a: { b: [0.5] }, c: 2 }]
    })
  })

  it("keep in YAML what tells a float from a whole number", () => {
    expect(yamlText({ a: new PyFloat(1), b: 1, c: new PyFloat(1e-5) })).toBe("a: 1.0\nb: 1\nc: 1e-05\n")
  })

  it("are JSON, in which no number turns into null", () => {
    expect(JSON.parse(jsonText(plainMap(values)))).toMatchObject({
      inf: "-inf",
      nan: "nan",
      big: "12345678901234567890"
    })
  })
})
