/** "Did you mean": the names that are nearest to a mistyped one. */

/** Number of inserted, removed, changed or swapped neighbouring characters between two texts. */
export const editDistance = (a: string, b: string): number => {
  let before: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      }
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** At most three of `known` that `name` may stand for, nearest first; none if nothing is near. */
export const nearest = (name: string, known: Iterable<string>): ReadonlyArray<string> => {
  const wanted = name.toLowerCase()
  const limit = Math.max(1, Math.floor(name.length / 3))
  return [...new Set(known)]
    .map((candidate) => {
      const text = candidate.toLowerCase()
      const part = wanted.length >= 3 && (text.startsWith(wanted) || wanted.startsWith(text) && text.length >= 3)
      return { candidate, distance: part ? Math.min(limit, editDistance(wanted, text)) : editDistance(wanted, text) }
    })
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

/** The half-sentence after an unknown name: the nearest names, or all of them if none is near. */
export const didYouMean = (name: string, known: Iterable<string>): string => {
  const all = [...new Set(known)]
  const near = nearest(name, all)
  if (near.length > 0) return `did you mean ${near.map((candidate) => `"${candidate}"`).join(" or ")}?`
  if (all.length === 0) return "there is none."
  const shown = all.slice(0, 20).join(", ")
  return `known: ${shown}${all.length > 20 ? `, and ${all.length - 20} more` : ""}.`
}
