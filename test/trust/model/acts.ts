/** What may happen in the world, as plain values that fast-check makes up and cuts down. */
import * as fc from "fast-check"
import type { Death } from "../memoryDisk.ts"
import type { Asked, End, Limits } from "./JobModel.ts"

/** A line by what it means: `ahead` is by how much an iteration is more than the best one before. */
export type Said =
  | { readonly says: "iteration"; readonly ahead: number }
  | { readonly says: "saved" | "nothing" }
  | { readonly says: "error" | "hang"; readonly what: string }

/** Pieces in which a text arrives: where it is cut, in thousandths, and whether time passes between two pieces. */
export interface Pieces {
  readonly cuts: ReadonlyArray<number>
  readonly slowly: boolean
}

export type Act =
  | { readonly act: "print"; readonly job: string; readonly lines: ReadonlyArray<Said>; readonly pieces: Pieces }
  | {
    readonly act: "end"
    readonly job: string
    readonly lines: ReadonlyArray<Said>
    /** Whether the last line lacks its end. */
    readonly torn: boolean
    readonly end: End
  }
  | { readonly act: "requeue"; readonly job: string; readonly unseen: boolean }
  | { readonly act: "revive" | "forget" | "refuse" | "omit"; readonly job: string }
  | { readonly act: "ask"; readonly job: string; readonly asked: Asked }
  /** The same request file once more. */
  | { readonly act: "again"; readonly which: number }
  | { readonly act: "failQueries"; readonly count: number }
  | { readonly act: "loseAnswer" | "failSubmit" }
  | { readonly act: "die"; readonly after: number; readonly as: Death; readonly absent: number }
  | { readonly act: "jump"; readonly seconds: number }
  | { readonly act: "pass"; readonly ticks: number }

export const jobs = ["a", "b", "c"] as const

const job = fc.constantFrom(...jobs)
const what = fc.constantFrom("alpha", "beta")

const quiet: fc.Arbitrary<Said> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ says: fc.constant("iteration" as const), ahead: fc.integer({ min: -2, max: 2 }) })
  },
  { weight: 1, arbitrary: fc.record({ says: fc.constantFrom("saved" as const, "nothing" as const) }) }
)
const error: fc.Arbitrary<Said> = fc.record({ says: fc.constant("error" as const), what })
const hang: fc.Arbitrary<Said> = fc.record({ says: fc.constant("hang" as const), what })

const pieces = fc.record({ cuts: fc.array(fc.integer({ min: 0, max: 999 }), { maxLength: 4 }), slowly: fc.boolean() })

const printed = fc.oneof(
  fc.array(fc.oneof({ weight: 3, arbitrary: quiet }, { weight: 1, arbitrary: error }), { minLength: 1, maxLength: 4 }),
  fc.tuple(fc.array(quiet, { maxLength: 2 }), fc.array(fc.oneof(hang, hang, error), { minLength: 1, maxLength: 3 }))
    .map(([before, after]) => [...before, ...after])
)

const failed = (exitCode: number): End => ({ state: "FAILED", exitCode })
const end: fc.Arbitrary<End> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(failed(1)) },
  { weight: 3, arbitrary: fc.constant(failed(2)) },
  { weight: 1, arbitrary: fc.constant(failed(93)) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...(["TIMEOUT", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "CANCELLED", "COMPLETED"] as const)
    ).map((state) => ({ state, exitCode: 0 }))
  }
)

const asked: fc.Arbitrary<Asked> = fc.constantFrom(
  "job_restart",
  "job_restart",
  "job_cancel",
  "job_ack",
  "job_hold",
  "job_release"
)

