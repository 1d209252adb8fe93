/** What is looked at before jobs of a manifest are submitted. */
import * as Effect from "effect/Effect"
import { missingImage as missingImageError } from "../container/images.ts"
import { glance } from "../monitor/held.ts"
import type { Manifest } from "../plan/Manifest.ts"
import { missingImage } from "../plan/missingImage.ts"
import type { SessionPlace } from "../port/Journal.ts"
import type { Session } from "../session/Session.ts"
import { confirmed } from "./budget.ts"
import { sessionExists } from "./place.ts"

/** The jobs that were not submitted yet, by their names; `session` is null if it has not begun. */
export const openJobs = ({ jobs }: Manifest, session: Session | null): ReadonlyArray<string> =>
  jobs.map(({ name }) => name).filter((name) => (session?.jobs.get(name)?.state ?? "planned") === "planned")

/** Whether to submit what is open of a manifest: its image is there, and whoever asks for it wants what it may cost. */
export const maySubmit = (
  { manifest, place }: { readonly manifest: Manifest; readonly place: SessionPlace },
  given: { readonly yes: boolean; readonly json: boolean }
) =>
  Effect.gen(function*() {
    const image = missingImage(manifest)
    if (image !== null) return yield* missingImageError(image)
    const session = sessionExists(place) ? (yield* glance(place)).session : null
    return yield* confirmed(manifest, openJobs(manifest, session), given)
  })
