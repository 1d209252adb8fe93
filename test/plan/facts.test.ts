import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { gitFacts } from "../../src/plan/facts.ts"
import { CommandFailedError, Commands } from "../../src/port/Commands.ts"
import { folder, run } from "./shells.ts"

const identity = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b" }

const commands = Layer.succeed(Commands, {
  run: ({ argv, cwd, env }) =>
    Effect.promise(async () => {
      const { code, stderr, stdout } = await run(["env", "-C", cwd ?? ".", ...argv], { ...env, HOME: cwd ?? "" })
      return { exitCode: code, stdout, stderr }
    })
})

const facts = (home: string, layer = commands) => Effect.runPromise(Effect.provide(gitFacts(home), layer))

const git = (home: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("git", [...args], { cwd: home, env: { ...process.env, ...identity, HOME: home }, encoding: "utf8" })
    .trim()

const unknown = { commit: "unknown", dirty: null, status: "", diff: "" }

describe("the state of the code", () => {
  it("is commit, changed files and their diff", async () => {
    const home = folder()
    git(home, "init", "-q")
    fs.writeFileSync(path.join(home, "a.txt"), "one\n")
    git(home, "add", "a.txt")
    git(home, "commit", "-q", "-m", "first")
    const commit = git(home, "rev-parse", "HEAD")
    expect(await facts(home)).toEqual({ commit, dirty: false, status: "", diff: "" })
    fs.writeFileSync(path.join(home, "a.txt"), "two\n")
    expect(await facts(home)).toEqual({
      commit,
      dirty: true,
      status: " M a.txt\n",
      diff: expect.stringContaining("-one\n+two\n")
    })
  })

  it("is unknown without a repository, a commit, or git", async () => {
    const home = folder()
    expect(await facts(home)).toEqual(unknown)
    git(home, "init", "-q")
    expect(await facts(home)).toEqual(unknown)
    const none = Layer.succeed(Commands, {
      run: ({ argv }) => Effect.fail(new CommandFailedError({ command: [...argv], message: "no git" }))
    })
    expect(await facts(home, none)).toEqual(unknown)
  })
})
