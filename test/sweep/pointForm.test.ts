import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { pointForm, revealed } from "../../src/sweep/pointForm.ts"

/** What is open to interpolation now, `${` shown as `<`, and what only at the point, shown as `>`. */
const shown = (text: string): string => {
  const hidden = pointForm(text).replaceAll("${", "<")
  return String(revealed(hidden)).replaceAll("${", ">")
}

describe("the plain form", () => {
  it.each([
    ["no form", "a/${lr}", "a/<lr}"],
    ["one", "a/$${lr}/b", "a/>lr}/b"],
    ["beside one of the config", "${name}_$${lr}_${name}", "<name}_>lr}_<name}"],
    ["all that is within it", "$${oc.mul:0.1,${.lr}}_${name}", ">oc.mul:0.1,>.lr}}_<name}"],
    ["the form within itself", "$${oc.mul:$${a},$${b}}", ">oc.mul:>a},>b}}"],
    ["escapes within it", "$${oc.eval:'\\${a} + \\\\${b}'}${c}", ">oc.eval:'>a} + >b}'}<c}"],
    ["braces in quotes", "$${oc.eval:'}'}${a}", ">oc.eval:'}'}<a}"],
    ["mappings within it", "$${f:{a: ${b}}}${c}", ">f:{a: >b}}}<c}"],
    ["quotes within quotes' interpolations", "$${f:'${g:\"}\"}'}${c}", ">f:'>g:\"}\"}'}<c}"],
    ["what it stands in", "${oc.mul:$${lr},${two}}${c}", ">oc.mul:>lr},>two}}<c}"],
    ["an escape beside it", "\\${a}$${b}", "\\<a}>b}"],
    ["a dollar before it", "$$${a}", "$>a}"],
    ["no end", "$${a", ">a"],
    ["a sibling", "$${sibling.stable.output_dir}/ckpt", ">sibling.stable.output_dir}/ckpt"]
  ])("leaves for the point: %s", (_, text, wanted) => {
    expect(shown(text)).toBe(wanted)
  })

  it("is in the open again wherever it stands", () => {
    expect(revealed([pointForm("$${a}"), { b: pointForm("x$${c}") }, 1, null])).toEqual([
      "${a}",
      { b: "x${c}" },
      1,
      null
    ])
  })

  it("loses nothing of any text", () => {
    const part = fc.constantFrom("${", "$${", "}", "{", "'", "\"", "a", "$", ":")
    fc.assert(fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const text = parts.join("")
      const whole = String(revealed(pointForm(text)))
      expect(whole.replaceAll("$", "")).toBe(text.replaceAll("$", ""))
    }))
  })

  it("reads a long text in one go, however deep", () => {
    const text = "$${a:".repeat(100_000)
    expect(revealed(pointForm(text))).toBe("${a:".repeat(100_000))
  })
})
