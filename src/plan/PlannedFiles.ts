/** A plan as files, and how they come to stand on disk. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { showJson } from "../config/show.ts"
import type { JobSize } from "./gpuHours.ts"
import type { KnownJob } from "./growth.ts"
import type { Manifest } from "./Manifest.ts"

/** A file to be; its path is absolute. */
export interface PlannedFile {
  readonly path: string
  readonly text: string
  readonly executable: boolean
}

/** All that a plan writes. Nothing of it is on disk yet. */
export interface PlannedFiles {
  readonly manifest: Manifest
  readonly manifestPath: string
  /** Directories that jobs and their logs need. */
  readonly directories: ReadonlyArray<string>
  readonly files: ReadonlyArray<PlannedFile>
  /** Symbolic links, their targets relative to where they stand. */
  readonly links: ReadonlyArray<{ readonly path: string; readonly target: string }>
  /** What each job of the manifest may cost at most, by its name. */
  readonly sizes: ReadonlyMap<string, JobSize>
  /** Jobs of the session that it grows which it no longer has. */
  readonly gone: ReadonlyArray<KnownJob>
  /** Sentences for people: what is as it was asked for, but may not be what was meant. */
  readonly notes: ReadonlyArray<string>
}

/** A file of a plan could not be written. */
export class PlanIoError extends Schema.TaggedError<PlanIoError>()("PlanIoError", {
  path: Schema.String,
  message: Schema.String
}) {}

/**
 * Writes every file under a temporary name and renames it; the manifest last, so that a plan with a manifest is whole.
 * Files of the same plan that stand there already are replaced.
 */
export const writePlan = (plan: PlannedFiles): Effect.Effect<void, PlanIoError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const disk = yield* FileSystem.FileSystem
    const temporary = (file: string) =>
      path.join(path.dirname(file), `.${plan.manifest.plan_id}.${path.basename(file)}.tmp`)
    const attempt = <A>(file: string, effect: Effect.Effect<A, { readonly message: string }>) =>
      Effect.mapError(effect, ({ message }) => new PlanIoError({ path: file, message }))
    const makeFolder = (folder: string) => attempt(folder, disk.makeDirectory(folder, { recursive: true }))
    const write = (file: PlannedFile) =>
      attempt(
        file.path,
        disk.writeFileString(temporary(file.path), file.text, file.executable ? { mode: 0o777 } : {}).pipe(
          Effect.zipRight(disk.rename(temporary(file.path), file.path))
        )
      )
    const link = (at: string, target: string) =>
      attempt(
        at,
        disk.remove(temporary(at), { force: true }).pipe(
          Effect.zipRight(disk.symlink(target, temporary(at))),
          Effect.zipRight(disk.rename(temporary(at), at))
        )
      )
    const files = [...plan.files]
    const folders = new Set([
      ...plan.directories,
      ...[...files.map((file) => file.path), plan.manifestPath].map(path.dirname)
    ])
    yield* Effect.forEach(folders, makeFolder, { concurrency: 16, discard: true })
    yield* Effect.forEach(files, write, { concurrency: 16, discard: true })
    yield* Effect.forEach(plan.links, ({ path: at, target }) => link(at, target), { discard: true })
    yield* write({ path: plan.manifestPath, text: showJson(plan.manifest), executable: false })
  })
