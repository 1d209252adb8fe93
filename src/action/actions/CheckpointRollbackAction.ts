import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Int } from "../../backend/Value.ts"
import type { Outcome } from "../../event/Outcome.ts"
import { Checkpoints, type CheckpointsLook, trackerName } from "../../port/Checkpoints.ts"

/**
 * Puts a corrupt checkpoint of Megatron's aside, lets the tracker file name the whole one before it, and restarts the job
 * within its budgets. It happens once the attempt is dead; nothing is ever deleted: `iter_0001000` is renamed within its
 * directory. Without an earlier checkpoint nothing is changed, and the job needs attention. Always inline.
 */
export const CheckpointRollbackAction = Schema.Struct({
  class_name: Schema.Literal("CheckpointRollbackAction"),
  /** Where the checkpoints are: made of the job's own values, never of what a log says; from its `output_dir` on. */
  checkpoint_dir: Schema.optionalWith(Schema.String, { default: () => "{output_dir}/checkpoints" }),
  /** A text that names the corrupt one as `iter_0001000` or by its number, as `{path}`; empty: the tracker file's. */
  checkpoint: Schema.optionalWith(Schema.String, { default: () => "" }),
  reason: Schema.optionalWith(Schema.String, { default: () => "corrupt checkpoint" }),
  /** For one job in all. */
  max_rollbacks: Schema.optionalWith(Int, { default: () => 2 })
})

const failed = (error: string): Outcome => ({ status: "failed", result: { error } })

const iterationOf = (name: string): number | null => {
  const [, digits] = /^iter_(\d{7,12})$/.exec(name) ?? []
  return digits === undefined ? null : Number(digits)
}

const nameOf = (iteration: number): string => `iter_${`${iteration}`.padStart(7, "0")}`

/** The iteration that the text names last; null: none. */
const named = (text: string): number | null => {
  const digits = [...text.matchAll(/iter_(\d{7,12})(?!\d)/g)].at(-1)?.[1] ?? /^\s*(\d{1,12})\s*$/.exec(text)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** Which one is corrupt, and whether this action put it aside before; the error says why none can be told. */
const choose = (
  { names, tracker }: CheckpointsLook,
  text: string,
  suffix: string
): Either.Either<{ readonly corrupt: number; readonly done: boolean; readonly loaded: number | null }, string> => {
  if (tracker !== null && !/^\d{1,12}$/.test(tracker)) {
    return Either.left(`${trackerName} holds no number, but "${tracker.slice(0, 80)}"`)
  }
  const loaded = tracker === null ? null : Number(tracker)
  const before = names.find((name) => name.endsWith(suffix)) ?? ""
  const known = iterationOf(before.slice(0, -suffix.length))
  // It was interrupted between both renames: the tracker file may name another one by now.
  if (known !== null && !names.includes(nameOf(known))) return Either.right({ corrupt: known, done: true, loaded })
  const corrupt = named(text) ?? loaded
  if (corrupt === null) return Either.left(`neither the log nor ${trackerName} tells which checkpoint is corrupt`)
  if (loaded !== null && corrupt < loaded) {
    return Either.left(`the log names ${nameOf(corrupt)}, but ${trackerName} names ${nameOf(loaded)}, which is newer`)
  }
  if (!names.includes(nameOf(corrupt))) return Either.left(`there is no ${nameOf(corrupt)}`)
  return Either.right({ corrupt, done: false, loaded })
}

/**
 * Does it: first the rename, whose new name says whose it is, then the tracker file; so that the same action, done again
 * after it was interrupted anywhere, ends in the same place.
 */
export const run = (
  { checkpoint, checkpoint_dir: dir }: typeof CheckpointRollbackAction.Type,
  origin: { readonly planId: string; readonly actionId: string }
): Effect.Effect<Outcome, never, Checkpoints> =>
  Effect.gen(function*() {
    const checkpoints = yield* Checkpoints
    const suffix = `.quarantined-${origin.planId}-${origin.actionId}`
    const seen = yield* checkpoints.look(dir)
    const chosen = choose(seen, checkpoint, suffix)
    if (Either.isLeft(chosen)) return failed(`nothing was changed in ${dir}: ${chosen.left}`)
    const { corrupt, done, loaded } = chosen.right
    const newest = Math.min(corrupt - 1, loaded ?? Infinity)
    const earlier = seen.names.flatMap((name) => iterationOf(name) ?? []).filter((iteration) => iteration <= newest)
      .sort((a, b) => b - a)
    const faults: Array<string> = []
    for (const to of earlier) {
      const fault = yield* checkpoints.fault(dir, nameOf(to))
      if (fault !== null) {
        faults.push(`${nameOf(to)}: ${fault}`)
        continue
      }
      if (!done) yield* checkpoints.rename(dir, nameOf(corrupt), `${nameOf(corrupt)}${suffix}`)
      if (loaded !== to) yield* checkpoints.point(dir, to)
      const quarantined = `${dir}/${nameOf(corrupt)}${suffix}`
      return { status: "done" as const, result: { quarantined, iteration: to } }
    }
    const why = ["there is no whole checkpoint before it", ...faults].join("; ")
    return failed(`${nameOf(corrupt)} in ${dir} is corrupt, and ${done ? "was put aside" : "stays as it is"}: ${why}`)
  }).pipe(
    Effect.catchTag("CheckpointsError", ({ message, path }) => Effect.succeed(failed(`${path}: ${message}`)))
  )
