import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { makeDetector } from "../../src/rule/detect.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { compilePattern } from "../../src/rule/pattern.ts"
import { find } from "./finding.ts"

/** Patterns that look at ends of lines, at what is no such character, or around themselves. */
const patterns = [
  "^b$",
  "(?m)^a",
  "a$",
  String.raw`\Aa|b\Z`,
  String.raw`\s+`,
  String.raw`\S+`,
  String.raw`\W+`,
  String.raw`\D{2,}`,
  String.raw`[^a]+`,
  String.raw`[^\w]b?`,
  String.raw`[\x00-\x20]+`,
  String.raw`[\n a]+`,
  "(?s).+",
  "(?s:a.)b",
  String.raw`a\nb`,
  String.raw`\bab?\b`,
  String.raw`\B.`,
  "(?<!a)b(?!a)",
  "(?<=a)b?(?= )",
  String.raw`(a|é)\1`,
  "(?i)É+",
  "x(?i:é|A)",
  "(?>a+|b)b",
  "a*+.",
  "^",
  "$",
  "",
  "(?=b)"
]

const lines = FastCheck.array(
  FastCheck.array(
    FastCheck.constantFrom("a", "b", "A", "x", " ", "\t", "é", "É", "1", "\u2028", "\u0085", "\x1c", "😀"),
    {
      maxLength: 8
    }
  ).map((chars) => chars.join("")),
  { minLength: 1, maxLength: 8 }
)

const rule = (pattern: string, rest: object = {}) =>
  Either.getOrThrow(makeDetector(
    Schema.decodeUnknownSync(Monitoring)({
      log_events: [{ name: "r", pattern, metadata: { error_type: "x" }, ...rest }]
    })
  ))

describe("a rule finds in lines", () => {
  it.each(patterns)("what its pattern finds in each line alone: %j", (pattern) => {
    const { regex } = Either.getOrThrow(compilePattern(pattern))
    const detector = rule(pattern, { extract_groups: { all: "match" } })
    FastCheck.assert(FastCheck.property(lines, (texts) => {
      let before = 0
      const expected = texts.flatMap((text) => {
        const found = [...text.matchAll(new RegExp(regex, `${regex.flags}g`))]
          .map((match) => [before + match.index, match[0], text])
        before += text.length + 1
        return found
      })
      expect(find(detector, texts).map(({ groups, index, line }) => [index, groups["all"], line])).toEqual(expected)
    }))
  })

  it("groups by name and by number, also where a pattern has groups of our own", () => {
    const groups = { one: 1, two: 2, three: 3, path: "path", all: "match", zero: 0 }
    const detector = rule(String.raw`(\w)++(?P<path>/\S+)(?>:(\d+))?`, { extract_groups: groups })
    expect(find(detector, ["ab/c"]).map((found) => found.groups)).toEqual([
      { one: "b", two: "/c", three: null, path: "/c", all: "ab/c", zero: "ab/c" }
    ])
  })

  it("a substring by the letter, and nothing that spans lines", () => {
    expect(find(rule("a.b (c", { pattern_type: "substring" }), ["aXb (c", "a.b (c"])).toHaveLength(1)
    expect(find(rule("a\nb", { pattern_type: "substring" }), ["a", "b"])).toEqual([])
  })
})
