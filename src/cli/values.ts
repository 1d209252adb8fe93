/** What the values of options mean; the error says what would fit. */
import * as Either from "effect/Either"

/** A counting number from 0 on. */
export const index = (text: string): Either.Either<number, string> =>
  /^\d{1,9}$/.test(text) ? Either.right(Number(text)) : Either.left(`"${text}" is no index (0, 1, …)`)

/** A number of things, at least one. */
export const count = (text: string): Either.Either<number, string> =>
  /^0*[1-9]\d{0,8}$/.test(text) ? Either.right(Number(text)) : Either.left(`"${text}" is no number of at least 1`)

/** A number of hours, more than 0; a fraction may be. */
export const hours = (text: string): Either.Either<number, string> => {
  const value = /^\d{1,6}(?:\.\d+)?$/.test(text) ? Number(text) : 0
  return value > 0 ? Either.right(value) : Either.left(`"${text}" is no number of hours, as 12 or 0.5`)
}

const formats = ["table", "csv", "md", "json"] as const
export type Format = (typeof formats)[number]

/** How rows are printed. */
export const format = (text: string): Either.Either<Format, string> => {
  const known = formats.find((name) => name === text)
  return known === undefined ? Either.left(`"${text}" is none of ${formats.join(", ")}`) : Either.right(known)
}

/** Array indices as SLURM writes them: `0,3-5`; sorted, each once. */
export const indices = (text: string): Either.Either<ReadonlyArray<number>, string> => {
  const found = new Set<number>()
  for (const part of text.split(",")) {
    const [, from, to = from] = part.match(/^(\d{1,6})(?:-(\d{1,6}))?$/) ?? []
    if (from === undefined || Number(to) < Number(from)) {
      return Either.left(`"${text}" is no list of indices; write them as 0,3-5`)
    }
    for (let at = Number(from); at <= Number(to); at++) found.add(at)
  }
  return Either.right([...found].sort((a, b) => a - b))
}

/** Where to begin in a journal: a record's seq, or a time (milliseconds since 1970). */
export type Since = { readonly seq: number } | { readonly at: number }

/** A seq, or a time in ISO 8601 (local unless it says otherwise). */
export const since = (text: string): Either.Either<Since, string> => {
  if (/^\d{1,15}$/.test(text)) return Either.right({ seq: Number(text) })
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(at)
    ? Either.left(`"${text}" is neither a record's number nor a time like 2026-11-23T03:12:07Z`)
    : Either.right({ at })
}
