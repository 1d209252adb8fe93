import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { formatArrayIndices, parseArraySpec } from "../../src/backend/slurm/arraySpec.ts"
import { defaultOutput, expandFileName, type FileNameValues } from "../../src/backend/slurm/fileNames.ts"

describe("array specifications", () => {
  it("reads ranges, steps and the limit, sorted and without repeats", () => {
    const parse = (text: string) => Either.getOrNull(parseArraySpec(text))
    expect(parse("0-3")).toEqual({ indices: [0, 1, 2, 3], limit: null })
    expect(parse("7,1,3-5%2")).toEqual({ indices: [1, 3, 4, 5, 7], limit: 2 })
    expect(parse("0-10:5,5")).toEqual({ indices: [0, 5, 10], limit: null })
  })

  it("refuses what Slurm refuses, and ranges that would fill the memory", () => {
    for (
      const text of [
        "",
        "a",
        "1-",
        "3-1",
        "1--2",
        "1,,2",
        "0-3%0",
        "0-3%",
        "0-3%1%2",
        "0-4:0",
        "-1",
        "1.5",
        "0-99999999999"
      ]
    ) {
      expect(Either.getOrNull(parseArraySpec(text)), text).toBe(null)
    }
  })

  it("writes indices so that they read back as they were", () => {
    expect(formatArrayIndices([5, 3, 4, 0, 1, 9])).toBe("0,1,3-5,9")
    expect(formatArrayIndices([])).toBe("")
    const indices = [0, 1, 2, 4, 6, 7, 8, 9, 20, 21]
    expect(Either.getOrNull(parseArraySpec(formatArrayIndices(indices)))?.indices).toEqual(indices)
  })
})

describe("file name codes", () => {
  const task: FileNameValues = {
    jobId: "903",
    arrayJobId: "900",
    arrayTask: 7,
    jobName: "lr1e-4_7.2.abc",
    user: "ada",
    node: "gpu07"
  }
  const plain: FileNameValues = { ...task, jobId: "42", arrayJobId: null, arrayTask: null }

  it("expands all codes and pads numbers only", () => {
    expect(expandFileName("%A_%a/%j.%x.%u.%N.%n.%t.%s", task)).toBe("900_7/903.lr1e-4_7.2.abc.ada.gpu07.0.0.batch")
    expect(expandFileName("%4a-%08j-%5x-%99a", task)).toBe("0007-00000903-lr1e-4_7.2.abc-0000000007")
  })

  it("keeps %%, unknown codes and a lone percent sign", () => {
    expect(expandFileName("100%%_%%j_%q_%", task)).toBe("100%_%j_%q_%")
  })

  it("does not expand what a value brings along", () => {
    expect(expandFileName("%x", { ...task, jobName: "%j" })).toBe("%j")
  })

  it("expands nothing where a backslash stands", () => {
    expect(expandFileName("a\\%j", task)).toBe("a%j")
  })

  it("shows a plain job as Slurm does", () => {
    expect(expandFileName("%A_%a", plain)).toBe("42_4294967294")
    expect(expandFileName(defaultOutput(false), plain)).toBe("slurm-42.out")
    expect(expandFileName(defaultOutput(true), task)).toBe("slurm-900_7.out")
  })
})
