import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { exactly } from "../../src/backend/numeric.ts"
import { pyStr } from "../../src/backend/python.ts"
import { PyFloat, type ValueMap } from "../../src/backend/Value.ts"
import { evaluateExpression, holds } from "../../src/sweep/expression/evaluate.ts"

const recorded: {
  readonly expressions: ReadonlyArray<readonly [string, string]>
  readonly round: ReadonlyArray<readonly [number, number | null, string]>
  readonly int_float_of_string: ReadonlyArray<readonly [string, string | null, string | null]>
} = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, "../conformance/pyformat.json"), "utf8"))

/** Python's `repr` of the value, null if it has none. */
const repr = (text: string, names: ValueMap = {}) => Either.getOrNull(evaluateExpression(`repr((${text}\n))`, names))

const value = (text: string, names: ValueMap = {}) => Either.getOrThrow(evaluateExpression(text, names))

const fault = (text: string, names: ValueMap = {}) =>
  Either.match(evaluateExpression(text, names), {
    onLeft: ({ column, message }) => `${column}: ${message}`,
    onRight: (found) => found
  })

describe("expressions as CPython 3.11 answered", () => {
  it.each(recorded.expressions)("%s", (text, answer) => expect(repr(text)).toBe(answer))
})

describe("round as CPython 3.11 answered", () => {
  it.each(recorded.round)("round(%s, %s) is %s", (number, digits, answer) => {
    const names = { x: new PyFloat(number), n: digits }
    expect(repr(digits === null ? "round(x)" : "round(x, n)", names)).toBe(answer)
  })
})

describe("int and float of a text as CPython 3.11 answered", () => {
  it.each(recorded.int_float_of_string)("%j", (text, int, float) => {
    expect([repr("int(x)", { x: text }), repr("float(x)", { x: text })]).toEqual([int, float])
  })
})

