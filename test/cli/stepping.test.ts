import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { step } from "../../src/cli/stepping.ts"
import { fakeScreen } from "../report/fakeScreen.ts"
import { history } from "../rule/histories.ts"

/** What a person sees who types these lines, and how the walk ends. */
const typing = (...typed: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { layer, written } = fakeScreen()
    const lines = (async function*() {
      yield* typed
    })()
    const exitCode = yield* step(history(), lines).pipe(Effect.provide(layer))
    return { exitCode, out: written.out }
  })

it.effect("a walk goes on by one fact, by decisions, and by a job, as it is told", () =>
  Effect.gen(function*() {
    const { exitCode, out } = yield* typing("", "n", "d", "j b", "q", "n")
    expect(exitCode).toBe(0)
    const facts = out.split("\n").filter((line) => / fact \d+ /.test(line))
    expect(facts).toHaveLength(4)
    expect(facts[0]).toContain("SessionOpened")
    expect(facts[3]).toMatch(/ b#1/)
  }))

it.effect("a walk shows the state, tells its keys to who mistypes, and says where the journal ends", () =>
  Effect.gen(function*() {
    const { out } = yield* typing("p", "what", "j", "j nobody")
    expect(out).toContain("state after record 0")
    expect(out.match(/n next fact · d next decision/g)).toHaveLength(3)
    expect(out.trimEnd().split("\n").at(-1)).toBe("the end of the journal")
  }))

it.effect("a walk ends well where nothing more is typed", () =>
  Effect.gen(function*() {
    expect((yield* typing("n")).exitCode).toBe(0)
  }))
