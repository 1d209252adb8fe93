import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { type Directives, parseDirectives } from "../../src/scheduler/local/directives.ts"
import { parseTimeLimit } from "../../src/scheduler/local/timeLimit.ts"

const parse = (...lines: ReadonlyArray<string>): Directives =>
  Either.getOrThrow(parseDirectives(`#!/bin/bash\n${lines.join("\n")}\n`))
const refusal = (...lines: ReadonlyArray<string>): string =>
  Either.getOrThrow(Either.flip(parseDirectives(lines.join("\n"))))

describe("#SBATCH lines", () => {
  it("reads options in all of sbatch's notations", () => {
    expect(parse(
      "#SBATCH --job-name=a --output log.%j",
      "#SBATCH -e err.%j -N2 -n 4 # the rest is a comment --comment=no",
      "",
      "# a comment",
      "#SBATCH\t--comment=\"two words\" --chdir='/a b'",
      "#SBATCH --requeue --time 1-0 --array=1,3-5%2 --open-mode=append -c 8",
      "#SBATCH --no-requeue"
    )).toMatchObject({
      name: "a",
      output: "log.%j",
      error: "err.%j",
      nodes: 2,
      ntasks: 4,
      comment: "two words",
      chdir: "/a b",
      requeue: false,
      timeLimit: 86400,
      array: { indices: [1, 3, 4, 5], limit: 2 },
      append: true,
      cpusPerTask: 8
    })
  })

  it("counts only those before the first command, and exactly at the line's start", () => {
    expect(parse(" #SBATCH -J a", "#SBATCH -J b")).toMatchObject({ name: null })
    expect(parse("##SBATCH -J a", "#SBATCHX -J b", "#sbatch -J c", "set -e", "#SBATCH -J d")).toMatchObject({
      name: null
    })
  })

  it("lets the later of two win and passes unknown options over, with and without a value", () => {
    expect(parse("#SBATCH --exclusive --mem=4G --gres gpu:1 -q normal -J first", "#SBATCH --frobnicate 3 -J last"))
      .toMatchObject({ name: "last" })
  })

  it("reads signals", () => {
    const signal = (text: string) => parse(`#SBATCH --signal=${text}`).warning
    expect(signal("B:TERM@120")).toEqual({ batch: true, signal: "TERM", seconds: 120 })
    expect(signal("SIGUSR1")).toEqual({ batch: false, signal: "USR1", seconds: 60 })
    expect(signal("10@5")).toEqual({ batch: false, signal: "10", seconds: 5 })
  })

  it("refuses what sbatch refuses", () => {
    expect(refusal("")).toBe("Batch script is empty!")
    expect(refusal("echo hi")).toContain("does not look like a batch script")
    expect(refusal("#!/bin/sh\r\n#SBATCH -t 1\r")).toContain("DOS line breaks")
    expect(refusal("#!/bin/sh", "#SBATCH --time=1:2:3:4")).toBe("Invalid --time specification")
    expect(refusal("#!/bin/sh", "#SBATCH -a 1-")).toContain("Invalid job array specification")
    expect(refusal("#!/bin/sh", "#SBATCH --signal=@")).toContain("Invalid --signal specification")
  })
})

describe("time limits", () => {
  it("reads all of Slurm's notations", () => {
    const seconds: Record<string, number | null | undefined> = {
      "90": 5400,
      "1:30": 90,
      "01:00:05": 3605,
      "2-3": 183600,
      "2-03:04": 183840,
      "1-00:00:01": 86401,
      "0": null,
      "UNLIMITED": null,
      "infinite": null,
      "": undefined,
      "1h": undefined,
      "-5": undefined,
      "1-": undefined
    }
    expect(Object.fromEntries(Object.keys(seconds).map((text) => [text, parseTimeLimit(text)]))).toEqual(seconds)
  })
})
