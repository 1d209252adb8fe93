/** What a waiting condition asks of the outside world. */
import * as Schema from "effect/Schema"

/** A question to the outside world; its answer returns as a fact. Texts are rendered. */
export const Question = Schema.Union(
  /** `path` is absolute. */
  Schema.Struct({ kind: Schema.Literal("file_exists"), path: Schema.String }),
  /** How a job of this session ends: the session itself answers. */
  Schema.Struct({ kind: Schema.Literal("job_ended"), job: Schema.String }),
  Schema.Struct({
    kind: Schema.Literal("command"),
    argv: Schema.NonEmptyArray(Schema.String),
    /** Null: where the monitor runs. */
    cwd: Schema.NullOr(Schema.String),
    env: Schema.Record({ key: Schema.String, value: Schema.String }),
    /** What means yes: exit code 0, or the integer 1 on standard output (nothing there: exit code 0). */
    answer: Schema.Literal("exit_code", "stdout"),
    /** Seconds between two asks; null: it is asked once, and a no is final. */
    interval_seconds: Schema.NullOr(Schema.Number),
    /** Seconds after which a run is killed, which is a no. */
    timeout_seconds: Schema.Number
  })
)

/** A question, and how long it may stay open. */
export const Asked = Schema.Struct({
  question: Question,
  /** Whether it stays open once the job has ended. */
  waitsAfterJob: Schema.Boolean,
  /** Seconds after which the condition fails; null: no limit of its own. */
  timeoutSeconds: Schema.NullOr(Schema.Number)
})
export type Question = typeof Question.Type
export type Asked = typeof Asked.Type

/** What is waited for, for people. */
export const questionText = (question: Question): string => {
  switch (question.kind) {
    case "file_exists":
      return question.path
    case "job_ended":
      return `the end of job ${question.job}`
    case "command":
      return `a yes of ${question.argv.join(" ")}`
  }
}
