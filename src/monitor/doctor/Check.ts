/** One thing of this machine that autoexp uses. */
export interface Check {
  readonly name: string
  /** `missing`: autoexp does without, perhaps with less; `problem`: something is there and does not work. */
  readonly status: "ok" | "missing" | "problem"
  readonly found: string
  /** What to do about it; null if nothing. */
  readonly todo: string | null
}

export const ok = (name: string, found: string): Check => ({ name, status: "ok", found, todo: null })
export const missing = (name: string, found: string, todo: string | null): Check => ({
  name,
  status: "missing",
  found,
  todo
})
export const problem = (name: string, found: string, todo: string | null): Check => ({
  name,
  status: "problem",
  found,
  todo
})