describe("an expression", () => {
  it.each([
    // Asked of CPython 3.11.
    ["10 ** -5", "1e-05"],
    ["3 ** -3", "0.037037037037037035"],
    ["2 ** -1 ** 2", "0.5"],
    ["-2 ** 2", "-4"],
    ["2 ** 3 ** 2", "512"],
    ["0.1 ** 3", "0.0010000000000000002"],
    ["2 ** 0.5", "1.4142135623730951"],
    ["477 ** 2.5", "4969308.368994321"],
    ["10 ** 30 / 3", "3.333333333333333e+29"],
    ["-7.5 // -0.0 if 0 else -0.0", "-0.0"],
    ["-1 % 1e-20", "3.2714542095686434e-21"],
    ["5 % -3.0, -5 % 3.0, 0.0 % -1", "(-1.0, 1.0, -0.0)"],
    ["1 // 0.1, 1e308 * 10", "(9.0, inf)"],
    ["not 1 == 2 and 3", "3"],
    ["not not []", "False"],
    ["1 if [] else 2 if '' else 3", "3"],
    ["1 < 3 > 2 != 5", "True"],
    ["'a' 'b' \"c\"", "'abc'"],
    ["'''x\ny''' + r'\\n' + '\\x41\\u00e9\\101\\q'", "'x\\ny\\\\nAéA\\\\q'"],
    ["0x1F + 0b11 + 0o17 + 1_000", "1049"],
    ["1e3, 1., .5, 1_0.5e1", "(1000.0, 1.0, 0.5, 105.0)"],
    ["()", "()"],
    ["(1,)", "(1,)"],
    ["[1, 2, 3][::-1]", "[3, 2, 1]"],
    ["'abcdef'[1:-1:2], (1, 2, 3)[5:], [1, 2][-9:1]", "('bd', (), [1])"],
    ["{'a': 1, 2: 'b', 2.0: 'c'}", "{'a': 1, 2: 'c'}"],
    ["{1: 'x'}[True]", "'x'"],
    ["{1, True, 1.0}", "{1}"],
    ["sorted({3, 1} | {2}), {1, 2} & {2, 3}", "([1, 2, 3], {2})"],
    ["[x * y for x in range(1, 4) if x % 2 for y in (1, 10)]", "[1, 10, 3, 30]"],
    ["{k: v for k, v in [('a', 1), ('b', 2)]}", "{'a': 1, 'b': 2}"],
    ["sum(x for x in range(5, 0, -2))", "9"],
    ["any(1 / x for x in [1, 0]), all(x > 0 for x in [-1, 'a'])", "(True, False)"],
    ["sorted({'b': 1, 'a': 2}), sorted([3, 1.5, True], reverse=True)", "(['a', 'b'], [3, 1.5, True])"],
    ["max([], default=0), min('b', 'a'), max([1, 3, 2])", "(0, 'a', 3)"],
    [
      "round(2.5), round(-1.5), round(0.125, 2), round(1250, -2), round(1e22)",
      "(2, -2, 0.12, 1200, 10000000000000000000000)"
    ],
    ["int('-12'), int(True), float('inf'), str(None), bool([])", "(-12, 1, inf, 'None', False)"],
    ["[1, [2]] == [1.0, [2]], (1,) == [1], 'a' == 1", "(True, False, False)"],
    ["2 ** 53 + 1 == 2.0 ** 53, 2 ** 53 + 1 > 2.0 ** 53", "(False, True)"],
    ["[1, 2] < [1, 3], 'Z' < 'a', (1, 2) < (1, 2, 0)", "(True, True, True)"],
    ["'𝒳' > '\\uffff'", "True"],
    ["True is True, 1 is not None, None in [None]", "(True, True, True)"],
    ["2 not in [1], 'b' not in 'abc', 1 in {1: 2}", "(True, False, True)"],
    ["'%s-%03d|%5.1f|%-4s|%x%%' % ('a', 7, 2.25, 'b', 255)", "'a-007|  2.2|b   |ff%'"],
    ["7 & 3 | 8 ^ 1 << 2, ~5 >> 1", "(15, -3)"],
    ["len([[1, 2], 'abc', {}]), len('𝒳y')", "(3, 2)"],
    ["abs(-0.0), abs(True), -True, +False", "(0.0, 1, -1, 0)"],
    ["[] * 10 ** 19, () * 10 ** 19, '' * 10 ** 19, [1] * -(10 ** 19)", "([], (), '', [])"],
    ["0.0 ** 0, 0 ** 0.5, 0.0 ** 0.0, 1e-5 ** 0", "(1.0, 0.0, 1.0, 1.0)"],
    ["-0.0 // 3, 0 << 10 ** 9, 1e-300 // -7", "(-0.0, 0, -1.0)"],
    ["[x for x in [None, 0, 1] if x != 1]", "[None, 0]"],
    ["1 # the rest is a remark", "1"]
  ])("%s is %s", (text, answer) => expect(repr(text)).toBe(answer))

  it("uses the names that it is given, dotted ones as a whole or as the keys of a mapping", () => {
    const names = { lr: new PyFloat(0.1), "model.layers": 4, data: { kind: { name: "web" } } }
    expect(value("model.layers * lr", names)).toEqual(new PyFloat(0.4))
    expect(value("data.kind.name == 'web' and data['kind']['name']", names)).toBe("web")
    expect(value("[lr for lr in [1]]", names)).toEqual([1])
  })

  it("sees its own names and those given within a comprehension", () => {
    expect(value("any(a == i for i in [1, 2])", { a: 2 })).toBe(true)
  })

  it("gives config values: tuples as lists, keys as texts, whole numbers of any size", () => {
    expect(value("{'a': (1, 2.0), 3: None}")).toEqual({ a: [1, new PyFloat(2)], 3: null })
    expect(value("2 ** 63")).toBe(9223372036854775808n)
    expect(fault("{1, 2}")).toBe("1: a set is no config value; make it a list by sorted(…).")
  })

  it("holds or not as Python's if sees it", () => {
    expect(["1", "'False'", "[]", "0.0", "{}", "None"].map((text) => Either.getOrThrow(holds(text, {})))).toEqual(
      [true, true, false, false, false, false]
    )
  })

  it.each([
    ["1 +", "4: A value is missing: the expression ends here."],
    ["", "1: A value is missing: the expression ends here."],
    ["1 2", "3: An operator is missing: a value stands here."],
    ["a = 1", "3: \"=\" sets nothing here; to compare, write ==."],
    ["(1, 2", "6: \")\" is missing: the expression ends here."],
    ["[1, 2)", "6: \",\" is missing: \")\" stands here."],
    ["'open", "1: This text has no closing quote."],
    ["007", "1: 007 begins with a zero."],
    ["1__0", "1: \"1__0\" is no number."],
    ["5x", "1: \"5x\" is no number."],
    ["1 ? 2", "3: An operator is missing: \"?\" stands here."],
    ["1 + §", "5: \"§\" cannot stand here."],
    ["f'{x}'", "1: A text cannot begin with f' here."],
    ["lr > 1", "1: The name \"lr\" is unknown here; there is none."],
    ["lrr > 1", "1: The name \"lrr\" is unknown here; did you mean \"lr\"?"],
    ["1 / (2 - 2)", "3: Division by zero."],
    ["1 < 'a'", "3: An int and a text have no order."],
    ["'a' + 1", "5: \"+\" does not fit a text and an int."],
    ["[1][3]", "5: There is no item 3: there are 1."],
    ["{'a': 1}['b']", "10: The dict has no key 'b'."],
    ["{[1]: 2}", "1: A list cannot be a key."],
    ["(-8) ** 0.5", "6: The result is no real number."],
    ["0 ** -1", "3: Zero has no negative power."],
    ["int('1e3')", "1: '1e3' is no whole number."],
    ["len(5)", "1: An int has no length."],
    ["len()", "1: len(…) takes 1 arguments, not 0."],
    ["sorted([1, 'a'])", "1: An int and a text have no order."],
    ["round(1.5, digits=2)", "19: round(…) does not take \"digits\" here."],
    ["max", "1: max is a function; call it, as in max(…)."],
    ["mx(1)", "1: There is no function \"mx\"; did you mean \"max\"?"],
    ["'%d' % 'a'", "6: %d takes a number, not a text."]
  ])("%s fails with its place: %s", (text, sentence) => {
    expect(fault(text, text.startsWith("lrr") ? { lr: 1 } : {})).toBe(sentence)
  })
})

