/** Config values as JSON readers know them. */
import { toPlain, type ValueMap } from "../backend/Value.ts"

/** A mapping as plain JSON values. */
export const plainMap = (map: ValueMap): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, toPlain(value)]))