const of = <A extends Act["act"]>(act: A) => fc.constant(act)

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 14, arbitrary: fc.record({ act: of("print"), job, lines: printed, pieces }) },
  {
    weight: 40,
    arbitrary: fc.record({
      act: of("end"),
      job,
      lines: fc.array(fc.oneof({ weight: 2, arbitrary: quiet }, { weight: 1, arbitrary: error }), { maxLength: 2 }),
      torn: fc.boolean(),
      end
    })
  },
  { weight: 5, arbitrary: fc.record({ act: of("requeue"), job, unseen: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ act: of("revive"), job }) },
  { weight: 3, arbitrary: fc.record({ act: of("forget"), job }) },
  { weight: 1, arbitrary: fc.record({ act: of("refuse"), job }) },
  { weight: 2, arbitrary: fc.record({ act: of("omit"), job }) },
  { weight: 18, arbitrary: fc.record({ act: of("ask"), job, asked }) },
  { weight: 4, arbitrary: fc.record({ act: of("again"), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ act: of("failQueries"), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom("loseAnswer" as const, "failSubmit" as const) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      act: of("die"),
      after: fc.nat(40),
      as: fc.constantFrom<Death>("crash", "crash", "power cut"),
      absent: fc.nat(4)
    })
  },
  { weight: 4, arbitrary: fc.record({ act: of("jump"), seconds: fc.constantFrom(-3, -1, 2, 40, 3600) }) },
  { weight: 6, arbitrary: fc.record({ act: of("pass"), ticks: fc.integer({ min: 1, max: 4 }) }) }
)

const limit = (max: number) => fc.oneof(fc.constant(null), fc.integer({ min: 0, max }), fc.integer({ min: 1, max }))

export const limits: fc.Arbitrary<Limits> = fc.record({
  hang: limit(3),
  crash: limit(4),
  timeout: limit(3),
  fingerprint: limit(3),
  noProgress: limit(3),
  total: fc.oneof(fc.constant(null), fc.integer({ min: 2, max: 6 })),
  progressIsTold: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) })
})

const saying = (lines: ReadonlyArray<Said>) => (end: End) => (job: string): Act => ({
  act: "end",
  job,
  lines,
  torn: false,
  end
})

/** The same failure again and again: only that uses a budget up. */
const failures: fc.Arbitrary<ReadonlyArray<Act>> = fc.record({
  job,
  times: fc.integer({ min: 2, max: 5 }),
  as: fc.constantFrom(
    saying([])(failed(1)),
    saying([{ says: "nothing" }])(failed(1)),
    saying([{ says: "iteration", ahead: 0 }])(failed(2)),
    saying([{ says: "error", what: "alpha" }])(failed(1)),
    saying([])({ state: "TIMEOUT", exitCode: 0 })
  )
}).map(({ as, job, times }) => Array.from({ length: times }, () => as(job)))

/** What an operator and an administrator do to one job without knowing of each other. */
const crossing: fc.Arbitrary<ReadonlyArray<Act>> = fc.record({ job, end }).map(({ end, job }) => [
  { act: "ask", job, asked: "job_hold" },
  saying([])(end)(job),
  { act: "revive", job },
  { act: "ask", job, asked: "job_release" }
])

/** A job that fails, comes further, is lost, and fails as before. */
const losing: fc.Arbitrary<ReadonlyArray<Act>> = fc.record({ job, times: fc.integer({ min: 1, max: 3 }) }).map((
  { job, times }
) => [
  ...Array.from({ length: times }, () => saying([{ says: "nothing" }])(failed(1))(job)),
  { act: "print", job, lines: [{ says: "iteration", ahead: 1 }], pieces: { cuts: [], slowly: false } },
  { act: "forget", job },
  saying([{ says: "nothing" }])(failed(1))(job)
])

/** A job that hangs, and ends in some way before or after somebody did something about it. */
const hanging: fc.Arbitrary<ReadonlyArray<Act>> = fc.record({
  job,
  said: fc.array(fc.oneof(hang, hang, error), { minLength: 1, maxLength: 3 }),
  end: fc.oneof(end, fc.constantFrom(failed(93), { state: "COMPLETED" as const, exitCode: 0 })),
  ticks: fc.nat(1)
}).map(({ end, job, said, ticks }) => [
  { act: "print", job, lines: said, pieces: { cuts: [], slowly: false } },
  { act: "pass", ticks },
  saying([])(end)(job)
])

export const courses: fc.Arbitrary<ReadonlyArray<Act>> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: acts.map((act) => [act]) },
    { weight: 3, arbitrary: failures },
    { weight: 1, arbitrary: crossing },
    { weight: 1, arbitrary: hanging },
    { weight: 1, arbitrary: losing }
  ),
  { minLength: 10, maxLength: 30 }
).map((parts) => parts.flat())
