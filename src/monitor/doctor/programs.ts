/** Programs on PATH, and the versions that they say. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { Commands } from "../../port/Commands.ts"
import { type Check, missing, ok, problem } from "./Check.ts"

/** Where `program` stands on a PATH; null if it does not. */
export const onPath = (program: string, search: string): string | null =>
  search.split(":").filter((folder) => folder !== "").map((folder) => path.join(folder, program)).find((file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK)
      return fs.statSync(file).isFile()
    } catch {
      return false
    }
  }) ?? null

/** What a program prints, at most its first 64 KiB, or why it could not be asked. */
export const asked = (
  argv: ReadonlyArray<string>,
  timeoutSeconds: number
): Effect.Effect<{ readonly stdout: string } | { readonly why: string }, never, Commands> =>
  Effect.gen(function*() {
    const commands = yield* Commands
    const { exitCode, stderr, stdout } = yield* commands.run({ argv, cwd: null, env: {}, timeoutSeconds })
    const said = stderr.trim().split("\n").at(-1) ?? ""
    return exitCode === 0 ? { stdout } : { why: said === "" ? `exit code ${exitCode}` : said }
  }).pipe(Effect.catchAll(({ message }) => Effect.succeed({ why: message })))

/** A program that autoexp uses, with the first line of its `--version`. */
export const programCheck = (
  name: string,
  search: string,
  todo: string | null
): Effect.Effect<Check, never, Commands> =>
  Effect.gen(function*() {
    const file = onPath(name, search)
    if (file === null) return missing(name, "not on PATH", todo)
    const answer = yield* asked([file, "--version"], 20)
    return "why" in answer
      ? problem(name, `${file}: ${answer.why}`, `find out why \`${name} --version\` fails`)
      : ok(name, `${file}: ${answer.stdout.trim().split("\n")[0] ?? ""}`)
  })
