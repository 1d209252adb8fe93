/** `RuleSource`, live: manifests and configs on this machine's file system. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fs from "node:fs/promises"
import type { ConfigFiles } from "../config/ConfigFiles.ts"
import { type Manifest, readManifest } from "../plan/Manifest.ts"
import { ruleSets } from "../plan/ruleSets.ts"
import { digestOf, type RulesToday, rulesToday } from "../plan/rulesToday.ts"
import {
  type RulesAnswer,
  RuleSource,
  type RulesQuestion,
  type Said,
  type SaidRules,
  type Seen
} from "../port/RuleSource.ts"
import { Monitoring } from "../rule/Monitoring.ts"

type World = FileSystem.FileSystem | ConfigFiles

/** What tells that a file was written or replaced. Files that are not there, or cannot be asked, have a stamp too. */
const stampOf = (file: string): Effect.Effect<string> =>
  Effect.promise(() =>
    fs.stat(file, { bigint: true }).then(
      ({ ctimeNs, ino, mtimeNs, size }) => `${mtimeNs} ${ctimeNs} ${size} ${ino}`,
      () => "none"
    )
  )

const stamps = (files: Iterable<string>): Effect.Effect<ReadonlyMap<string, string>> =>
  Effect.map(
    Effect.forEach(files, (file) => Effect.map(stampOf(file), (stamp) => [file, stamp] as const), { concurrency: 4 }),
    (all) => new Map(all)
  )

const isSame = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([file, stamp]) => b.get(file) === stamp)

const textOf = (file: string): Effect.Effect<string | null> =>
  Effect.promise(() => fs.readFile(file, "utf8").catch(() => null))

/** Whether every file of the plan holds what it held when it was planned. */
const isAsPlanned = ({ sources }: Manifest): Effect.Effect<boolean> =>
  sources.length === 0
    ? Effect.succeed(false)
    : Effect.every(sources, ({ digest, path }) => Effect.map(textOf(path), (text) => digestOf(text) === digest))

/** The rules of all plans' jobs as one table; a job belongs to the first plan that has it. */
const combined = (
  plans: ReadonlyArray<{ readonly manifest: Manifest; readonly today: RulesToday }>,
  shared: Monitoring
): SaidRules => {
  const sections = new Map<string, Monitoring>()
  const owned = new Set<string>()
  for (const { manifest, today } of plans) {
    for (const { name } of manifest.jobs) {
      const section = today.jobs.get(name)
      if (!owned.has(name) && section !== undefined) sections.set(name, section)
      owned.add(name)
    }
  }
  const { positions, sets } = ruleSets(shared, [...sections.values()])
  return {
    rules: Schema.encodeSync(Monitoring)(shared),
    sets,
    jobs: new Map([...sections.keys()].map((name, at) => [name, positions[at] ?? null]))
  }
}

const compose = (manifests: ReadonlyArray<Manifest>, settings: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const asOf = manifests[0]?.created_at ?? ""
    const composed = yield* Effect.forEach(
      manifests,
      (manifest) => Effect.map(rulesToday(manifest, settings, asOf), (made) => ({ manifest, ...made }))
    )
    const said = yield* Effect.forEach(
      composed,
      ({ manifest, rules }) => Effect.map(rules, (today) => ({ manifest, today }))
    ).pipe(
      Effect.map((plans): Said => {
        const [first] = plans
        return first === undefined
          ? { said: "nothing" }
          : { said: "rules", rules: combined(plans, first.today.shared) }
      }),
      Effect.catchAll(({ message }) => Effect.succeed<Said>({ said: "unreadable", message }))
    )
    return { said, files: composed.flatMap(({ sources }) => sources.map(({ path }) => path)) }
  })

const ask = ({ manifests: paths, seen, settings }: RulesQuestion): Effect.Effect<RulesAnswer, never, World> =>
  Effect.gen(function*() {
    const about = JSON.stringify([paths, settings])
    const answered = (answer: Said, stamps: Seen["stamps"]): RulesAnswer => ({ answer, seen: { about, stamps } })
    return yield* Effect.gen(function*() {
      const known = seen === null || seen === "nothing" ? null : seen
      const before = yield* stamps(known?.stamps.keys() ?? [])
      if (known !== null && known.about === about && isSame(known.stamps, before)) {
        return answered({ said: "nothing" }, before)
      }
      const manifests = yield* Effect.forEach(paths, readManifest)
      if (seen === null && settings.length === 0 && (yield* Effect.every(manifests, isAsPlanned))) {
        const files = manifests.flatMap(({ sources }) => sources.map(({ path }) => path))
        return answered({ said: "nothing" }, yield* stamps(files))
      }
      const { files, said } = yield* compose(manifests, settings)
      const after = yield* stamps(files)
      // What changed while it was read is read again: of files that were known the older stamp counts.
      return answered(said, new Map([...after].map(([file, now]) => [file, before.get(file) ?? now])))
    }).pipe(
      Effect.catchAll(({ message }) => Effect.succeed(answered({ said: "unreadable", message }, new Map())))
    )
  })

/** The configs as this machine has them. */
export const layer: Layer.Layer<RuleSource, never, World> = Layer.effect(
  RuleSource,
  Effect.map(Effect.context<World>(), (world) => ({ ask: (question) => Effect.provide(ask(question), world) }))
)
