/** Rollbacks of a job's checkpoint that are decided and not done. */
import type { OpenAction } from "./entries.ts"
import type { Job } from "./Job.ts"
import type { Session } from "./Session.ts"

export const isRollback = ({ action }: OpenAction): boolean => action.class_name === "CheckpointRollbackAction"

/** The one of the job; null: there is none. */
export const rollbackOf = ({ actions }: Pick<Session, "actions">, { plan }: Job): OpenAction | null => {
  for (const open of actions.values()) if (open.job === plan.name && isRollback(open)) return open
  return null
}
