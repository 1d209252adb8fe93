import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { readSacct, readSbatch, readScontrol, readSqueue, type Row } from "../../src/backend/slurm/answers.ts"
import { commandWords } from "../../src/backend/slurm/commandWords.ts"
import { covers, parseJobId } from "../../src/backend/slurm/jobIds.ts"
import { judgeRefusal } from "../../src/backend/slurm/refusal.ts"
import { fixture } from "../slurm/support/fixtures.ts"

const rows = (read: Either.Either<ReadonlyArray<Row>, string>): ReadonlyArray<Row> => Either.getOrThrow(read)
const brief = ({ id, name, state, tasks }: Row) => [
  id,
  tasks instanceof Set ? [...tasks].join() : tasks,
  state.word,
  name
]

describe("a job id", () => {
  const set = (...tasks: ReadonlyArray<number>) => new Set(tasks)
  it.each([
    ["14", { id: "14", tasks: null, component: 0, step: null }],
    ["15_3", { id: "15", tasks: set(3), component: 0, step: null }],
    ["1_[3-5%2]", { id: "1", tasks: set(3, 4, 5), component: 0, step: null }],
    ["1_[1,4-6%2]", { id: "1", tasks: set(1, 4, 5, 6), component: 0, step: null }],
    ["1_[0-20:10]", { id: "1", tasks: set(0, 10, 20), component: 0, step: null }],
    ["1_[0,2,4,6,...]", { id: "1", tasks: "rest", component: 0, step: null }],
    ["1_[0,2,4,6,...", { id: "1", tasks: "rest", component: 0, step: null }],
    ["1_4294967294", { id: "1", tasks: null, component: 0, step: null }],
    ["1+0", { id: "1", tasks: null, component: 0, step: null }],
    ["11+1", { id: "11", tasks: null, component: 1, step: null }],
    ["14.batch", { id: "14", tasks: null, component: 0, step: "batch" }],
    ["15_3.0", { id: "15", tasks: set(3), component: 0, step: "0" }],
    ["18446744073709551615", { id: "18446744073709551615", tasks: null, component: 0, step: null }],
    ["99;cluster", { id: "99", tasks: null, component: 0, step: null }]
  ])("%s", (text, expected) => expect(parseJobId(text)).toEqual(expected))

  it.each(["", "lines.1.a6", "1_[", "1_[3-1]", "1_x", "JOBID", "-3", "1.5.2"])("is not %j", (text) => {
    expect(parseJobId(text)).toBeNull()
  })

  it("of a cut list may be about any task", () => {
    expect([covers("rest", 7), covers(new Set([1]), 7), covers(new Set([7]), 7), covers(null, null)]).toEqual([
      1,
      0,
      2,
      2
    ])
  })
})

describe("squeue's answer", () => {
  it("is read whatever a job is called", () => {
    const early = rows(readSqueue(fixture("squeue-early")))
    expect(early.map(brief)).toEqual([
      ["15", null, "COMPLETED", "ok.1.a3"],
      ["14", null, "FAILED", "fail.1.a2"],
      ["18", null, "FAILED", "two\nlines.1.a6"],
      ["19", null, "FAILED", "nolog.1.a7"],
      ...[3, 4, 5, 6].map((task) => ["16", `${task}`, "PENDING", "arr.1.a4"]),
      ["17", null, "PENDING", "a, b|c.1.a5"],
      ["13", null, "RUNNING", "run.1.a1"],
      ["16", "1", "RUNNING", "arr.1.a4"],
      ["16", "2", "RUNNING", "arr.1.a4"]
    ])
    expect(early.at(-3)).toMatchObject({ start: "2026-11-23T17:10:33.000Z", end: null, nodes: "n1", reason: null })
    expect(early[1]).toMatchObject({ end: "2026-11-23T17:10:33.000Z", reason: "NonZeroExitCode" })
  })

  it("may know no job", () => expect(readSqueue(fixture("squeue-empty"))).toEqual(Either.right([])))

  it("that is empty, cut or another format is no answer", () => {
    const whole = fixture("squeue-early")
    for (let length = 0; length < whole.length; length++) {
      const read = readSqueue(whole.slice(0, length))
      // Cut behind a record it cannot be told from a whole one: that is why the exit code counts too.
      if (Either.isRight(read)) expect(whole.slice(0, length)).toSatisfy((cut: string) => cut.endsWith("\u001f\n"))
    }
    for (const text of ["", "\n", "15 RUNNING\n", "slurm_load_jobs error: Unable to contact slurm controller\n"]) {
      expect(readSqueue(text)).toEqual(Either.left("squeue answered without a header"))
    }
  })

  it("may come from another cluster, which stands before it", () => {
    expect(rows(readSqueue(`CLUSTER: other\n${fixture("squeue-early")}`))).toHaveLength(12)
  })
})

