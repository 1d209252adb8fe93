/** What a job waits for before it is submitted, and what ends it. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Condition } from "../action/conditions.ts"
import { ProgressCondition } from "../action/conditions/ProgressCondition.ts"
import { didYouMean } from "../backend/nearest.ts"
import type { EncodedCondition } from "../event/PlannedJob.ts"
import { startCommand } from "../rule/startCommand.ts"
import { PlanError } from "./PlanError.ts"
import type { PlannedPoint } from "./points.ts"

export interface Gates {
  /** Names of the jobs whose phases it refers to, as far as they are part of the session. */
  readonly needs: ReadonlyArray<string>
  readonly start: ReadonlyArray<EncodedCondition>
  readonly cancel: ReadonlyArray<EncodedCondition>
  /** By which it is done already, if all hold. */
  readonly finish: ReadonlyArray<EncodedCondition>
  /** Names of the other phases: it does not wait for them. */
  readonly absent: ReadonlyArray<string>
}

const encode = Schema.encodeSync(Schema.Array(Condition))

/**
 * The conditions of the point's `job` section; without a start condition there, that each phase which it refers to ends
 * well. A `start_condition_cmd` is asked after these. `jobs`: names of all jobs of the session. A condition on a phase
 * that is none of them is left out, also within a composite; one on a name that nothing has is an error.
 */
export const gatesOf = (point: PlannedPoint, jobs: ReadonlySet<string>): Either.Either<Gates, PlanError> =>
  Either.gen(function*() {
    const { job, monitoring } = point.loaded.config
    const { cancel_conditions: cancel, start_conditions: start } = job
    const siblings = [...new Set([...point.siblings.values()].map(({ name }) => name))]
    const needs = siblings.filter((name) => jobs.has(name))
    const absent = siblings.filter((name) => !jobs.has(name))
    const present = (path: string, conditions: ReadonlyArray<Condition>): Either.Either<Array<Condition>, PlanError> =>
      Either.gen(function*() {
        const kept: Array<Condition> = []
        for (const [at, condition] of conditions.entries()) {
          if (condition.class_name === "CompositeCondition") {
            const members = yield* present(`${path}[${at}].conditions`, condition.conditions)
            if (members.length > 0 || condition.conditions.length === 0) {
              kept.push({ ...condition, conditions: members })
            }
          } else if (condition.class_name !== "JobCondition" || jobs.has(condition.job)) {
            kept.push(condition)
          } else if (!absent.includes(condition.job)) {
            const { job } = condition
            const message = `${point.name} would wait for the job "${job}", which this plan does not have; `
            yield* Either.left(PlanError.at(`${path}[${at}].job`, message + didYouMean(job, jobs)))
          }
        }
        return kept
      })
    const own = encode(yield* present("job.start_conditions", start))
    const byDefault = needs.map((job): EncodedCondition => ({ class_name: "JobCondition", job, outcomes: ["success"] }))
    return {
      needs,
      start: [...start.length === 0 ? byDefault : own, ...startCommand(job, monitoring)],
      cancel: encode(yield* present("job.cancel_conditions", cancel)),
      finish: encode(yield* present("job.finish_conditions", finishConditions(job))),
      absent
    }
  })

/** All that the section says of when its job is done. */
const finishConditions = (
  { finish, finish_condition, finish_conditions }: PlannedPoint["loaded"]["config"]["job"]
): ReadonlyArray<Condition> => [
  ...finish_conditions,
  ...finish_condition === null ? [] : [finish_condition],
  ...finish === null ? [] : [ProgressCondition.make({ class_name: "ProgressCondition", ...finish })]
]

/** A sentence on phases that jobs refer to and do not wait for; none if there are none. */
export const absentNote = (gates: ReadonlyArray<Gates>): ReadonlyArray<string> => {
  const waiting = gates.filter(({ absent }) => absent.length > 0)
  const [first = "", second, ...more] = [...new Set(waiting.flatMap(({ absent }) => absent))]
  if (waiting.length === 0) return []
  const names = [first, ...second === undefined ? [] : [second], ...more.length === 0 ? [] : [`${more.length} more`]]
  const jobs = waiting.length === 1 ? "1 job refers" : `${waiting.length} jobs refer`
  return [
    `${jobs} to phases that are no jobs of this plan (${names.join(", ")}), and ${
      waiting.length === 1 ? "does" : "do"
    } not wait for them`
  ]
}