describe("W-60: nothing but the expression's own world can be reached", () => {
  it.each([
    "__import__('os')",
    "__import__('os').system('true')",
    "().__class__",
    "''.__class__.__mro__",
    "x.constructor",
    "x['constructor']",
    "x.__proto__",
    "[1].length",
    "constructor",
    "__proto__",
    "toString()",
    "hasOwnProperty('a')",
    "eval('1')",
    "open('/etc/passwd')",
    "globals()",
    "lambda: 1",
    "(lambda: 1)()",
    "(x := 1)",
    "max.__call__(1, 2)",
    "[i for i in x].pop()",
    "process.exit(1)",
    "`id`",
    "import os",
    "{**x}",
    "print(1)"
  ])("%s", (text) => expect(fault(text, { x: {} })).toMatch(/^\d+: .*[.?]$/))

  it.each([
    "9 ** 9 ** 9",
    "1 << 10 ** 9",
    "2 ** 9000 * 2 ** 9000 * 2 ** 9000",
    "'a' * 10 ** 9",
    "[0] * 10 ** 9",
    "range(10 ** 12)",
    "[i for i in range(1000) for j in range(1000) for k in range(1000)]",
    "sum(1 for i in range(100000) for j in range(100000))",
    "'%99999999d' % 1",
    "round(10 ** 300, -10 ** 9) + 9 ** 9999",
    `${"(".repeat(5000)}1${")".repeat(4000)}`,
    `${"-".repeat(9000)}1`,
    `${"[".repeat(400)}${"]".repeat(400)}`,
    `1${" + 1".repeat(2000)}`,
    `x${"[0]".repeat(3000)}`,
    `${"not ".repeat(2000)}9 ** 9 ** 9`,
    `${"1 if 1 else ".repeat(800)}1`,
    `2${" ** 1".repeat(1900)}`,
    "1".repeat(10_001)
  ])("%.40s … ends with an error, not with the memory", (text) => {
    expect(fault(text, { x: [1] })).toMatch(/^\d+: /)
  })
})

