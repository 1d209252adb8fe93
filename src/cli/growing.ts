/** Plans that grow a session: made from what it was planned from, and taken into it. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { EventRecord } from "../event/EventRecord.ts"
import { glance, recall } from "../monitor/held.ts"
import { ask, growthOf } from "../monitor/sessions.ts"
import { comparePlans, type PlanChange, type RecordedPlan } from "../plan/compare.ts"
import { type Manifest, readManifest } from "../plan/Manifest.ts"
import type { PlannedFiles } from "../plan/PlannedFiles.ts"
import { preparePlan } from "../plan/prepare.ts"
import { isRedacted } from "../plan/redact.ts"
import { decodeSweep, readSweep } from "../plan/sweepFile.ts"
import { Journal, type SessionPlace } from "../port/Journal.ts"
import { clean } from "../report/width.ts"
import type { Session } from "../session/Session.ts"
import { Invocation } from "./Invocation.ts"
import { findSession, sessionExists } from "./place.ts"
import { printNotes } from "./planning.ts"
import type { Given } from "./spec.ts"
import { UnknownNameError } from "./UnknownNameError.ts"
import { usage } from "./UsageError.ts"

/** What a further plan changes of a session. */
export interface Change {
  readonly place: SessionPlace
  /** Names of jobs that the session does not have yet. */
  readonly added: ReadonlyArray<string>
  /** Names of jobs of the session that the plan does not have any more. */
  readonly gone: ReadonlyArray<string>
  /** Jobs of both that would be planned otherwise now; they stay as they are. */
  readonly touched: PlanChange["touched"]
}

/** A further plan of a session, and what it changes there. */
export interface Growth extends Change {
  readonly plan: PlannedFiles
}

/**
 * The plan of the session `given.resume`: its config and overrides as they are today, with the operands as further
 * overrides. Points that it has keep name, index and directory. Nothing is written.
 */
export const growing = (given: Given<"plan"> & { readonly resume: string }) =>
  Effect.gen(function*() {
    const { cwd, program, version } = yield* Invocation
    const place = yield* findSession(given.resume, given["state-dir"])
    const { records, session } = yield* recall(place)
    const first = yield* readManifest(session.manifests[0] ?? session.manifest)
    const latest = yield* readManifest(session.manifest)
    const jobs = [...session.jobs.values()].map(({ plan: { identity, index, name } }) => ({ identity, index, name }))
    if (jobs.some(({ identity }) => identity === "")) {
      return yield* usage(
        `session ${place.planId} was planned by an older autoexp, which did not note what its points are`
      )
    }
    const secret = latest.overrides.find(isRedacted)
    if (secret !== undefined) {
      return yield* usage(
        `session ${place.planId} cannot be planned again: a secret was left out of its override ${secret}. Give secrets ` +
          "as ${oc.env:NAME}, of which the name is recorded"
      )
    }
    const made = yield* preparePlan({
      request: {
        configDir: given["config-dir"] ?? latest.config_dir,
        configRef: given["config-ref"] ?? latest.config_ref,
        overrides: [...latest.overrides, ...given.operands]
      },
      subset: given["array-subset"],
      planId: given["plan-id"] ?? freePlanId(place, path.dirname(session.manifest)),
      parent: latest.parent,
      grows: { session: place.planId, jobs },
      asOf: first.created_at,
      readImage: !given["dry-run"] && !given.check,
      cwd,
      toolVersion: version,
      autoexpCommand: program
    })
    const manifest = { ...made.manifest, monitoring_state_dir: place.stateDir }
    const plan = { ...made, manifest }
    if (manifest.base_output_dir !== first.base_output_dir) {
      return yield* usage(
        `the jobs of session ${place.planId} are below ${first.base_output_dir}, and those of this plan would be below ` +
          `${manifest.base_output_dir}; plan it from the same directory, and leave project.base_output_dir as it is`
      )
    }
    const after = { manifest, sweep: yield* sweepOf(plan) }
    const touched = yield* Effect.forEach(entered(records), ([file, names]) =>
      Effect.map(recordedPlan(file), (before) =>
        comparePlans(before, after).touched.filter(({ name }) =>
          names.has(name)
        )).pipe(
          // Plans in between may have been tidied away: what they had is not compared then.
          Effect.orElseSucceed(() => [])
        ))
    return {
      place,
      plan,
      added: manifest.jobs.map(({ name }) => name).filter((name) => !session.jobs.has(name)),
      gone: plan.gone.map(({ name }) => name),
      touched: touched.flat()
    } satisfies Growth
  })

