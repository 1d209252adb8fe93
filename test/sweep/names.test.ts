import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { pyRepr } from "../../src/backend/python.ts"
import { PyFloat, type ValueMap } from "../../src/backend/Value.ts"
import { jobNames } from "../../src/sweep/names.ts"

const points = (...parameters: ReadonlyArray<ValueMap>) =>
  parameters.map((values, index) => ({ index, parameters: values, project: "toy" }))

const message = (template: string, ...parameters: ReadonlyArray<ValueMap>) =>
  Either.match(jobNames(template, points(...parameters)), {
    onLeft: ({ at, message }) => `${at}: ${message}`,
    onRight: (names) => names
  })

describe("job names", () => {
  it("print numbers as Python does, by their type", () => {
    expect(message("{project}_lr{lr}_{wd}_{index:03}", { lr: new PyFloat(1e-5), wd: new PyFloat(0) }))
      .toEqual(["toy_lr1e-05_0.0_000"])
    expect(message("{index:04d}_{lr:.0e}_{on}", { lr: new PyFloat(0.001), on: true })).toEqual(["0000_1e-03_True"])
  })

  it("know a dotted parameter by its dots and by three underscores", () => {
    expect(message("{opt.lr}_{opt___lr}", { "opt.lr": 3 })).toEqual(["3_3"])
  })

  it("W-31: that two points share are an error which shows both", () => {
    expect(message("{project}_{lr}", { lr: 1, wd: 1 }, { lr: 1, wd: "x" })).toBe(
      "sweep.name_template: point 0 (lr=1, wd=1) and point 1 (lr=1, wd='x') are both named \"toy_1\"; " +
        "add what they differ in, or {index}"
    )
  })

  it.each([
    ["a/b", "it holds \"/\""],
    ["..", "it holds \"..\""],
    [".", "it names a directory"],
    ["-rf", "it begins with a dash"],
    ["", "it is empty"],
    ["a\0b", "it holds a control character"],
    ["a\n#SBATCH --uid=0", "it holds a control character"],
    ["a\\b", "it holds \"\\\""],
    ["x".repeat(201), "it has more than 200 bytes"],
    ["ä".repeat(101), "it has more than 200 bytes"]
  ])("that are no safe file name are refused: %j", (name, why) => {
    expect(message("{n}", { n: name })).toBe(
      `sweep.name_template: ${pyRepr(name)} of point 0 (n=${pyRepr(name)}) cannot name a job: ${why}`
    )
  })

  it("with an unknown variable say which ones there are", () => {
    expect(message("{project}_{rl}", { lr: 1 })).toContain("did you mean \"lr\"")
  })
})
