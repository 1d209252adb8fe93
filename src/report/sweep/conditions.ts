/** Conditions of jobs as words. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Condition } from "../../action/conditions.ts"
import { pyStr } from "../../backend/python.ts"
import { isList, type Value } from "../../backend/Value.ts"
import type { EncodedCondition } from "../../event/PlannedJob.ts"
import { JobOutcome } from "../../event/terms.ts"

const decode = Schema.decodeUnknownEither(Condition)

/** The condition as words that follow "when"; `named` says what a job is called there. */
export const inWords = (encoded: EncodedCondition, named: (job: string) => string): string =>
  Either.match(decode(encoded), {
    onLeft: () => encoded.class_name,
    onRight: (condition) => words(condition, named)
  })

const several = (conditions: ReadonlyArray<Condition>, by: string, named: (job: string) => string): string => {
  const all = conditions.map((one) => words(one, named))
  return all.length === 1 ? all.join() : `(${all.join(by)})`
}

const words = (condition: Condition, named: (job: string) => string): string => {
  switch (condition.class_name) {
    case "AlwaysTrueCondition":
      return "always"
    case "CommandCondition": {
      const { command, interval_seconds: interval } = condition
      const text = typeof command === "string" ? command : command.join(" ")
      return `\`${text}\` says yes (asked every ${interval ?? 60} s)`
    }
    case "CompositeCondition":
      return several(condition.conditions, condition.mode === "all" ? " and " : " or ", named)
    case "AndCondition":
      return several(condition.conditions, " and ", named)
    case "OrCondition":
      return several(condition.conditions, " or ", named)
    case "NotCondition":
      return `not ${words(condition.condition, named)}`
    case "CooldownCondition":
      return `${condition.cooldown_seconds} s have passed`
    case "ElapsedTimeCondition":
      return condition.since === "attempt"
        ? `the attempt has run for ${condition.elapsed_seconds} s`
        : `${condition.elapsed_seconds} s have passed`
    case "EvidenceCondition": {
      const what = [...condition.error_types, ...condition.events].join(" or ")
      return `the attempt has ${condition.seen ? "" : "not "}shown ${what}`
    }
    case "FileContentCondition":
      return `a line of ${condition.path} holds ${condition.pattern}`
    case "GlobExistsCondition": {
      const { blocking, min_matches: least, pattern, timeout_seconds: timeout } = condition
      const given = blocking && timeout > 0 ? ` (given up after ${timeout} s)` : ""
      return `${least === 1 ? "a file" : `${least} files`} ${pattern} ${least === 1 ? "exists" : "exist"}${given}`
    }
    case "FileExistsCondition": {
      const { blocking, path, timeout_seconds: timeout } = condition
      return `${path} exists${blocking && timeout > 0 ? ` (given up after ${timeout} s)` : ""}`
    }
    case "JobCondition":
      return `${named(condition.job)} has ended as ${outcomesText(condition.outcomes)}`
    case "JobStateCondition": {
      const jobs = [
        ...condition.job === null ? [] : [named(condition.job)],
        ...condition.stage === null ? [] : [`phase ${condition.stage}`]
      ].join(" in ")
      const states = typeof condition.state === "string" ? [condition.state] : condition.state
      return `${condition.mode === "any" ? "any of " : ""}${jobs} is ${states.join(" or ")}`
    }
    case "LogPatternCondition":
      return `the end of ${condition.log_path} holds ${condition.pattern}`
    case "ShellCommandCondition":
      return `\`${condition.command}\` says yes (asked every ${condition.interval_seconds} s)`
    case "SlurmStateCondition":
      return `${named(condition.job_name)} is ${condition.state}`
    case "TimeoutCondition":
      return `${condition.timeout_seconds} s have not passed`
    case "MaxAttemptsCondition":
      return `it has had fewer than ${condition.max_attempts} attempts`
    case "MetadataCondition":
      return `its ${condition.key} is ${valueText(condition.equals)}`
    case "ProgressCondition": {
      const { saved, step } = condition
      return `${step === "total" ? "all its steps are" : `step ${step} is`} ${saved === true ? "saved" : "done"}`
    }
  }
}

const valueText = (equals: Value): string =>
  equals === null ? "known" : isList(equals) ? equals.map(pyStr).join(" or ") : pyStr(equals)

/** Outcomes as words. */
export const outcomesText = (outcomes: ReadonlyArray<string>): string => {
  const others = JobOutcome.literals.filter((outcome) => !outcomes.includes(outcome))
  if (others.length === 0) return "anything"
  return others.length === 1 ? `anything but ${others[0]}` : outcomes.join(" or ")
}

/** The job whose end a condition waits for, and with which outcomes; null for any other condition. */
export const jobEnd = (
  encoded: EncodedCondition
): { readonly job: string; readonly outcomes: ReadonlyArray<string> } | null =>
  Either.match(decode(encoded), {
    onLeft: () => null,
    onRight: (condition) => condition.class_name === "JobCondition" ? condition : null
  })
