import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import { layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"
import { lineBound, readLines } from "../../src/monitor/lines.ts"
import { scan } from "../../src/monitor/scan.ts"
import { type Detector, type Finder, makeDetector } from "../../src/rule/detect.ts"

const configDir = path.resolve(import.meta.dirname, "../../config")

const shipped = (preset: string) =>
  Effect.map(
    Effect.provide(load({ configDir, configRef: "autoexp", overrides: [`monitoring=${preset}`] }), layer),
    ({ config }) => Either.getOrThrow(makeDetector(config.monitoring))
  )

/** What patterns wait for, again and again, and never all of it. */
const beginnings = [
  "a",
  "é",
  "1: ",
  "[a]: ",
  "torch.",
  "torch.distributed.",
  "RuntimeError: ",
  "OutOfMemoryError: ",
  "CUDA ",
  "loss ",
  "NaN ",
  "gloo/transport/",
  "srun: error: a tasks ",
  "validation-",
  "validation loss at iteration 1 on test set |",
  "] iteration 1/1 |",
  "[c10d]",
  "successfully saved checkpoint from iteration 1 to a",
  "NCCL "
]

const blocksOf = (lines: ReadonlyArray<string>) => readLines(Buffer.from(lines.join("\n")), 0, false, true).blocks

/** A rule that does `work` in each block. */
const finder = (name: string, work: Finder["find"]): Finder => ({ rule: name, pattern: name, find: work })

const found = (detector: Detector) => {
  const { matches, slow } = scan(blocksOf(["one", "zwölf"]), detector, new Set())
  return { found: matches.map(({ match }) => [match.rule, match.offset]), slow: slow.map(({ rule }) => rule) }
}

const each = (name: string) => finder(name, (_, all) => all.push({ rule: name, index: 0, groups: {} }))
const endless = (name: string) =>
  finder(name, () => {
    for (;;);
  })

describe("rules at work", () => {
  it.effect.each([
    "megatron_production",
    "megatron_checkpoint_eval",
    "megatron_nccl",
    "megatron_stall_detection"
  ])("are not brought to their end by a hostile line: %s", (preset) =>
    Effect.map(shipped(preset), (detector) => {
      for (const beginning of beginnings) {
        const line = beginning.repeat(lineBound / beginning.length)
        expect(scan(blocksOf([line, `torch.${line}`]), detector, new Set()).slow, beginning).toEqual([])
      }
    }))

  it("are each given up alone, the others find what there is", () => {
    expect(found([each("a"), endless("b"), each("c"), endless("d"), each("e")])).toEqual({
      found: [["a", 0], ["c", 0], ["e", 0], ["a", 4], ["c", 4], ["e", 4]],
      slow: ["b", "d"]
    })
  })

  it("are given up as well if they need more memory than there is for a pattern", () => {
    const deep = finder("deep", () => {
      throw new RangeError("Maximum call stack size exceeded")
    })
    expect(found([each("a"), deep, each("c")]).slow).toEqual(["deep"])
  })
})
