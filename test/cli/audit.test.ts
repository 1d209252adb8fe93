import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { machine, plannedJob } from "../rule/machine.ts"
import { autoexp, keep, temporary } from "./autoexp.ts"

const session = (planId: string) => {
  const m = machine(
    { log_events: [{ name: "x", pattern: "x", actions: [{ class_name: "LogAction", message: "seen" }] }] },
    [plannedJob("a")],
    { plan_id: planId }
  )
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  m.log([{ rule: "x" }])
  return m.records
}

/** A state directory with sessions in two segments each, whose files have seen their ends. */
const kept = (...planIds: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const home = yield* temporary
    for (const planId of planIds) {
      const place = { stateDir: home, planId }
      yield* keep(place, session(planId).slice(0, 4))
      yield* keep(place, session(planId).slice(4))
      yield* autoexp(home, ["session", "show", planId, "--state-dir", "."])
    }
    const verify = Effect.map(
      autoexp(home, ["audit", "--session", planIds[0] ?? "", "--state-dir", ".", "--verify", "--json"]),
      ({ exitCode, stdout }) => ({ exitCode, ...JSON.parse(stdout) })
    )
    const segments = fs.readdirSync(home).filter((name) => name.startsWith(`${planIds[0]}.events`)).sort()
    return { home, verify, segments }
  })

describe("audit", () => {
  it.scoped("of one session and of all there are, in all formats", () =>
    Effect.gen(function*() {
      const { home } = yield* kept("one", "two")
      const audit = (...argv: ReadonlyArray<string>) => autoexp(home, ["audit", "--state-dir", ".", ...argv])
      const one = yield* audit("--session", "one", "--json")
      expect(JSON.parse(one.stdout).map(({ action }: { readonly action: string }) => action)).toEqual([
        "submit",
        "submission",
        "LogAction"
      ])
      expect((yield* audit("--session", "one", "--format", "json")).stdout).toBe(one.stdout)
      expect(JSON.parse((yield* audit("--all", "--json")).stdout)).toHaveLength(6)
      expect((yield* audit("--all", "--format", "csv")).stdout.split("\n")).toHaveLength(8)
      expect((yield* audit("--all", "--format", "md")).stdout).toContain("| two |")
      expect((yield* audit("--all")).stdout).toMatch(/^SESSION +SEQ/)
    }))

  it.scoped("needs a session, or all of them, and knows its formats", () =>
    Effect.gen(function*() {
      const { home } = yield* kept("one")
      for (const argv of [[], ["--session", "one", "--all"], ["--all", "--format", "xml"], ["--session", "nothing"]]) {
        expect(yield* autoexp(home, ["audit", "--state-dir", ".", ...argv]), argv.join(" ")).toMatchObject({
          exitCode: 2,
          stdout: ""
        })
      }
    }))

  it.scoped("of all sessions shows the others where one is damaged, and ends with 4", () =>
    Effect.gen(function*() {
      const { home, segments } = yield* kept("one", "two")
      fs.writeFileSync(path.join(home, segments[0] ?? ""), "nonsense\n")
      const { exitCode, stderr, stdout } = yield* autoexp(home, ["audit", "--all", "--json", "--state-dir", "."])
      expect(exitCode).toBe(4)
      expect(stderr).toContain("one.events")
      expect(JSON.parse(stdout)).toHaveLength(3)
      const verified = yield* autoexp(home, ["audit", "--all", "--verify", "--json", "--state-dir", "."])
      expect(verified.exitCode).toBe(4)
      expect(JSON.parse(verified.stdout)).toMatchObject([{ plan_id: "one", ok: false }, { plan_id: "two", ok: true }])
    }))
})

describe("audit --verify", () => {
  it.scoped("finds a journal well that is as it was written, also while its last line is torn", () =>
    Effect.gen(function*() {
      const { home, segments, verify } = yield* kept("one")
      const records = session("one").length + 1
      expect(yield* verify).toMatchObject({ exitCode: 0, ok: true, records, first_bad: null })
      fs.appendFileSync(path.join(home, segments.at(-1) ?? ""), "{\"v\":1,")
      expect(yield* verify).toMatchObject({ exitCode: 0, ok: true, left_out: [{ bytes: 7 }] })
    }))

  it.scoped(
    "finds every line that was changed, removed, doubled, inserted or moved, and names it",
    () =>
      Effect.gen(function*() {
        const { home, segments, verify } = yield* kept("one")
        for (const segment of segments) {
          const file = path.join(home, segment)
          const whole = fs.readFileSync(file)
          const lines = whole.toString().split(/(?<=\n)/)
          const begins = lines.map((_, at) => lines.slice(0, at).join("").length)
          const attack = (what: string, text: string | Buffer, line: number) =>
            Effect.gen(function*() {
              fs.writeFileSync(file, text)
              const { exitCode, first_bad: bad, ok } = yield* verify
              fs.writeFileSync(file, whole)
              expect([exitCode, ok], `${what} ${line} of ${segment}`).toEqual([4, false])
              return bad
            })
          for (const [at, line] of lines.entries()) {
            const without = lines.filter((_, other) => other !== at).join("")
            const flipped = Buffer.from(whole)
            const where = (begins[at] ?? 0) + Math.floor(line.length / 2)
            flipped[where] = (flipped[where] ?? 0) ^ 1
            const bad = yield* attack("flip", flipped, at)
            expect(bad).toMatchObject({ segment, line: at + 1, from: begins[at] })
            expect([bad.from <= where, where < bad.to]).toEqual([true, true])
            yield* attack("remove", without, at)
            const isBeyond = segment !== segments[0] && at === lines.length - 1
            if (!isBeyond) yield* attack("double", lines.toSpliced(at, 0, line).join(""), at)
            if (at > 0) {
              yield* attack(
                "move",
                [...lines.slice(0, at - 1), line, lines[at - 1], ...lines.slice(at + 1)].join(""),
                at
              )
            }
            const newline = Buffer.from(whole)
            newline[(begins[at] ?? 0) + line.length - 1] = 0x0b
            yield* attack("join", newline, at)
          }
        }
      }),
    120_000
  )

  it.scoped("tells of what stands beyond the seal of a later segment, and is no part of the journal", () =>
    Effect.gen(function*() {
      const { home, segments, verify } = yield* kept("one")
      const file = path.join(home, segments[1] ?? "")
      const { length: from } = fs.readFileSync(file)
      fs.appendFileSync(file, "{\"v\":1}\n")
      expect(yield* verify).toMatchObject({ exitCode: 0, ok: true, left_out: [{ path: file, from, bytes: 8 }] })
    }))

  it.scoped("names the place where a last segment stood", () =>
    Effect.gen(function*() {
      const { home, segments, verify } = yield* kept("one")
      fs.rmSync(path.join(home, segments[0] ?? ""))
      const { length: from } = fs.readFileSync(path.join(home, segments[1] ?? ""))
      expect((yield* verify).first_bad).toMatchObject({ segment: "one.events.jsonl", kind: "missing", from })
    }))
})