describe("sacct's answer", () => {
  it("is read whatever a job is called, requeued runs apart", () => {
    expect(rows(readSacct(fixture("sacct-later"))).map(brief)).toEqual([
      ["13", null, "REQUEUED", "run.1.a1"],
      ["14", null, "FAILED", "fail.1.a2"],
      ["15", null, "COMPLETED", "ok.1.a3"],
      ["17", null, "CANCELLED", "a, b|c.1.a5"],
      ["18", null, "FAILED", "two"],
      ["19", null, "FAILED", "nolog.1.a7"],
      ["16", "1", "RUNNING", "arr.1.a4"],
      ["16", "2", "RUNNING", "arr.1.a4"],
      ["16", null, "CANCELLED", "arr.1.a4"],
      ["13", null, "RUNNING", "run.1.a1"]
    ])
  })

  it("has exit codes and signals, and no name while it is a placeholder", () => {
    const early = rows(readSacct(fixture("sacct-early")))
    expect(early.map(({ exitCode, id, name, signal }) => [id, name, exitCode, signal])).toEqual([
      ["13", "", 0, null],
      ["14", "", 3, null],
      ["15", "", 0, null],
      ["18", "", 0, 9],
      ["19", "", 0, 53]
    ])
  })

  it("that is empty or cut is no answer", () => {
    const whole = fixture("sacct-gone")
    for (const text of ["", whole.slice(0, -1), whole.slice(0, 5), whole.slice(20)]) {
      expect(Either.isLeft(readSacct(text))).toBe(true)
    }
  })
})

describe("scontrol's answer", () => {
  it("tells what squeue does not", () => {
    expect(rows(readScontrol(fixture("scontrol-failed")))).toMatchObject([{
      id: "14",
      tasks: null,
      name: "fail.1.a2",
      state: { word: "FAILED" },
      exitCode: 3,
      signal: null,
      reason: "NonZeroExitCode",
      nodes: "n1",
      end: "2026-11-23T17:10:33.000Z"
    }])
  })

  it("has array tasks by their own numbers, and arrays whose waiting tasks are gone by none", () => {
    const arrays = rows(readScontrol(fixture("scontrol-all"))).filter(({ id }) => id === "16")
    expect(arrays.map(brief)).toEqual([
      ["16", "1", "RUNNING", "arr.1.a4"],
      ["16", "2", "RUNNING", "arr.1.a4"],
      ["16", null, "CANCELLED", "arr.1.a4"]
    ])
  })
})

describe("sbatch's answer", () => {
  it.each([
    ["98\n", { id: "98", cluster: null }],
    ["98;lumi\n", { id: "98", cluster: "lumi" }],
    ["Welcome! 3 nodes ok\n12345;cluster\n", { id: "12345", cluster: "cluster" }]
  ])("%j", (text, expected) => expect(readSbatch(text)).toEqual(expected))

  it.each(["", "2 nodes ok\n", "Submitted batch job 7\n", "7\n8\n", "abc\n"])("W-23: tells no id in %j", (text) => {
    expect(readSbatch(text)).toBeNull()
  })

  it.each([
    [
      1,
      "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
      "refused"
    ],
    [255, "sbatch: unrecognized option '--nosuch'\nTry \"sbatch --help\" for more information", "refused"],
    [1, "sbatch: error: This does not look like a batch script.  The first", "refused"],
    [
      1,
      "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates " +
      "accounting/QOS policy (job submit limit, user's size and/or time limits)",
      "not now"
    ],
    [
      1,
      "sbatch: error: QOSMaxWallDurationPerJobLimit\nsbatch: error: Batch job submission failed: Job violates " +
      "accounting/QOS policy (job submit limit, user's size and/or time limits)",
      "refused"
    ],
    [1, "sbatch: error: Batch job submission failed: Requested operation is presently disabled", "not now"],
    [
      1,
      "sbatch: error: Batch job submission failed: Required partition not available (inactive or drain)",
      "not now"
    ],
    [1, "sbatch: error: Batch job submission failed: Resource temporarily unavailable", "not now"],
    [
      1,
      "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates " +
      "accounting/QOS policy (job submit limit, user's size and/or time limits)",
      "not now"
    ],
    [1, "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", "not now"],
    [1, "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", "unclear"],
    [1, "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", "unclear"],
    [
      1,
      "sbatch: error: Munge encode failed: Failed to access\nsbatch: error: Batch job submission failed: Protocol " +
      "authentication error",
      "unclear"
    ],
    [1, "sbatch: error: Batch job submission failed: Unexpected message received", "unclear"],
    [137, "sbatch: error: something", "unclear"],
    [1, "", "unclear"],
    [1, "bash: line 3: wrapper failed", "unclear"]
  ])("with exit code %i and %j is %s", (exitCode, stderr, verdict) => {
    expect(judgeRefusal(exitCode, stderr)).toBe(verdict)
  })
})

describe("a command of the configuration", () => {
  it.each([
    ["sbatch", ["sbatch"]],
    ["  sbatch   --qos=x ", ["sbatch", "--qos=x"]],
    ["/opt/my\\ tools/sbatch '--comment=a b' --x=\"c \\\"d\\\"\"", [
      "/opt/my tools/sbatch",
      "--comment=a b",
      "--x=c \"d\""
    ]],
    ["'' x", ["", "x"]]
  ])("%s", (text, expected) => expect(commandWords(text)).toEqual(expected))

  it.each(["", "  ", "sbatch 'open", "sbatch \"open"])("is not %j", (text) => expect(commandWords(text)).toBeNull())
})
