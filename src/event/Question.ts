/** What a waiting condition asks of the outside world. */
import * as Schema from "effect/Schema"

/** Seconds between two asks of files, where a cycle takes longer; absent: they are asked once a cycle. */
const Interval = Schema.optional(Schema.Number)

/** It is asked once, and a no is final. */
const Once = Schema.optional(Schema.Literal(true))

/** What is asked is the opposite: the answer is yes where it would be no. What nobody can tell stays unanswered. */
const Negated = Schema.optional(Schema.Literal(true))

/** A question with an answer of its own; it returns as a fact. Texts are rendered. */
const Single = Schema.Union(
  Schema.Struct({
    kind: Schema.Literal("file_exists"),
    path: Schema.String,
    interval_seconds: Interval,
    once: Once,
    negated: Negated
  }),
  /** Whether at least so many files match: `*`, `?` and `[…]` within the parts of a path. */
  Schema.Struct({
    kind: Schema.Literal("files_match"),
    pattern: Schema.String,
    at_least: Schema.Int,
    interval_seconds: Interval,
    once: Once,
    negated: Negated
  }),
  /** Whether a line of the file holds the text, or what the pattern finds. `lines`: only its last ones; null: all. */
  Schema.Struct({
    kind: Schema.Literal("file_contains"),
    path: Schema.String,
    pattern: Schema.String,
    regex: Schema.Boolean,
    lines: Schema.NullOr(Schema.Int),
    interval_seconds: Interval,
    once: Once,
    negated: Negated
  }),
  /**
   * Answered yes when so many seconds have passed: a timer's fact. Negated it holds until then, and is answered by no:
   * among others it bounds how long they may take.
   */
  Schema.Struct({ kind: Schema.Literal("delay"), seconds: Schema.Number, negated: Negated }),
  /** How a job of this session ends: the session itself answers. `outcomes`: those that mean yes. */
  Schema.Struct({
    kind: Schema.Literal("job_ended"),
    job: Schema.String,
    outcomes: Schema.optional(Schema.Array(Schema.String))
  }),
  /** Whether all or any of these jobs of the session are in one of the states: the session itself answers. */
  Schema.Struct({
    kind: Schema.Literal("job_state"),
    jobs: Schema.Array(Schema.String),
    states: Schema.Array(Schema.String),
    mode: Schema.Literal("all", "any")
  }),
  Schema.Struct({
    kind: Schema.Literal("command"),
    argv: Schema.NonEmptyArray(Schema.String),
    /** Null: where the monitor runs. */
    cwd: Schema.NullOr(Schema.String),
    env: Schema.Record({ key: Schema.String, value: Schema.String }),
    /**
     * What means yes: exit code 0; the integer 1 on standard output (nothing there: exit code 0); or 1 as the integer on
     * standard output, or as the exit code where no integer stands there (`value`).
     */
    answer: Schema.Literal("exit_code", "stdout", "value"),
    /** Seconds between two asks; null: it is asked once, and a no is final. */
    interval_seconds: Schema.NullOr(Schema.Number),
    /** Seconds after which a run is killed, which is a no. */
    timeout_seconds: Schema.Number,
    negated: Negated
  })
)

/** Several questions at once, which all or of which any must be answered by yes. */
interface Several {
  readonly kind: "several"
  readonly mode: "all" | "any"
  readonly of: ReadonlyArray<Asked>
}

export type Question = typeof Single.Type | Several

/** A question, and how long it may stay open. */
export interface Asked {
  readonly question: Question
  /** Whether it stays open once the job has ended. */
  readonly waitsAfterJob: boolean
  /** Seconds after which it is answered by no; null: no limit of its own. */
  readonly timeoutSeconds: number | null
}

const Several = Schema.Struct({
  kind: Schema.Literal("several"),
  mode: Schema.Literal("all", "any"),
  of: Schema.Array(Schema.suspend((): Schema.Schema<Asked> => Asked))
})

export const Asked: Schema.Schema<Asked> = Schema.Struct({
  question: Schema.Union(Single, Several),
  waitsAfterJob: Schema.Boolean,
  timeoutSeconds: Schema.NullOr(Schema.Number)
})

/** A question that can be answered by itself. */
export interface Part extends Asked {
  readonly question: typeof Single.Type
}

