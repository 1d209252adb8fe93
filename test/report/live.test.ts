import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { live, type LiveRow } from "../../src/report/live.ts"
import { emulate, fakeScreen } from "./fakeScreen.ts"

const row = (job: string, state: string, iteration: number | null = null): LiveRow => ({
  job,
  state,
  attempt: 1,
  iteration,
  loss: null,
  lastEvent: null
})
const happening = (text: string) => ({ at: "2026-11-23T03:12:07.114Z", job: "a", text })

describe("the live view", () => {
  it.effect("is redrawn in place, happenings above it", () =>
    Effect.scoped(Effect.gen(function*() {
      const { screen, written } = fakeScreen({ interactive: true })
      const view = yield* live(screen)
      yield* view.show([row("a", "running", 10), row("b", "pending")])
      yield* view.tell(happening("restarted"))
      yield* view.show([row("a", "running", 20), row("b", "running", 5)])
      expect(emulate(written.out).lines).toEqual([
        "03:12:07  a: restarted",
        "JOB  STATE    ATTEMPT  ITERATION  LOSS  LAST EVENT",
        "a    running        1         20     -  -",
        "b    running        1          5     -  -",
        "2 jobs: 2 running"
      ])
    })))

  it.effect("leaves nothing of a longer table behind", () =>
    Effect.scoped(Effect.gen(function*() {
      const { screen, written } = fakeScreen({ interactive: true })
      const view = yield* live(screen)
      yield* view.show([row("a", "running"), row("b", "running"), row("c", "running")])
      yield* view.show([row("a", "success")])
      expect(emulate(written.out).lines).toHaveLength(3)
    })))

  it.effect("shows the jobs that still run where not all of them fit", () =>
    Effect.scoped(Effect.gen(function*() {
      const { screen, written } = fakeScreen({ interactive: true, rows: 6, columns: 40 })
      const view = yield* live(screen)
      yield* view.show([...Array.from({ length: 50 }, (_, at) => row(`done${at}`, "success")), row("last", "running")])
      const { lines } = emulate(written.out)
      expect(lines).toHaveLength(5)
      expect(lines[1]).toMatch(/^last +running/)
      expect(lines[4]).toBe("51 jobs: 50 success, 1 running")
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(40)
    })))

  it.effect("shows what needs attention above the jobs for as long as it does, whatever happens meanwhile", () =>
    Effect.scoped(Effect.gen(function*() {
      const { screen, written } = fakeScreen({ interactive: true, rows: 8, columns: 60 })
      const view = yield* live(screen)
      const rows = Array.from({ length: 9 }, (_, at) => row(`j${at}`, "waiting"))
      yield* view.show(rows, ["restarts pause: 5 jobs failed alike within 600 s: NCCL WARN \x1b[2J and more of it"])
      yield* view.tell(happening("held"))
      const { lines } = emulate(written.out)
      expect(lines[0]).toBe("03:12:07  a: held")
      expect(lines[1]).toMatch(/^needs attention: restarts pause: 5 jobs failed alike/)
      expect(lines.at(-1)).toBe("9 jobs: 9 waiting")
      expect(lines.length).toBeLessThanOrEqual(8)
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(60)
      yield* view.show(rows)
      expect(emulate(written.out).lines.some((line) => line.includes("attention"))).toBe(false)
    })))

  it.effect("gives the cursor back, also when it is interrupted", () =>
    Effect.gen(function*() {
      const { screen, written } = fakeScreen({ interactive: true })
      const scope = yield* Scope.make()
      const fiber = yield* Effect.fork(
        live(screen).pipe(Effect.zipRight(Effect.never), Effect.provideService(Scope.Scope, scope))
      )
      yield* Effect.yieldNow()
      expect(emulate(written.out).cursor).toBe(false)
      yield* Scope.close(scope, yield* Fiber.interrupt(fiber).pipe(Effect.map(Exit.asVoid)))
      expect(emulate(written.out).cursor).toBe(true)
    }))

  it.effect("is one plain line per happening without a terminal", () =>
    Effect.scoped(Effect.gen(function*() {
      const { screen, written } = fakeScreen()
      const view = yield* live(screen)
      yield* view.show([row("a", "running")])
      yield* view.tell(happening("log says \x1b[2J\nevil"))
      yield* view.tell({ ...happening("monitor attached"), job: null })
      expect(written.out).toBe("03:12:07  a: log says  evil\n03:12:07  monitor attached\n")
    })))
})
