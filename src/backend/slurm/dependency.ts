/** `--dependency=afterany:17:18_3`: what a submission waits for. Source: sbatch man page. */
import * as Either from "effect/Either"

/** A job, or one task of an array, after whose end another one begins, however it ended. */
export interface Awaited {
  readonly id: string
  /** Null: the whole job. */
  readonly task: number | null
}

/** The jobs of its `afterany`, all of which must be over, other kinds are passed over; an error in sbatch's words. */
export const parseDependency = (text: string): Either.Either<ReadonlyArray<Awaited>, string> => {
  const awaited: Array<Awaited> = []
  for (const part of text.split(",")) {
    const [kind, ...ids] = part.split(":")
    if (kind !== "afterany") continue
    if (ids.length === 0) return Either.left("Job dependency problem")
    for (const one of ids) {
      const [, id, task] = /^(\d+)(?:_(\d+))?$/.exec(one) ?? []
      if (id === undefined) return Either.left("Job dependency problem")
      awaited.push({ id, task: task === undefined ? null : Number(task) })
    }
  }
  return Either.right(awaited)
}
