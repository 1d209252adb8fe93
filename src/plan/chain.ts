/** The chain of a job as its plan holds it. */
import * as Schema from "effect/Schema"
import { Condition } from "../action/conditions.ts"
import type { ChainSettings } from "../config/Config.ts"
import type { Chain } from "../event/PlannedJob.ts"
import { parseTimeLimit } from "../scheduler/local/timeLimit.ts"
import { optionTexts, type SizeSettings } from "./gpuHours.ts"

/** SLURM looks at time limits so seldom, in seconds: a warning may come that much earlier. */
const resolution = 60

/**
 * From which second of a run on its end is that of its time limit, or of the warning before it (`TERM@240`; without a number
 * a minute before); null: it has none. Source: sbatch man page.
 */
const expectedAfter = (slurm: SizeSettings): number | null => {
  const text = optionTexts(slurm)
  const limit = parseTimeLimit(text("time") ?? "") ?? null
  if (limit === null) return null
  const signal = text("signal")
  const warning = signal === null ? 0 : Number(/@(\d+)$/.exec(signal)?.[1] ?? 60)
  const warned = Math.max(0, limit - warning)
  return Math.floor(warned - Math.min(resolution, warned / 10))
}

/** `settings` of a job that is submitted as `slurm` says. */
export const chainOf = (settings: ChainSettings, slurm: SizeSettings): Chain => ({
  links: settings.links,
  ahead: settings.ahead,
  until: settings.until === null ? null : Schema.encodeSync(Condition)(settings.until),
  expected_after_seconds: expectedAfter(slurm),
  gate_seconds: settings.gate_seconds,
  overrun_seconds: settings.overrun_seconds
})
