/** Draws that follow from a seed alone, the same on each machine. */

/** Numbers from 0 to below 1, evenly spread. */
export type Random = () => number

/**
 * A sequence of its own for each `text`. What is drawn for one key of a sweep so depends neither on its other keys nor
 * on how many samples there are. Sources: FNV-1a for the text, mulberry32 for the sequence (both public domain).
 */
export const randomOf = (text: string): Random => {
  let state = 0x811c9dc5
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193)
  const bits = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return () => ((bits() >>> 5) * 0x4000000 + (bits() >>> 6)) / 0x20000000000000
}

/** One of `items`, of which there must be some. */
export const pick = <A>(random: Random, items: ReadonlyArray<A>): number => Math.floor(random() * items.length)
