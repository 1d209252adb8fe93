/** What a new plan changes of the jobs that a session already has. */
import type { Manifest } from "./Manifest.ts"
import type { SweepEntry, SweepFile } from "./sweepFile.ts"

/** A plan as it stands on disk. */
export interface RecordedPlan {
  readonly manifest: Manifest
  /** Its points' file; null if it has none, and all its jobs share the manifest's config. */
  readonly sweep: SweepFile | null
}

/** A job of both plans that is not the same in them. */
export interface TouchedJob {
  /** As the session calls it. */
  readonly name: string
  readonly index: number
  /** Paths of its resolved config that differ, in order; `command` if only what it runs does. */
  readonly keys: ReadonlyArray<string>
}

export interface PlanChange {
  readonly touched: ReadonlyArray<TouchedJob>
  /** Names of jobs of the new plan alone. */
  readonly added: ReadonlyArray<string>
  /** Names of jobs of the session alone. */
  readonly gone: ReadonlyArray<string>
  /** How many jobs are the same. */
  readonly same: number
}

/** Sections that say how jobs are chosen and watched, not what a job is. */
const ofThePlan = ["sweep", "scheduler"]

/** `a.b` of each value that is no mapping, as one text. Mappings without content count as values. */
const leaves = (value: unknown, path: string, into: Map<string, string>): Map<string, string> => {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value)
  const entries = isMap ? Object.entries(value) : []
  if (path !== "" && entries.length === 0) into.set(path, JSON.stringify(value))
  for (const [key, item] of entries) {
    if (path !== "" || !ofThePlan.includes(key)) leaves(item, path === "" ? key : `${path}.${key}`, into)
  }
  return into
}

/** The values of one job: the shared ones, and its own over them. */
interface JobValues {
  readonly entry: SweepEntry | undefined
  readonly at: (path: string) => string | undefined
  readonly own: ReadonlyArray<string>
}

const valuesOf = ({ manifest, sweep }: RecordedPlan) => {
  const shared = leaves(sweep?.config ?? manifest.config, "", new Map())
  const entries = new Map(sweep?.points.map((entry) => [entry.index, entry] as const))
  const of = (index: number): JobValues => {
    const entry = entries.get(index)
    const own = new Map<string, string>()
    for (const [path, value] of Object.entries(entry?.config ?? {})) leaves(value, path, own)
    const without = entry?.without ?? []
    const isWithout = (path: string) => without.some((gone) => path === gone || path.startsWith(`${gone}.`))
    return {
      entry,
      at: (path) => own.get(path) ?? (isWithout(path) ? undefined : shared.get(path)),
      own: [...own.keys(), ...[...shared.keys()].filter(without.length === 0 ? () => false : isWithout)]
    }
  }
  return { shared, of }
}

const command = ({ entry }: JobValues): string => JSON.stringify([entry?.argv, entry?.env])

/**
 * Compares the session's plan with a new one, job by job as their identities say; a job without one (of an older plan)
 * is found by its name. Values are compared as they were recorded, so a secret that was left out of both is the same.
 */
export const comparePlans = (before: RecordedPlan, after: RecordedPlan): PlanChange => {
  const [old, now] = [valuesOf(before), valuesOf(after)]
  const changed = [...new Set([...old.shared.keys(), ...now.shared.keys()])]
    .filter((path) => old.shared.get(path) !== now.shared.get(path))
  const key = ({ identity, name }: { readonly identity: string; readonly name: string }) => identity || `name ${name}`
  const known = new Map(before.manifest.jobs.map((job) => [key(job), job] as const))
  const touched: Array<TouchedJob> = []
  const added: Array<string> = []
  const found = new Set<string>()
  for (const job of after.manifest.jobs) {
    const was = known.get(key(job))
    if (was === undefined) {
      added.push(job.name)
      continue
    }
    found.add(was.name)
    const [a, b] = [old.of(was.index), now.of(job.index)]
    const paths = [...new Set([...changed, ...a.own, ...b.own])].filter((path) => a.at(path) !== b.at(path))
    const keys = paths.length === 0 && command(a) !== command(b) ? ["command"] : paths
    if (keys.length > 0) touched.push({ name: was.name, index: was.index, keys: keys.sort() })
  }
  const gone = before.manifest.jobs.map(({ name }) => name).filter((name) => !found.has(name))
  return { touched, added, gone, same: found.size - touched.length }
}
