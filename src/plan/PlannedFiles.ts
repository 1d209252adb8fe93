/** A plan as files, and how they come to stand on disk. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { showJson } from "../config/show.ts"
import type { Environment } from "./environments.ts"
import type { JobSize } from "./gpuHours.ts"
import type { KnownJob } from "./growth.ts"
import type { Manifest } from "./Manifest.ts"

/** A file to be; its path is absolute. */
export interface PlannedFile {
  readonly path: string
  readonly text: string
  readonly executable: boolean
  /** The path of an earlier file that is the same: a link to it spares a file, of which quotas count each. */
  readonly sameAs?: string
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
  /** What each job exports, by its name. */
  readonly environments: ReadonlyMap<string, Environment>
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

/** Files at once; more would only queue in Node. */
const CONCURRENCY = 16

/**
 * Writes the files; the manifest last, so that a plan with a manifest is whole. A file that stands there already is
 * replaced by a rename, so that nobody reads half of it; in a folder that is made here nobody reads before the manifest.
 */
export const writePlan = (plan: PlannedFiles): Effect.Effect<void, PlanIoError> =>
  Effect.gen(function*() {
    const fresh = new Set<string>()
    const temporary = (file: string) =>
      path.join(path.dirname(file), `.${plan.manifest.plan_id}.${path.basename(file)}.tmp`)
    const makeFolder = async (folder: string): Promise<void> => {
      if (await fs.mkdir(folder, { recursive: true }) !== undefined) fresh.add(folder)
    }
    const write = async (planned: PlannedFile): Promise<void> => {
      const { executable, path: file, sameAs } = planned
      const isFresh = fresh.has(path.dirname(file))
      const at = isFresh ? file : temporary(file)
      const text = () => fs.writeFile(at, planned.text, executable ? { mode: 0o777 } : {})
      // Not every file system links from one directory to another.
      await (sameAs === undefined ? text() : fs.link(sameAs, at).catch(text))
      if (!isFresh) await fs.rename(at, file)
    }
    const link = async ({ path: at, target }: PlannedFiles["links"][number]): Promise<void> => {
      await fs.rm(temporary(at), { force: true })
      await fs.symlink(target, temporary(at))
      await fs.rename(temporary(at), at)
    }
    const folders = new Set([
      ...plan.directories,
      ...[...plan.files.map((file) => file.path), plan.manifestPath].map(path.dirname)
    ])
    yield* all([...folders].map((path) => ({ path })), ({ path }) => makeFolder(path))
    yield* all(plan.files.filter(({ sameAs }) => sameAs === undefined), write)
    yield* all(plan.files.filter(({ sameAs }) => sameAs !== undefined), write)
    yield* all(plan.links, link)
    yield* all([{ path: plan.manifestPath, text: showJson(plan.manifest), executable: false }], write)
  })

/** Runs it for all items, some at a time. As promises: thousands of Effects would take longer than the files. */
const all = <A extends { readonly path: string }>(
  items: ReadonlyArray<A>,
  run: (item: A) => Promise<void>
): Effect.Effect<void, PlanIoError> =>
  Effect.async((resume) => {
    const rest = items.values()
    const work = async (): Promise<void> => {
      for (const item of rest) {
        try {
          await run(item)
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error)
          return resume(Effect.fail(new PlanIoError({ path: item.path, message })))
        }
      }
    }
    void Promise.all(Array.from({ length: CONCURRENCY }, work)).then(() => resume(Effect.void))
  })
