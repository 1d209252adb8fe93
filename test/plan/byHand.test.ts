import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { byHand } from "../../src/plan/byHand.ts"
import type { SweepEntry, SweepFile } from "../../src/plan/sweepFile.ts"

const entry: SweepEntry = {
  index: 3,
  name: "toy_3",
  output_dir: "/o/it's",
  stage: "",
  parameters: {},
  argv: ["train", "$A/x", "$(no)"],
  env: { B: "$A;b" },
  slurm_env: null,
  container_env: null,
  config: {},
  without: []
}
const sweep: SweepFile = {
  version: 1,
  plan_id: "p",
  project: "toy",
  config: {},
  slurm_env: { A: "$(echo a)", TOKEN: "***" },
  container_env: null,
  points: [entry]
}
const told = (file: SweepFile, point: SweepEntry, env: Readonly<Record<string, string>> = { TOKEN: "t" }) =>
  Either.match(byHand("/s.json", file, point, env), {
    onLeft: ({ message }) => message,
    onRight: ({ script }) => script
  })

describe("a point that is started by hand", () => {
  it("is given what its script exports, slurm.env as shell text and all else as data", () => {
    expect(told(sweep, entry)).toBe([
      "mkdir -p '/o/it'\\''s'",
      "export AUTOEXP_JOB=toy_3",
      "export AUTOEXP_INDEX=3",
      "export AUTOEXP_ATTEMPT=0",
      "export AUTOEXP_NONCE=''",
      "export AUTOEXP_PLAN_ID=p",
      "export A=\"$(echo a)\"",
      "export B=\"$A;b\"",
      "exec train \"$A/x\" '$(no)'",
      ""
    ].join("\n"))
  })

  it("has its own slurm.env where it has one", () => {
    expect(told(sweep, { ...entry, slurm_env: { A: "2" } })).toContain("export A=\"2\"\n")
  })

  it("has container.env last, as shell text, its own where it has one", () => {
    const shared = { ...sweep, container_env: { B: "$B:$(echo c)", KEY: "***" } }
    expect(told(shared, entry, { TOKEN: "t", KEY: "k" })).toContain(
      "\nexport B=\"$A;b\"\nexport B=\"$B:$(echo c)\"\nexec "
    )
    expect(told(shared, { ...entry, container_env: { C: "1" } })).toContain(
      "\nexport B=\"$A;b\"\nexport C=\"1\"\nexec "
    )
    expect(told(shared, entry)).toBe(
      "KEY of container.env is a secret, which /s.json does not hold; set it, and run this again."
    )
  })

  it("is not started without a secret that nobody recorded, or from a file that lacks what is exported", () => {
    expect(told(sweep, entry, {})).toBe(
      "TOKEN of slurm.env is a secret, which /s.json does not hold; set it, and run this again."
    )
    expect(told({ ...sweep, slurm_env: null }, entry)).toBe(
      "/s.json was written by an older autoexp, which did not note what jobs export; plan again."
    )
  })
})
