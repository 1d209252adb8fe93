/**
 * kill -9 of the program right at chosen records of the demo's journal; `autoexp monitor` goes on each time. The judge is
 * the trainer's own ledger, outside of autoexp's state.
 */
import * as FastCheck from "effect/FastCheck"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"

const seed = Number(process.env["AUTOEXP_CRASH_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
const preload = `--import=${new URL("./dieAt.mjs", import.meta.url).href}`

/** A place to die at: `after`, `torn` or `before` the n-th record of a type that a process writes. */
type Death = readonly [where: "after" | "torn" | "before", type: string, nth: number]

/** Between a submission's intent and its outcome: the intent is durable, the job is not yet, or already, queued. */
const submitting: ReadonlyArray<Death> = [
  ["after", "SubmissionIntended", 1],
  ["after", "SubmissionIntended", 3],
  ["before", "JobSubmitted", 1],
  ["before", "JobSubmitted", 2],
  ["torn", "JobSubmitted", 3]
]

/** Any record at all: each process writes more than these while there is anything left to do. */
const anywhere: FastCheck.Arbitrary<Death> = FastCheck.tuple(
  FastCheck.constantFrom("after" as const, "torn" as const, "before" as const),
  FastCheck.constant("*"),
  FastCheck.integer({ min: 2, max: 30 })
)

/** Ten deaths for two demos: the submissions first, since later processes submit little. */
const [first = [], second = []] = FastCheck.sample(
  FastCheck.tuple(
    FastCheck.shuffledSubarray([...submitting], { minLength: 2, maxLength: 2 }),
    FastCheck.array(anywhere, { minLength: 3, maxLength: 3 })
  ).map(([early, late]): ReadonlyArray<Death> => [...early, ...late]),
  { seed, numRuns: 2 }
)

const demos: Array<Demo> = []
afterAll(() => Promise.all(demos.map((demo) => demo.remove())))

const surviveAll = async (deaths: ReadonlyArray<Death>, planId: string): Promise<void> => {
  const demo = makeDemo()
  demos.push(demo)
  const died: Array<string> = []
  let args = ["run", "--plan-id", planId]
  for (const death of deaths) {
    const at = death.join(" ")
    const ended = await demo.run(args, {
      NODE_OPTIONS: preload,
      AUTOEXP_DIE_PLAN: planId,
      AUTOEXP_DIE_AT: at
    })
    if (ended.code === "SIGKILL") died.push(at)
    else expect(ended.code, `${at}: ${ended.stderr}${ended.stdout}`).toBe(0)
    args = ["monitor", "--session", planId]
  }
  const ended = await demo.run(args)
  const story = `seed ${seed}, died at ${died.join("; ")}\n${ended.stderr}${ended.stdout}`
  expect(ended.code, story).toBe(0)
  expect(died, story).toHaveLength(deaths.length)

  const starts = demo.starts()
  const training = starts.filter(({ mode }) => mode === "train").map(({ attempt, job }) => `${job} ${attempt}`).sort()
  expect(training, story).toEqual([
    "demo_hang 1",
    "demo_hang 2",
    "demo_healthy 1",
    "demo_nccl 1",
    "demo_nccl 2",
    "demo_slow 1",
    "demo_slow 2"
  ])
  expect(new Set(starts.map(({ nonce }) => nonce)).size, story).toBe(starts.length)

  const journal = demo.journal(planId)
  expect(journal.map(({ seq }) => seq), story).toEqual(journal.map((_, index) => index + 1))
  const finished = journal.filter(({ type }) => type === "JobFinished").map(({ data }) => data["outcome"])
  expect(finished, story).toEqual(["success", "success", "success", "success"])

  // Each line that the rule matches is raised once, queued once, and evaluated once.
  const lines = [
    ...new Set(journal.filter(({ type }) => type === "JobSubmitted").map(({ data }) => String(data["log_path"])))
  ]
    .flatMap((file) => fs.readFileSync(file, "utf8").match(/successfully saved checkpoint from/g) ?? [])
  const raised = journal.filter(({ data, type }) => type === "EventRaised" && data["name"] === "checkpoint_saved")
  expect(raised, story).toHaveLength(lines.length)
  expect(journal.filter(({ type }) => type === "ActionQueued"), story).toHaveLength(lines.length)
  expect(starts.filter(({ mode }) => mode === "eval"), story).toHaveLength(lines.length)
  const reads = journal.filter(({ type }) => type === "LogRead")
  for (const file of new Set(reads.map(({ data }) => String(data["path"])))) {
    const ranges = reads.filter(({ data }) => data["path"] === file).map(({ data }) => [data["from"], data["to"]])
    for (const [index, range] of ranges.entries()) {
      expect(range[0], `${story}\n${path.basename(file)} was read twice or in part`).toBe(
        index === 0 ? 0 : ranges[index - 1]?.[1]
      )
    }
  }
  console.info(story.split("\n")[0])
}

describe(`kill -9 at any record (seed ${seed})`, () => {
  it.concurrent("of one demo leaves every job as it would have ended", () => surviveAll(first, "one"), 400_000)
  it.concurrent("of another demo as well", () => surviveAll(second, "two"), 400_000)
})
