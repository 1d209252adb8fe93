import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { fillReferences, quoteArgument, quoteData, quoteEnvironment } from "../../src/plan/shell.ts"
import { nulEnded, printArguments, run } from "./shells.ts"

const env = { HOME: "/home/a b", NAME: "x\"y'z" }

/** What a program gets when `words` stand behind it in a script. */
const arrive = async (words: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { code, stderr, stdout } = await run([
    "bash",
    "-c",
    `${printArguments.map(quoteData).join(" ")} ${words.join(" ")}`
  ], env)
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  return nulEnded(stdout)
}

const nasty = [
  "a b",
  "",
  "it's",
  "\"quoted\"",
  "'both\"",
  "line\nbreak\n",
  "tab\t",
  "*",
  "~",
  "a;b&c|d>e<f",
  "$(touch /nowhere/x)",
  "`touch /nowhere/x`",
  "\\",
  "back\\slash\\\\",
  "$",
  "$5",
  "100$",
  "${HOME:-x}",
  "$((1+1))",
  "!history",
  "#no comment",
  "--flag=1",
  "{1,2}",
  "ünï¢ode"
]

describe("arguments", () => {
  it("arrive unchanged, whatever they hold", async () => {
    expect(await arrive(nasty.map(quoteArgument))).toEqual(nasty)
  })

  it("have references filled in on the node, as one word, and nothing else", async () => {
    expect(
      await arrive(
        ["$HOME/x", "${HOME}y$(id)`id`\"'\\", "\\$HOME", "\\${HOME}\\", "$$HOME", "a\n$NAME b"].map(quoteArgument)
      )
    )
      .toEqual(["/home/a b/x", "/home/a by$(id)`id`\"'\\", "$HOME", "${HOME}\\", "$/home/a b", "a\nx\"y'z b"])
  })

  it("come out the same through the shell and without one", async () => {
    const piece = fc.constantFrom(
      "$HOME",
      "${NAME}",
      "\\",
      "$",
      "'",
      "\"",
      "`",
      "(",
      ")",
      " ",
      "\n",
      "a",
      "{",
      "}",
      "!"
    )
    const texts = fc.sample(fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")), 400)
    expect(await arrive(texts.map(quoteArgument))).toEqual(texts.map((text) => fillReferences(text, env)))
  })
})

describe("values of slurm.env", () => {
  it("may hold substitutions, of which the result is not split", async () => {
    const texts = [
      "$HOME",
      "${NOTHING:-a  b}",
      "$(printf '%s  %s' \"$HOME\" ')')",
      "$(echo \"$(echo \"in ) ner\")\")",
      "$((1 + 2))",
      "two  words \"quoted\" it's",
      "\\$HOME",
      "`id`",
      "a\\b",
      "line\nbreak",
      "cost: 5$"
    ]
    expect(await arrive(texts.map((text) => quoteEnvironment(text) ?? "unclosed"))).toEqual([
      "/home/a b",
      "a  b",
      "/home/a b  )",
      "in ) ner",
      "3",
      "two  words \"quoted\" it's",
      "$HOME",
      "`id`",
      "a\\b",
      "line\nbreak",
      "cost: 5$"
    ])
  })

  it.each(["$(hostname", "${HOME", "$(echo ')'", "$(echo \"a)"])(
    "that do not close a substitution are refused: %s",
    (text) => {
      expect(quoteEnvironment(text)).toBe(null)
    }
  )
})
