/** The examples of the manual's pages, run as they stand. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { vi } from "vitest"
import { autoexp, temporary } from "../cli/autoexp.ts"
import { blocksOf, examplesOf, pattern } from "./examples.ts"

const isFile = (file: string): boolean => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true

/** Words of a command as a shell reads them: spaces part them, but not within single quotes. */
const words = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ""))

/** What another run has otherwise: when it was, and at which records. */
const anyTime = (source: string): string =>
  source.replace(/\d{4}-\d\d-\d\dT[\d:]+\\\.\d+Z/g, "\\S+").replace(/(record \+|\\\[|← \+)\d+/g, "$1\\d+")

/** All there is of actions and conditions. */
const sources = (): string => {
  const folder = path.resolve(import.meta.dirname, "../../src/action")
  return fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"))
    .map((name) => fs.readFileSync(path.join(folder, name), "utf8")).join("\n")
}

const composes = (argv: ReadonlyArray<string>): boolean =>
  ["backtest", "config", "plan", "run", "sweep"].includes(argv[0] ?? "") || argv.includes("--monitoring")

it.scopedLive.each(
  [
    ["configuration", 9],
    ["sweeps", 12],
    ["monitoring", 7],
    ["audit", 9],
    ["replay", 7],
    ["journal", 5],
    ["long-runs", 1],
    ["status", 3]
  ] as const
)(
  "every example of the page %s does what the page says",
  ([name, count]) =>
    Effect.gen(function*() {
      const page = fs.readFileSync(path.resolve(import.meta.dirname, `../../docs/${name}.md`), "utf8")
      const blocks = blocksOf(page)
      const dir = yield* temporary
      yield* Effect.acquireRelease(
        // A cluster of its own, so that its first job has the id that the page shows.
        Effect.sync(() => vi.stubEnv("OUTPUT_DIR", undefined).stubEnv("XDG_STATE_HOME", path.join(dir, "home"))),
        () => Effect.sync(() => vi.unstubAllEnvs())
      )
      const write = (name: string, text: string) => {
        fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
        fs.writeFileSync(path.join(dir, name), text)
      }
      write("config/job.sbatch", "#!/bin/bash\n{sbatch_directives}\n{env_exports}\nsrun {launcher_cmd}\n")
      for (const { kind, text } of blocks) {
        const [, file, content = ""] = /^# (config\/\S+\.yaml|\w+\.log)\n(.*)$/s.exec(text) ?? []
        if ((kind === "yaml" || kind === "log") && file !== undefined) write(file, content)
      }
      for (const { kind, text } of blocks) {
        if (kind === "ts") expect(sources(), "code that the page shows").toContain(text)
      }
      const examples = examplesOf(blocks)
      expect(examples.length).toBeGreaterThanOrEqual(count)
      for (const { expected, line } of examples) {
        const argv = words(line).map((word) => isFile(path.join(dir, word)) ? path.join(dir, word) : word)
        const config = composes(argv) ? ["-C", path.join(dir, "config")] : []
        const { stderr, stdout } = yield* autoexp(dir, [...argv, ...config])
        const printed = (stdout + stderr).replaceAll(`${dir}/`, "").replaceAll(dir, ".")
        expect(printed, line).toMatch(pattern(expected, anyTime))
      }
    }),
  60_000
)
