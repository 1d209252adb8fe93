/** The file that a chain's links read before they begin: what its session has decided of the job so far. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { unwanted } from "../rule/links.ts"
import type { Job } from "../session/Job.ts"
import type { Session } from "../session/Session.ts"

const gateFile = ({ planId }: Session, { plan }: Job): string =>
  path.join(plan.output_dir, ".attempts", `${planId}.gate`)

/**
 * `decision=stop`: nothing begins. `decision=go`: the submission with this nonce does; of others nothing is decided yet, and
 * how the last attempt ended decides. `why` is for people.
 */
const gateText = (job: Job): string => {
  const why = unwanted(job)
  return `decision=${why === null ? "go" : "stop"}\nnonce=${job.nonce ?? ""}\nwhy=${
    (why ?? "").replaceAll("\n", " ")
  }\n`
}

const write = (file: string, text: string): void => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(`${file}.new`, text)
  fs.renameSync(`${file}.new`, file)
}

/** Writes the gate of a job, if that is a chain; throws if it cannot be written. */
const writeOne = (session: Session, job: Job): void => write(gateFile(session, job), gateText(job))

/** The same before a submission; one that cannot be written is left as it is, since links then go by the last end. */
export const writeGate = (session: Session, name: string): void => {
  const job = session.jobs.get(name)
  if (job?.plan.chain === undefined) return
  try {
    writeOne(session, job)
  } catch {
    return
  }
}

/** Writes the gates of all chains that have one that is out of date; those that cannot be written are told of once. */
export const makeGateWriter = () => {
  const written = new Map<string, string>()
  const told = new Set<string>()
  return (session: Session): Effect.Effect<void> =>
    Effect.forEach(session.chains, (name) => {
      const job = session.jobs.get(name)
      // Nothing of it was submitted yet.
      if (job === undefined || job.nonce === null && job.attempt === 0) return Effect.void
      const text = gateText(job)
      if (written.get(name) === text) return Effect.void
      return Effect.try(() => writeOne(session, job)).pipe(
        Effect.matchEffect({
          onSuccess: () => Effect.sync(() => void written.set(name, text)),
          onFailure: ({ message }) =>
            Effect.suspend(() => {
              if (told.has(name)) return Effect.void
              told.add(name)
              return Effect.logWarning(`the gate of chain ${name} cannot be written: ${message}`)
            })
        })
      )
    }, { discard: true })
}