/** The manifests that brought a session its jobs, with the names of these: each job is what its own plan made it. */
const entered = (records: ReadonlyArray<EventRecord>): ReadonlyArray<readonly [string, ReadonlySet<string>]> =>
  records.flatMap((record) =>
    record.type === "SessionOpened"
      ? [[record.data.manifest, new Set(record.data.jobs.map(({ name }) => name))] as const]
      : record.type === "SessionGrown"
      ? [[record.data.manifest, new Set(record.data.added)] as const]
      : []
  )

const recordedPlan = (file: string) =>
  Effect.gen(function*() {
    const manifest = yield* readManifest(file)
    const sweep = manifest.sweep === null ? null : yield* readSweep(manifest.sweep)
    return { manifest, sweep } satisfies RecordedPlan
  })

const freePlanId = ({ planId }: SessionPlace, manifests: string): string => {
  for (let number = 2;; number++) {
    const id = `${planId}-plan${number}`
    if (!fs.existsSync(path.join(manifests, `${id}.json`))) return id
  }
}

const sweepOf = ({ files, manifest }: PlannedFiles) => {
  const file = files.find(({ path }) => path === manifest.sweep)
  return file === undefined ? Effect.succeed(null) : decodeSweep(file.path, file.text)
}

/** Some names, and how many more. */
const some = (names: ReadonlyArray<string>): string =>
  names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`

/** What a further plan changes, in lines. */
export const growthLines = ({ added, gone, place, touched }: Change): ReadonlyArray<string> => {
  const groups = new Map<string, Array<string>>()
  for (const { keys, name } of touched) groups.set(some(keys), [...groups.get(some(keys)) ?? [], name])
  return [
    added.length === 0
      ? `nothing new for session ${place.planId}`
      : `new in session ${place.planId} (${added.length}): ${some(added)}`,
    ...gone.length === 0 ? [] : [`gone from the plan (${gone.length}), but not cancelled: ${some(gone)}`],
    ...[...groups].map(([keys, names]) =>
      `touched by ${keys} (${names.length}), but planned before, so they stay as they are: ${some(names)}`
    )
  ].map(clean)
}

/**
 * Takes a further plan into its session, by way of who holds that. Returns whether somebody watches it, who then submits
 * what is new if `submit` says so.
 */
export const admit = (
  { file, manifest, place, submit, told }: {
    readonly manifest: Manifest
    readonly file: string
    readonly place: SessionPlace
    readonly submit: boolean
    /** What people know already of what it changes; null if they are to be told. */
    readonly told: Change | null
  }
) =>
  Effect.gen(function*() {
    const session = yield* grownSession(place)
    const change = told ?? changeOf(manifest, place, session)
    if (told === null) yield* printNotes(growthLines(change))
    if (session.manifest !== file) {
      const { accepted, why } = yield* ask(place, growthOf(manifest, file, session.rules, change.gone))
      if (!accepted) return yield* usage(`session ${place.planId} does not take ${file}: ${why}`)
    }
    const holder = yield* (yield* Journal).holder(place)
    const isWatched = holder !== null && holder.alive !== "dead"
    if (isWatched && submit) {
      const { accepted, why } = yield* ask(place, { kind: "submit", jobs: [] })
      if (!accepted) return yield* usage(`session ${place.planId} submits nothing: ${why}`)
    }
    return isWatched
  })

/** What a further plan changes of the session, by the names of jobs. */
export const changeOf = (manifest: Manifest, place: SessionPlace, { jobs }: Session): Change => {
  const names = manifest.jobs.map(({ name }) => name)
  const planned = new Set(names)
  return {
    place,
    added: names.filter((name) => !jobs.has(name)),
    gone: [...jobs.keys()].filter((name) => !planned.has(name)),
    touched: []
  }
}

/** The session that a further plan is for, which must be there. */
export const grownSession = (place: SessionPlace) =>
  Effect.gen(function*() {
    if (sessionExists(place)) return (yield* glance(place)).session
    return yield* new UnknownNameError({
      message: `the plan adds to session ${place.planId}, which is not in ${place.stateDir}`,
      suggestions: []
    })
  })