describe("arithmetic", () => {
  const whole = FastCheck.bigInt({ min: -(2n ** 80n), max: 2n ** 80n })
  const double = FastCheck.double({ noNaN: true, noDefaultInfinity: true })

  it("divides whole numbers so that quotient and rest make the number again, the rest of the divisor's sign", () => {
    FastCheck.assert(FastCheck.property(whole, whole, (a, b) => {
      if (b === 0n) return
      expect(
        value("a == a // b * b + a % b and (a % b == 0 or (a % b < 0) == (b < 0)) and abs(a % b) < abs(b)", { a, b })
      )
        .toBe(true)
      expect(value("divmod(a, b) == (a // b, a % b)", { a, b })).toBe(true)
    }))
  })

  it("divides whole numbers to the nearest double", () => {
    FastCheck.assert(FastCheck.property(whole, whole, (a, b) => {
      if (b === 0n) return
      const quotient = value("a / b", { a, b })
      if (!(quotient instanceof PyFloat)) return expect.fail()
      const distance = (to: number): bigint => {
        const [numerator, denominator] = exactly(to)
        const difference = (a * denominator - numerator * b) * 2n ** 1200n / (denominator * b)
        return difference < 0n ? -difference : difference
      }
      const step = Math.abs(quotient.value) * 2 ** -52
      expect(distance(quotient.value) <= distance(quotient.value + step)).toBe(true)
      expect(distance(quotient.value) <= distance(quotient.value - step)).toBe(true)
    }))
  })

  it("keeps the rest of floats below the divisor and of its sign", () => {
    FastCheck.assert(FastCheck.property(double, double, (a, b) => {
      if (b === 0) return
      const names = { a: new PyFloat(a), b: new PyFloat(b) }
      expect(value("a % b == 0 or ((a % b < 0) == (b < 0) and abs(a % b) <= abs(b))", names)).toBe(true)
    }))
  })

  it("raises to whole powers exactly as repeated multiplication of whole numbers does", () => {
    FastCheck.assert(FastCheck.property(FastCheck.integer({ min: -99, max: 99 }), FastCheck.nat(40), (a, n) => {
      expect(value("a ** n == p and (float(a) ** n == float(p))", { a, n, p: BigInt(a) ** BigInt(n) })).toBe(true)
    }))
  })

  it("reads back what it prints", () => {
    FastCheck.assert(FastCheck.property(double, whole, FastCheck.fullUnicodeString(), (f, i, s) => {
      const names = { f: new PyFloat(f), i, s }
      expect(value("float(str(f)) == f and int(str(i)) == i and str(s) == s", names)).toBe(true)
      if (f >= 0 && i >= 0n) expect(value(`${pyStr(new PyFloat(f))} == f and ${i} == i`, names)).toBe(true)
    }))
  })

  it("orders any two numbers in one way only", () => {
    const number = FastCheck.oneof(double.map((f) => new PyFloat(f)), whole, FastCheck.boolean())
    FastCheck.assert(FastCheck.property(number, number, (a, b) => {
      expect(value("(a < b) + (a == b) + (a > b) == 1 and (a <= b) == (not a > b)", { a, b })).toBe(true)
    }))
  })
})

describe("any text", () => {
  it("has a value or an error with a place in it, never anything else", () => {
    const word = FastCheck.constantFrom(
      ..."1 2.5 'a' x True None ( ) [ ] { } , : + - * ** / // % < == not in and or if else for is len( max( . ~ & <<"
        .split(" ")
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(word, { maxLength: 12 }).map((words) => words.join(" ")), (text) => {
        const found = evaluateExpression(text, { x: [1, { a: "b" }] })
        if (Either.isRight(found)) return
        expect(found.left.column).toBeGreaterThanOrEqual(1)
        expect(found.left.column).toBeLessThanOrEqual(text.length + 1)
        expect(found.left.message).toMatch(/[.?…)]$/)
      }),
      { numRuns: 2000 }
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.fullUnicodeString(), (text) => {
        expect(() => evaluateExpression(text, {})).not.toThrow()
      }),
      { numRuns: 500 }
    )
  })
})

describe("values that hold a list many times", () => {
  it.each([
    "[[0]*99999]*99999",
    "len(str([[[[0]*99]*99]*99]*99))",
    "[[[[0]*99]*99]*99]*99 == [[[[0]*99]*99]*99]*99",
    "repr([['a'*99999]*99])"
  ])("cost what it takes to write them out: %s is refused", (text) => {
    const result = evaluateExpression(text, {})
    expect(Either.isLeft(result) ? result.left.message : result.right).toContain("steps")
  })

  it("are fine while they are small", () => {
    expect(evaluateExpression("len(str([[0] * 3] * 4))", {})).toEqual(Either.right(44))
  })
})

it.each(["0 ** 0.0", "0.0 ** 0.0", "0 ** -0.0"])("%s is 1.0, as in Python, and ends", (text) => {
  expect(evaluateExpression(text, {})).toEqual(Either.right(new PyFloat(1)))
})