/** The single questions of one, in their order: an answer names its part by the position here. */
export const partsOf = (asked: Asked): ReadonlyArray<Part> =>
  asked.question.kind === "several" ? asked.question.of.flatMap(partsOf) : [{ ...asked, question: asked.question }]

/** The same, its files asked once a cycle: as sessions of the first behaviour do. */
export const withoutIntervals = (asked: Asked): Asked => {
  const { question } = asked
  switch (question.kind) {
    case "file_exists":
    case "files_match": {
      const { interval_seconds: _, ...rest } = question
      return { ...asked, question: rest }
    }
    case "several":
      return { ...asked, question: { ...question, of: question.of.map(withoutIntervals) } }
    default:
      return asked
  }
}

/** No answer of a question that is asked once takes longer: seconds. */
const patience = 600

/** The same, answered by what is so now; null: by no, since it would have to be waited for. */
export const askedOnce = (asked: Asked): Asked | null => {
  const { question } = asked
  const now = {
    waitsAfterJob: true,
    timeoutSeconds: asked.timeoutSeconds === null ? patience : Math.min(patience, asked.timeoutSeconds)
  }
  switch (question.kind) {
    case "delay":
      return question.negated === true ? asked : null
    case "job_ended":
    case "job_state":
      return null
    case "command":
      return { ...now, question: { ...question, interval_seconds: null } }
    case "file_exists": {
      const { interval_seconds: _, ...rest } = question
      return { ...now, question: { ...rest, once: true } }
    }
    case "files_match": {
      const { interval_seconds: _, ...rest } = question
      return { ...now, question: { ...rest, once: true } }
    }
    case "file_contains": {
      const { interval_seconds: _, ...rest } = question
      return { ...now, question: { ...rest, once: true } }
    }
    case "several": {
      const of = question.of.map(askedOnce)
      const known = of.filter((one) => one !== null)
      return known.length === 0 || (question.mode === "all" && known.length < of.length)
        ? null
        : { ...asked, question: { ...question, of: known } }
    }
  }
}

export interface Answer {
  readonly holds: boolean
  readonly why: string
}

/** The answer to the whole by those to its parts so far; null: not yet. */
export const settle = (asked: Asked, answers: ReadonlyMap<number, Answer>): Answer | null => {
  const from = { part: 0 }
  return settleFrom(asked, answers, from)
}

const settleFrom = (asked: Asked, answers: ReadonlyMap<number, Answer>, at: { part: number }): Answer | null => {
  const { question } = asked
  if (question.kind !== "several") {
    const part = at.part
    at.part += 1
    return answers.get(part) ?? untilThen(asked)
  }
  return combine(question.mode, question.of.map((one) => settleFrom(one, answers, at)))
}

/** What holds as long as no time is up. */
export const untilThen = ({ question }: Asked): Answer | null =>
  question.kind === "delay" && question.negated === true
    ? { holds: true, why: `${question.seconds} s have not passed` }
    : null

/** All or any of several answers; null where one that is not there yet may decide. */
export const combine = (mode: "all" | "any", answers: ReadonlyArray<Answer | null>): Answer | null => {
  const decisive = answers.find((answer) => answer !== null && answer.holds === (mode === "any"))
  if (decisive !== undefined) return decisive
  if (answers.some((answer) => answer === null)) return null
  return { holds: mode === "all", why: answers.map((answer) => answer?.why ?? "").join("; ") || `${mode} of none` }
}

/** What is waited for, for people. */
export const questionText = (question: Question): string => {
  const no = "negated" in question && question.negated === true ? "no " : ""
  switch (question.kind) {
    case "file_exists":
      return `${no}${question.path}`
    case "files_match":
      return `${no}${question.at_least === 1 ? "a file" : `${question.at_least} files`} ${question.pattern}`
    case "file_contains":
      return `${no}a line with ${question.pattern} in ${question.path}`
    case "delay":
      return `${question.negated === true ? "at most " : ""}${question.seconds} s to pass`
    case "job_ended":
      return `the end of job ${question.job}`
    case "job_state":
      return `${question.mode === "any" && question.jobs.length > 1 ? "any of " : ""}${
        question.jobs.join(", ")
      } to be ${question.states.join(" or ")}`
    case "command":
      return `a ${question.negated === true ? "no" : "yes"} of ${question.argv.join(" ")}`
    case "several":
      return question.of.map((one) => questionText(one.question)).join(question.mode === "all" ? " and " : " or ")
  }
}
