/** Slurm's notation for array task indices: `0-3`, `1,3-5`, `0-20:5`, `0-99%4` (sbatch man page, `--array`). */
import * as Either from "effect/Either"

/** Which tasks an array has, ascending and without repeats, and how many may run at once (null: no limit). */
export interface ArraySpec {
  readonly indices: ReadonlyArray<number>
  readonly limit: number | null
}

/** Slurm's own largest possible MaxArraySize. */
const MAX_INDEX = 4_000_000

const range = (text: string): ReadonlyArray<number> | null => {
  const match = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(text)
  if (match === null) return null
  const first = Number(match[1])
  const last = Number(match[2] ?? match[1])
  const step = Number(match[3] ?? 1)
  if (last < first || last > MAX_INDEX || step === 0) return null
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step)
}

/** Reads `text`; the error is Slurm's own sentence. */
export const parseArraySpec = (text: string): Either.Either<ArraySpec, string> => {
  const [list = "", limitText, ...rest] = text.trim().split("%")
  const ranges = list.split(",").map(range)
  const limit = limitText === undefined ? null : /^[1-9]\d*$/.test(limitText) ? Number(limitText) : Number.NaN
  if (rest.length > 0 || Number.isNaN(limit) || ranges.includes(null)) {
    return Either.left(`Invalid job array specification: ${text}`)
  }
  const indices = new Set(ranges.flatMap((indices) => indices ?? []))
  return Either.right({ indices: [...indices].sort((a, b) => a - b), limit })
}

/** The shortest text for `indices`, runs of three and more as ranges: `0,1,3-5`. */
export const formatArrayIndices = (indices: ReadonlyArray<number>): string => {
  const sorted = [...new Set(indices)].sort((a, b) => a - b)
  const parts: Array<string> = []
  for (let i = 0; i < sorted.length;) {
    let end = i
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++
    if (end - i >= 2) parts.push(`${sorted[i]}-${sorted[end]}`)
    else parts.push(...sorted.slice(i, end + 1).map(String))
    i = end + 1
  }
  return parts.join(",")
}
