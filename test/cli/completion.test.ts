import { describe, expect, it } from "vitest"
import { candidates } from "../../src/cli/completion/candidates.ts"

/** What is offered where the last word of the line ends. */
const offered = (line: string) => {
  const { kept, sources, typed, words } = candidates(line.split(" ").slice(1))
  return { kept, typed, sources, words: words.map(({ word }) => word).filter((word) => word.startsWith(typed)) }
}

describe("the word that is being typed", () => {
  it("is a command, or the next word of one", () => {
    expect(offered("autoexp re").words).toEqual(["replay"])
    expect(offered("autoexp journal ").words).toEqual(["verify", "repair", "export", "compact"])
    expect(offered("autoexp comp").words).toEqual(["completion"])
  })

  it("is an option that the command takes and that does not stand there yet", () => {
    expect(offered("autoexp job logs --").words).toEqual(
      expect.arrayContaining(["--session", "--job", "--follow", "--help"])
    )
    expect(offered("autoexp job logs --follow --session s --job a --").words).not.toEqual(
      expect.arrayContaining(["--follow"])
    )
    expect(offered("autoexp job logs --session s --se").words).toEqual([])
    expect(offered("autoexp job logs --job a --jo").words).toEqual(["--job"])
    expect(offered("autoexp --").words).toEqual(["--help", "--version"])
  })

  it("is the value of the option before it, tied to it or not", () => {
    expect(offered("autoexp run --config-ref ")).toMatchObject({ sources: ["configs"], words: [] })
    expect(offered("autoexp run -C ")).toMatchObject({ sources: ["folders"] })
    expect(offered("autoexp run --manifest=out/")).toMatchObject({
      sources: ["files"],
      kept: "--manifest=",
      typed: "out/"
    })
    expect(offered("autoexp status --format=c")).toMatchObject({ kept: "--format=", words: ["csv"] })
  })

  it("is a job of the session that was named, or an override", () => {
    const { given, sources } = candidates(["status", "--session", "abc", ""])
    expect([sources, given.get("session")]).toEqual([["jobs"], "abc"])
    expect(offered("autoexp run --dry-run slu")).toMatchObject({ sources: ["overrides"], typed: "slu" })
    expect(offered("autoexp config validate ")).toMatchObject({ sources: ["configs", "overrides"] })
  })

  it("is a file behind the command that an image runs, and nothing where nothing fits", () => {
    expect(offered("autoexp container run -- python tr")).toMatchObject({ sources: ["files"] })
    expect(offered("autoexp doctor --smoke=")).toMatchObject({ sources: [], words: [] })
    expect(offered("autoexp run --bogus ")).toMatchObject({ sources: ["overrides"] })
    expect(offered("autoexp session list ")).toMatchObject({ sources: [], words: [] })
  })
})
