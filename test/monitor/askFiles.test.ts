import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"
import { makeFileAsker } from "../../src/monitor/askFiles.ts"
import * as LiveFiles from "../../src/monitor/LiveFiles.ts"
import { Files } from "../../src/port/Files.ts"
import { machine, plannedJob } from "../rule/machine.ts"
import { stateDir } from "./world.ts"

const waiting = (...paths: ReadonlyArray<string>) => {
  const m = machine(
    {},
    paths.map((file, at) =>
      plannedJob(`j${at}`, at, { start_conditions: [{ class_name: "FileExistsCondition", path: file }] })
    )
  )
  m.submitAll()
  return m.session
}

const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

describe("questions about files", () => {
  it.scoped("hold nobody up on a mount that hangs, and are not asked again while they hang", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const files = Layer.succeed(Files, {
        read: () => Effect.succeed(null),
        moved: () => Effect.succeed(null),
        exists: (file) =>
          Effect.suspend(() => {
            asked.push(file)
            return file.startsWith("/hung") ? Effect.never : Effect.succeed(true)
          }),
        append: () => Effect.succeed(false),
        matches: () => Effect.succeed(false)
      })
      const answers: Array<string | undefined> = []
      const asker = yield* makeFileAsker(waiting("/hung/a", "/b"), ({ job }) => Effect.sync(() => answers.push(job)))
      for (let cycle = 0; cycle < 3; cycle += 1) {
        yield* asker.ask.pipe(Effect.provide(files))
        yield* turn
      }
      expect(answers).toEqual(["j1"])
      expect(asked).toEqual(["/hung/a", "/b"])
    }))
})

describe("matching files", () => {
  it.scoped("are counted within parts of a path, without hidden ones, and by the letter where a value stood", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      for (const name of ["step_1/a.pt", "step_1/.b.pt", "step_2/a.pt", "[x]/a.pt"]) {
        fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
        fs.writeFileSync(path.join(dir, name), "")
      }
      const files = yield* Files
      const some = (pattern: string, atLeast: number) => files.matches(path.join(dir, pattern), atLeast)
      expect(yield* some("step_*/*.pt", 2)).toBe(true)
      expect(yield* some("step_*/*.pt", 3)).toBe(false)
      expect(yield* some("step_[!1]/?.pt", 1)).toBe(true)
      expect(yield* some("[[]x]/*.pt", 1)).toBe(true)
      expect(yield* some("*.pt", 1)).toBe(false)
      expect(yield* some("gone/*", 1)).toBe(false)
    }).pipe(Effect.provide(LiveFiles.layer)))
})
