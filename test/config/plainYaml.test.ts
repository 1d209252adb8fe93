import * as FastCheck from "effect/FastCheck"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { readPlainYaml } from "../../src/config/plainYaml.ts"
import type { Problem } from "../../src/config/Problem.ts"
import { keyOf, parseFullYaml, parseYaml, readPlain } from "../../src/config/yaml.ts"

const fast = (text: string) => readPlainYaml(text, "f.yaml", { keyOf, readPlain })

const full = (text: string) => {
  const problems: Array<Problem> = []
  const node = parseFullYaml(text, "f.yaml", problems)
  return problems.length > 0 ? problems : node
}

/** Both say the same, places included, wherever the fast reader says something. */
const agree = (text: string) => {
  const node = fast(text)
  if (node !== null) expect(node, text).toEqual(full(text))
  return node !== null
}

const shipped = path.join(import.meta.dirname, "../../config")
const files = fs.readdirSync(shipped, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"))

const folder = path.join(import.meta.dirname, "../conformance/hydra")
const recorded = fs.readdirSync(folder).flatMap((file) => {
  const cases: ReadonlyArray<{ readonly files: Record<string, string> }> = JSON.parse(
    fs.readFileSync(path.join(folder, file), "utf8")
  )
  return cases.flatMap((entry) => Object.values(entry.files))
})

describe("the fast reader of plain YAML says what the full one says, or nothing", () => {
  it("of the shipped files", () => {
    const texts = files.map((file) => fs.readFileSync(path.join(shipped, file), "utf8"))
    expect(texts.filter(agree).length).toBeGreaterThan(texts.length / 3)
  })

  it("of all recorded configurations", () => {
    expect(recorded.filter(agree).length).toBeGreaterThan(recorded.length / 2)
  })

  it("of any words, quotes, colons, brackets and lines", () => {
    const piece = FastCheck.constantFrom(
      ..."a|b: |c:|- |-|  |    |\n|\n|\n|'x'|'it''s'|\"y\"|[|]|{|}|, |,|#| # c|: |1|1e-3|-2|yes|null|~|&a|*a|!t|||>|\\|${x}|%|@|a:b|? |<<: |=|x y|---\n|\t|é"
        .split("|"),
      "a: 1\n",
      "b:\n  c: d\n",
      "- e\n",
      "- f: g\n  h: i\n"
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(piece, { maxLength: 14 }).map((pieces) => pieces.join("")), (text) => {
        agree(text)
      }),
      { numRuns: 2000 }
    )
  })

  it("of one changed character in a recorded configuration", () => {
    const change = FastCheck.tuple(
      FastCheck.constantFrom(...recorded.filter((text) => text.length < 300)),
      FastCheck.nat(300),
      FastCheck.constantFrom(..." \n:-#'\"[]{},a1".split(""), "")
    )
    FastCheck.assert(
      FastCheck.property(change, ([text, at, char]) => {
        agree(text.slice(0, at) + char + text.slice(at + 1))
      }),
      { numRuns: 2000 }
    )
  })
})

it.each(["a: 1\n\u3000b: 1", "\u3000m: 1\n", "lr: 2\n\u3000", "a:\n\u00a0b: 1", "a:\n\u1680b: 1"])(
  "takes only blanks for indentation: %j",
  (text) => void agree(text)
)

describe("a text that nests too deep", () => {
  const problems = (text: string) => {
    const found: Array<Problem> = []
    return parseYaml(text, "f.yaml", found) === null ? found.map(({ message }) => message).join() : "read"
  }
  const levels = Array.from({ length: 1500 }, (_, level) => `${" ".repeat(level)}k:`).join("\n")

  it.each([["maps", levels], ["brackets", "a: ".concat("[".repeat(5000))], ["dashes", `a:\n ${"- ".repeat(900)}x`]])(
    "is a mistake, no crash: %s",
    (_, text) => expect(problems(text)).toContain("levels deep")
  )

  it("is not one that only holds long lines, many brackets or deep text", () => {
    expect(problems(`a: [${"[], ".repeat(900)}1]\n`)).toBe("read")
    expect(problems(`a: |\n  x\n${" ".repeat(300)}deep text\n`)).toBe("read")
  })
})

it("tells one mistake of a text that is no YAML, and what a brace before an interpolation wants", () => {
  const found: Array<Problem> = []
  parseYaml("backend: {class_name: 5, d: ${x}}\n", "f.yaml", found)
  expect(found).toHaveLength(1)
  expect(found[0]?.message).toContain("in quotes")
})

it("does not follow aliases that stand for billions of values", () => {
  const bomb = Array.from(
    { length: 12 },
    (_, level) => `a${level}: &a${level} [${level === 0 ? "x" : Array(9).fill(`*a${level - 1}`).join(", ")}]`
  ).join("\n")
  const found: Array<Problem> = []
  parseYaml(`${bomb}\n`, "f.yaml", found)
  expect(found.map(({ message }) => message).join()).toContain("stand for more than")
})
