import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { floatRepr } from "../../src/backend/python.ts"
import type { ValueMap } from "../../src/backend/Value.ts"
import { formatTemplate, templateNames } from "../../src/sweep/format.ts"
import { typed } from "../conformance/typed.ts"

interface Case {
  readonly template: string
  readonly variables: Record<string, unknown>
  readonly types?: Record<string, string>
  readonly expected?: string
  readonly error?: { readonly kind: string }
}

const recorded: {
  readonly format: ReadonlyArray<Case>
  readonly float_repr: ReadonlyArray<readonly [string, string]>
} = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, "../conformance/pyformat.json"), "utf8"))

/** Where ours renders what Python refuses, on purpose: a mapping is read by `.`, and a dotted key as a whole. */
const more: Record<string, string> = {
  "{a.b} {\"a\":{\"b\":5}}": "5",
  "{a.b} {\"a.b\":5}": "5",
  "{backend.lr} {\"backend.lr\":0.1,\"backend___lr\":0.1}": "0.1"
}

describe("str.format as CPython 3.11 answered", () => {
  it.each(
    recorded.format.map((entry) =>
      [
        `${entry.template} ${JSON.stringify(entry.variables)}`,
        entry
      ] as const
    )
  )("%s", (name, entry) => {
    const variables = typed(entry.variables, entry.types ?? {}) as ValueMap
    const rendered = Either.getOrNull(formatTemplate(entry.template, variables))
    const refused = entry.error !== undefined && entry.types === undefined
    expect(rendered).toBe(refused && Object.hasOwn(more, name) ? more[name] : entry.expected ?? null)
  })
})

describe("repr of a float as CPython 3.11 answered", () => {
  const parse = (text: string): number => {
    const hex = /^(-?)0x([01])\.?([0-9a-f]*)p([+-]?\d+)$/.exec(text)
    if (hex === null) return Number(text.replace(/^(-?)inf$/, "$1Infinity"))
    const [, sign = "", whole = "", fraction = "", exponent = ""] = hex
    const digits = parseInt(whole + fraction, 16) * 2 ** (-4 * fraction.length)
    // In two steps, since 2^-1074 alone is already the smallest number.
    const half = Math.trunc(Number(exponent) / 2)
    return (sign === "-" ? -1 : 1) * digits * 2 ** half * 2 ** (Number(exponent) - half)
  }
  it.each(recorded.float_repr)("%s", (text, repr) => expect(floatRepr(parse(text))).toBe(repr))
})

describe("a template", () => {
  const problem = (template: string, variables: ValueMap = { project: "p", index: 1 }) =>
    Either.match(formatTemplate(template, variables), {
      onLeft: ({ column, message }) => ({ column, message }),
      onRight: (text) => text
    })

  it("with an unknown name names the nearest known one and its column", () => {
    expect(problem("run_{projct}")).toEqual({
      column: 6,
      message: "The name \"projct\" is unknown here; did you mean \"project\"?"
    })
    expect(problem("{zzzzzz}")).toEqual({
      column: 2,
      message: "The name \"zzzzzz\" is unknown here; known: project, index."
    })
  })

  it("is rendered once: values that look like templates stay as they are", () => {
    expect(problem("{project}", { project: "{index}", index: 1 })).toBe("{index}")
  })

  it("does not reach what objects inherit", () => {
    for (const template of ["{constructor}", "{project.length}", "{m.constructor}", "{m[__proto__]}", "{l.length}"]) {
      expect(problem(template, { project: "p", m: {}, l: [] }), template).toMatchObject({ message: expect.any(String) })
    }
  })

  it("cannot be made to eat the memory by a width", () => {
    expect(problem("{project:999999999999}")).toMatchObject({ column: 2 })
  })

  it("tells the names it uses, also those within format specifications", () => {
    expect(Either.getOrThrow(templateNames("{a.b}{c[0]:{w}d}{a} {{no}}"))).toEqual(["a", "c", "w"])
  })
})
