/** The words of an expression. Source: Python 3.11's "Lexical analysis". */
import * as Either from "effect/Either"
import { PyFloat } from "../../backend/Value.ts"
import { type ExpressionError, failAt } from "./ExpressionError.ts"

/** `offset` counts from 0. */
export type Token =
  | { readonly kind: "value"; readonly value: bigint | string | PyFloat; readonly offset: number }
  | { readonly kind: "name" | "operator" | "end"; readonly text: string; readonly offset: number }

const space = /(?:[ \t\r\n\f]|\\\r?\n|#[^\n]*)+/y
const numberShape = /(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d[\d_]*)?|0[xXoObB][\da-fA-F_]*/y
const wordEnd = /[\w\u0080-\u{10ffff}]*/uy
const based = /0[xXoObB][\da-fA-F_]*/y
const nameShape = /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}\p{Pc}]*/uy
const operatorShape = /\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%<>()[\]{},:.&|^~=@!;$?`]/y
const stringStart = /([a-zA-Z]{0,2})("""|'''|"|')/y

const intShape = /^(?:0(?:_?0)*|[1-9](?:_?\d)*|0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+)$/
const digits = "\\d(?:_?\\d)*"
const floatShape = new RegExp(`^(?:(?:${digits})?\\.${digits}|${digits}\\.?)(?:[eE][-+]?${digits})?$`)

const match = (shape: RegExp, text: string, offset: number): RegExpExecArray | null => {
  shape.lastIndex = offset
  return shape.exec(text)
}

const escapes: Record<string, string> = {
  "\\": "\\",
  "'": "'",
  "\"": "\"",
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\n": ""
}

const escapeShape = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([^]))/y

/** The body of a text from `start` to its closing quote, and where it ends. */
const readString = (
  text: string,
  start: number,
  quote: string,
  raw: boolean
): Either.Either<{ readonly value: string; readonly end: number }, ExpressionError> => {
  let value = ""
  let at = start
  while (!text.startsWith(quote, at)) {
    const char = text[at]
    if (char === undefined || (char === "\n" && quote.length === 1)) {
      return failAt(start - quote.length, "This text has no closing quote")
    }
    if (char !== "\\") {
      value += char
      at++
      continue
    }
    const escape = match(escapeShape, text, at)
    if (raw || escape === null) {
      value += text.slice(at, at + 2)
      at += 2
      continue
    }
    const [whole, x, u, long, octal, plain = ""] = escape
    const code = x ?? u ?? long
    const point = code === undefined ? octal === undefined ? null : parseInt(octal, 8) : parseInt(code, 16)
    if (point !== null && point > 0x10ffff) return failAt(at, `${whole} is no character's code`)
    if (point === null && /[xuUN]/.test(plain)) return failAt(at, `\\${plain} is not followed by a character's code`)
    value += point === null ? escapes[plain] ?? whole : String.fromCodePoint(point)
    at += whole.length
  }
  return Either.right({ value, end: at + quote.length })
}

const readNumber = (text: string, offset: number): Either.Either<bigint | PyFloat, ExpressionError> => {
  if (intShape.test(text)) return Either.right(BigInt(text.replaceAll("_", "")))
  if (floatShape.test(text) && !/^0\d+$/.test(text)) return Either.right(new PyFloat(Number(text.replaceAll("_", ""))))
  return failAt(offset, /^0[\d_]+$/.test(text) ? `${text} begins with a zero` : `"${text}" is no number`)
}

/** The expression's words, an `end` as the last one. */
export const readTokens = (text: string): Either.Either<ReadonlyArray<Token>, ExpressionError> =>
  Either.gen(function*() {
    const tokens: Array<Token> = []
    let at = 0
    for (;;) {
      at += match(space, text, at)?.[0].length ?? 0
      const offset = at
      if (at >= text.length) return [...tokens, { kind: "end", text: "", offset }]
      const start = match(stringStart, text, at)
      const number = match(based, text, at) ?? match(numberShape, text, at)
      const name = match(nameShape, text, at)
      if (start !== null) {
        const [opening, prefix = "", quote = ""] = start
        if (!/^[ru]?$/i.test(prefix)) return yield* failAt(at, `A text cannot begin with ${prefix}${quote} here`)
        const read = yield* readString(text, at + opening.length, quote, /r/i.test(prefix))
        tokens.push({ kind: "value", value: read.value, offset })
        at = read.end
      } else if (number !== null) {
        const word = number[0] + (match(wordEnd, text, at + number[0].length)?.[0] ?? "")
        tokens.push({ kind: "value", value: yield* readNumber(word, at), offset })
        at += word.length
      } else if (name !== null) {
        tokens.push({ kind: "name", text: name[0], offset })
        at += name[0].length
      } else {
        const operator = match(operatorShape, text, at)?.[0]
        if (operator === undefined) {
          return yield* failAt(at, `"${String.fromCodePoint(text.codePointAt(at) ?? 0)}" cannot stand here`)
        }
        tokens.push({ kind: "operator", text: operator, offset })
        at += operator.length
      }
    }
  })
