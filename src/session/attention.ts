/** What of a session waits for somebody's decision. */
import type { Job } from "./Job.ts"
import type { Session } from "./Session.ts"

/** As a session and its published file tell of it. */
interface Told {
  /** Of the whole session: why its restarts pause. */
  readonly attention: { readonly reason: string } | null
  readonly jobs: ReadonlyArray<{ readonly name: string; readonly attention: { readonly reason: string } | null }>
}

/** How many jobs are named before the rest is counted. */
const named = 3

/** In sentences, the most important first; none if nothing needs attention. */
export const attentionText = ({ attention, jobs }: Told): ReadonlyArray<string> => {
  const those = jobs.filter((job) => job.attention !== null).map(({ name }) => name)
  const more = those.length > named ? `, and ${those.length - named} more` : ""
  return [
    ...attention === null ? [] : [`restarts pause: ${attention.reason}`],
    ...those.length === 0 ? [] : [`${those.slice(0, named).join(", ")}${more}`]
  ]
}

export const attentionOf = ({ breakerOpen, jobs }: Session): ReadonlyArray<string> =>
  attentionText({
    attention: breakerOpen,
    jobs: [...jobs.values()].map(({ attention, plan: { name } }: Job) => ({ name, attention }))
  })
