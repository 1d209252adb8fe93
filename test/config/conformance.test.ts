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
  readonly error?: { readonly kind: string }
}

interface Case extends Outcome {
  readonly name: string
  readonly files: Record<string, string>
  readonly config_name: string
  readonly overrides: ReadonlyArray<string>
  readonly env: Record<string, string | null>
  readonly resolvers: "none" | "seed" | "newest"
  readonly types?: Record<string, string>
  readonly newest_libyaml?: Outcome
}

/** Where ours answers otherwise, and why. */
const otherwise: Record<string, string> = {
  duplicate_key: "a key that stands twice is a mistake, which the newest tool no longer sees",
  duplicate_key_nested: "the same"
}

/** JSON text, which shows the order of keys and what `toEqual` takes for equal (-0, floats). */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item))

const folder = path.join(import.meta.dirname, "../conformance/hydra")

describe.each(fs.readdirSync(folder).filter((file) => file !== "seed-loader.json"))("%s", (file) => {
  const cases: ReadonlyArray<Case> = JSON.parse(fs.readFileSync(path.join(folder, file), "utf8"))
  it.each(
    cases.filter(({ resolvers }) => (resolvers !== "seed" || file === "real-world.json"))
      .map((entry) => [entry.name, entry] as const)
  )("%s", (name, entry) => {
    const environment = Object.fromEntries(
      Object.entries(entry.env).filter((pair): pair is [string, string] => pair[1] !== null)
    )
    const surroundings = { environment, timestring: "20250131_235959_042", configDir: "/conf", read: () => null }
    const composed = compose(memoryFiles(entry.files, environment), entry.config_name, entry.overrides, surroundings)
    const resolved = composed.root === null || composed.problems.length > 0
      ? Either.left(composed.problems)
      : resolveConfig(composed.root, surroundings)
    const { error, expected } = name in otherwise ? entry : entry.newest_libyaml ?? entry
    if (error !== undefined) {
      expect(Either.isLeft(resolved) ? resolved.left[0]?.kind : resolved.right).toBe(error.kind)
    } else {
      const wanted = typed(expected, entry.types ?? {})
      expect(Either.isLeft(resolved) ? resolved.left : resolved.right).toEqual(wanted)
      expect(shown(Either.getOrNull(resolved))).toBe(shown(wanted))
    }
  })
})
