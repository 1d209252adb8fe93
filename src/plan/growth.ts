/** A plan that grows a session: what of it is there already. */

/** A job that a session has. */
export interface KnownJob {
  readonly identity: string
  readonly name: string
  readonly index: number
}

/** Where a point stands among a session's jobs. `name`: the one it has there; null if it is new. */
export interface Assigned {
  readonly index: number
  readonly name: string | null
}

/**
 * A point whose identity the session knows is the job that it has there, name and index; other points take indices after
 * the highest one, in order. `gone`: jobs that are no point any more.
 */
export const assignKnown = (
  points: ReadonlyArray<{ readonly place: number; readonly identity: string; readonly kept: boolean }>,
  known: ReadonlyArray<KnownJob>
): { readonly places: ReadonlyMap<number, Assigned>; readonly gone: ReadonlyArray<KnownJob> } => {
  const free = new Map<string, Array<KnownJob>>()
  for (const job of known) free.set(job.identity, [...free.get(job.identity) ?? [], job])
  const places = new Map<number, Assigned>()
  const found = new Set<KnownJob>()
  let next = Math.max(-1, ...known.map(({ index }) => index)) + 1
  for (const { identity, kept, place } of [...points].sort((a, b) => a.place - b.place)) {
    const job = free.get(identity)?.shift()
    if (job !== undefined) {
      places.set(place, job)
      if (kept) found.add(job)
    } else if (kept) places.set(place, { index: next++, name: null })
  }
  return { places, gone: known.filter((job) => !found.has(job)) }
}
