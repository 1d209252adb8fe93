import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Number } from "../../backend/Value.ts"
import { render, renderAll, renderShell } from "../render.ts"
import { Ask, Fail, type Judge } from "../Verdict.ts"

/**
 * Passes once a command says yes; it runs beside the monitor and holds up nobody.
 * `command`: an argument vector, each element a template rendered to exactly one argument; or a text for `sh`, in which
 * each `{name}` becomes a reference to an environment variable that holds the value: quote it like any variable.
 * `interval_seconds`: it is asked again that long after a no. Without it one answer decides, where an event's rule asks;
 * start and cancel conditions of jobs are asked every 60 s then.
 * `timeout_seconds`: a run is killed then, which is a no. `cwd`: where it runs; where the monitor runs if not given.
 * `answer`: what means yes: exit code 0 (`exit_code`), or the number 1 on standard output (`stdout`; if nothing is
 * printed, exit code 0).
 */
export const CommandCondition = Schema.Struct({
  class_name: Schema.Literal("CommandCondition"),
  command: Schema.Union(Schema.NonEmptyArray(Schema.String), Schema.NonEmptyString),
  interval_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null }),
  timeout_seconds: Schema.optionalWith(Number, { default: () => 60 }),
  cwd: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  answer: Schema.optionalWith(Schema.Literal("exit_code", "stdout"), { default: () => "exit_code" as const })
})

/** Seconds between two asks where a job waits and no interval is given. */
const gateInterval = 60

/** An interval or time-out of zero would keep the machine busy, or kill every run. */
const atLeastOne = (seconds: number): number => Math.max(1, seconds)

export const judge: Judge<typeof CommandCondition.Type> = (condition, { gate, metadata }) =>
  Either.match(
    Either.gen(function*() {
      const { command } = condition
      const cwd = condition.cwd === null ? null : yield* render(condition.cwd, metadata)
      if (typeof command === "string") {
        const { env, text } = yield* renderShell(command, metadata)
        return { argv: ["sh", "-c", text] as const, cwd, env }
      }
      const [program, ...rest] = command
      return { argv: [yield* render(program, metadata), ...yield* renderAll(rest, metadata)] as const, cwd, env: {} }
    }),
    {
      onLeft: (error) => Fail(error.message),
      onRight: (run) => {
        const interval = condition.interval_seconds ?? (gate ? gateInterval : null)
        return Ask({
          question: {
            kind: "command",
            ...run,
            answer: condition.answer,
            interval_seconds: interval === null ? null : atLeastOne(interval),
            timeout_seconds: atLeastOne(condition.timeout_seconds)
          },
          waitsAfterJob: false,
          timeoutSeconds: null
        })
      }
    }
  )
