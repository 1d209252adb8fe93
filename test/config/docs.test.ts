/** The examples of docs/configuration.md, run as they stand. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { vi } from "vitest"
import { autoexp, temporary } from "../cli/autoexp.ts"

const page = fs.readFileSync(path.resolve(import.meta.dirname, "../../docs/configuration.md"), "utf8")
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind, text = ""]) => ({ kind, text }))

const isFile = (file: string): boolean => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true

/** Words of a command; the page's overrides need no quotes in bash, which are then part of them. */
const words = (line: string): ReadonlyArray<string> => line.split(" ").filter((word) => word !== "")

/** Spaces are for readers, and `...` stands for any lines. */
const pattern = (text: string): RegExp => {
  const lines = text.trimEnd().split("\n").map((line) =>
    line === "..."
      ? "(?:.*\\n)*?"
      : `${line.trim().split(/ +/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(" +")} *\\n`
  )
  return new RegExp(`^ *${lines.join(" *")}$`)
}

it.scoped("every example of the page on configuration does what the page says", () =>
  Effect.gen(function*() {
    const dir = yield* temporary
    yield* Effect.acquireRelease(
      Effect.sync(() => vi.stubEnv("OUTPUT_DIR", undefined)),
      () => Effect.sync(() => vi.unstubAllEnvs())
    )
    const write = (name: string, text: string) => {
      fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
      fs.writeFileSync(path.join(dir, name), text)
    }
    write("config/job.sbatch", "#!/bin/bash\n{sbatch_directives}\n{env_exports}\nsrun {launcher_cmd}\n")
    for (const { kind, text } of blocks) {
      const [, file, content = ""] = /^# (config\/\S+\.yaml)\n(.*)$/s.exec(text) ?? []
      if (kind === "yaml" && file !== undefined) write(file, content)
    }
    const examples = blocks.filter(({ kind }) => kind === "console")
      .flatMap(({ text }) => text.split(/^\$ autoexp /m).slice(1))
    expect(examples.length).toBeGreaterThan(8)
    for (const example of examples) {
      const [line = "", ...expected] = example.split("\n")
      const argv = words(line).map((word) => isFile(path.join(dir, word)) ? path.join(dir, word) : word)
      const { stderr, stdout } = yield* autoexp(dir, [...argv, "-C", path.join(dir, "config")])
      const printed = (stdout + stderr).replaceAll(`${dir}/`, "")
      expect(printed, line).toMatch(pattern(expected.join("\n")))
    }
  }))
