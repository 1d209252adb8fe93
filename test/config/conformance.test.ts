import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { compose } from "../../src/config/compose.ts"
import { resolveConfig } from "../../src/config/resolve.ts"
import { typed } from "../conformance/typed.ts"
import { memoryFiles } from "./memory.ts"

interface Outcome {
  readonly expected?: unknown
  readonly types?: Record<string, string>
  readonly error?: { readonly kind: string }
}

interface Case extends Outcome {
  readonly name: string
  readonly files: Record<string, string>
  readonly config_name: string
  readonly overrides: ReadonlyArray<string>
  readonly env: Record<string, string | null>
  readonly newest_libyaml?: Outcome
}

const monitoring = { class_name: "NullMonitor" }
const wrapped =
  "the seed puts every override that holds `${` between double quotes (its fault W-42); ours reads Hydra's grammar"

/** Where ours answers otherwise than what was recorded, what it answers, and why. docs/ has the same list. */
const otherwise: Record<string, Outcome & { readonly why: string }> = {
  duplicate_key: {
    error: { kind: "yaml" },
    why: "a key that stands twice is a mistake, as it was to the seed; the newest tool takes the last one"
  },
  duplicate_key_nested: { error: { kind: "yaml" }, why: "the same, in an inner mapping" },
  eval_lone_number__seed: {
    expected: { x: 6, a: 6 },
    why: "`oc.eval` of a number is the number, as the newest tool has it; to the seed it was an error"
  },
  not_in_seed__seed: { expected: { a: "0-0:0:1" }, why: "`oc.slurmtime` came after the seed" },
  override_with_interpolation_and_specials: {
    error: { kind: "override_syntax" },
    why: `${wrapped}, where such a value must be quoted`
  },
  override_with_interpolation_already_quoted: {
    expected: { a: 1, b: 1, monitoring },
    why: `${wrapped}, where quotes are no part of the value`
  },
  override_with_interpolation_double_quoted: {
    expected: { a: 1, b: 1, monitoring },
    why: `${wrapped}, which takes double quotes`
  },
  override_with_interpolation_in_dict_add: {
    expected: { a: 1, b: "x", monitoring, c: { x: 1 } },
    why: `${wrapped}, where \`{…}\` is a mapping, not a text`
  },
  override_with_resolver: {
    error: { kind: "override_syntax" },
    why: `${wrapped}, where an interpolation within another one must be quoted (case \`interpolation_nested\`)`
  },
  deprecated_keys_at_top_level_without_monitoring: {
    expected: { policies: [] },
    why:
      "the seed takes a configuration without a monitoring section for one; ours composes it, and refuses the unknown key after"
  }
}

/** JSON text, which shows the order of keys and what `toEqual` takes for equal (-0, floats). */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item))

const folder = path.join(import.meta.dirname, "../conformance/hydra")
const recorded = fs.readdirSync(folder).map((file): readonly [string, ReadonlyArray<Case>] => [
  file,
  JSON.parse(fs.readFileSync(path.join(folder, file), "utf8"))
])

const answer = (entry: Case) => {
  const environment = Object.fromEntries(
    Object.entries(entry.env).filter((pair): pair is [string, string] => pair[1] !== null)
  )
  const surroundings = { environment, timestring: "20250131_235959_042", configDir: "/conf", read: () => null }
  const composed = compose(memoryFiles(entry.files, environment), entry.config_name, entry.overrides, surroundings)
  return composed.root === null || composed.problems.length > 0
    ? Either.left(composed.problems)
    : resolveConfig(composed.root, surroundings)
}

/** Whether two outcomes are the same one. */
const agree = (a: Outcome, b: Outcome): boolean =>
  a.error?.kind === b.error?.kind && shown(a.expected) === shown(b.expected)

describe.each(recorded)("%s", (_, cases) => {
  it.each(cases.map((entry) => [entry.name, entry] as const))("%s", (name, entry) => {
    const resolved = answer(entry)
    const { error, expected, types } = otherwise[name] ?? entry.newest_libyaml ?? entry
    if (expected === undefined) {
      expect(Either.isLeft(resolved) ? resolved.left[0]?.kind : resolved.right).toBe(error?.kind)
    } else {
      const wanted = typed(expected, types ?? {})
      expect(Either.isLeft(resolved) ? resolved.left : resolved.right).toEqual(wanted)
      expect(shown(Either.getOrNull(resolved))).toBe(shown(wanted))
    }
  })
})

describe("the page on differences", () => {
  const page = fs.readFileSync(path.join(import.meta.dirname, "../../docs/configuration-differences.md"), "utf8")
  const rows = page.split("\n").flatMap((line) => {
    const cells = /^\| `(\w+)` \| (.*) \|$/.exec(line)
    return cells === null ? [] : [[cells[1], cells[2]]]
  })

  it("lists every case in which ours answers otherwise, and no other", () => {
    expect(rows).toEqual(Object.entries(otherwise).map(([name, { why }]) => [name, why]))
  })

  it("lists only cases that there are, in which ours differs from one of the answers", () => {
    const all = new Map(recorded.flatMap(([, cases]) => cases.map((entry) => [entry.name, entry])))
    for (const [name, ours] of Object.entries(otherwise)) {
      const entry = all.get(name)
      expect([entry, entry?.newest_libyaml].some((known) => known !== undefined && !agree(known, ours)), name).toBe(
        true
      )
    }
  })

  it("lists every case to which the seed and the newest tool answer differently", () => {
    for (const [, cases] of recorded) {
      for (const entry of cases) {
        const newest = cases.find(({ name }) => name === entry.name.replace(/__seed$/, "__newest"))
        if (newest !== undefined && !agree(entry, newest)) expect(Object.keys(otherwise)).toContain(entry.name)
      }
    }
  })
})
