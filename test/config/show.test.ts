import { describe, expect, it } from "vitest"
import { PyFloat, type Value } from "../../src/backend/Value.ts"
import { toValue } from "../../src/config/Node.ts"
import { showJson, showYaml } from "../../src/config/show.ts"
import { parseYaml } from "../../src/config/yaml.ts"

const tricky: Value = {
  floats: [new PyFloat(1), new PyFloat(1e-5), new PyFloat(1e22), new PyFloat(-0), new PyFloat(0.1)],
  ints: [0, -7, 12345678901234567890n],
  words: [
    "yes",
    "null",
    "~",
    "",
    "12",
    "012",
    "0x1F",
    "12:30:45",
    "1e-4",
    ".5",
    "=",
    "<<",
    "2020-01-01",
    "true",
    "- a"
  ],
  texts: [
    "a: b",
    "a #b",
    "{x}",
    "[x]",
    "*x",
    "&x",
    "!x",
    "%x",
    "@x",
    " lead",
    "trail ",
    "it's",
    "\"q\"",
    "back\\slash"
  ],
  lines: ["one\ntwo\n", "\n", "tab\there", "é日本✓😀", "\u0000\u007f\u2028"],
  empty: { list: [], map: {}, none: null },
  nested: [[1, [2]], { "a b": { "yes": false, "1": true } }],
  "${not}": "${resolved}"
}

describe("a shown configuration", () => {
  it.each([["JSON", showJson], ["YAML", showYaml]])(
    "reads back as the same values of the same types: %s",
    (_, show) => {
      const problems: Array<never> = []
      const node = parseYaml(show(tricky), "shown", problems)
      expect(problems).toEqual([])
      expect(node === null ? null : toValue(node)).toEqual(tricky)
    }
  )

  it("is JSON for JSON's own readers", () => {
    expect(JSON.parse(showJson({ a: new PyFloat(1), b: [new PyFloat(NaN), new PyFloat(-Infinity)], c: null }))).toEqual(
      {
        a: 1,
        b: ["nan", "-inf"],
        c: null
      }
    )
    expect(showJson({ a: new PyFloat(1) })).toBe("{\n  \"a\": 1.0\n}\n")
  })

  it("keeps inf and nan in YAML", () => {
    expect(showYaml({ a: new PyFloat(Infinity), b: new PyFloat(NaN) })).toBe("a: .inf\nb: .nan\n")
  })
})
