/**
 * The defaults lists of all files, followed from the primary one, as the list of files to merge.
 * Source: Hydra 1.3 `_internal/defaults_list.py`.
 */
import * as Either from "effect/Either"
import { didYouMean, nearest } from "../backend/nearest.ts"
import { Choice } from "./Choice.ts"
import type { DefaultsItem } from "./defaultsItem.ts"
import type { GroupChoices } from "./GroupChoices.ts"
import { mapOf, scalar } from "./Node.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"
import type { ConfigFile, Repository } from "./Repository.ts"
import { resolveConfig } from "./resolve.ts"
import type { Surroundings } from "./resolvers/Resolver.ts"

/** A file to merge, and the package it goes to. */
export interface Layer {
  readonly file: ConfigFile
  readonly configPath: string
  readonly package: string
}

const selfItem = { self: true, group: null, value: "_self_", package: null, optional: false, override: false } as const

export class DefaultsTree {
  readonly repository: Repository
  readonly surroundings: Surroundings
  readonly problems: Array<Problem>
  private readonly groups: GroupChoices
  /** The files that are being followed: the chain of defaults that led to a mistake. */
  private readonly chain: Array<string> = []
  /** The chain of defaults that first led to each file, by the file's path. */
  readonly chains = new Map<string, ReadonlyArray<string>>()

  constructor(
    repository: Repository,
    groups: GroupChoices,
    surroundings: Surroundings,
    problems: Array<Problem>
  ) {
    this.repository = repository
    this.groups = groups
    this.surroundings = surroundings
    this.problems = problems
  }

  private note(origin: Origin | null, kind: string, message: string, suggestions: ReadonlyArray<string> = []): void {
    this.problems.push(problemAt(origin, kind, message, suggestions))
  }

  /** The files to merge, in their order; empty if the primary one is missing. */
  list(primary: string): ReadonlyArray<Layer> {
    const path = primary.replace(/^\//, "").replace(/\.yaml$/, "")
    const item: DefaultsItem = {
      origin: { source: "override", text: primary, column: 1 },
      self: false,
      group: null,
      value: `/${path}`,
      package: null,
      optional: false,
      override: false
    }
    const layers = this.follow(new Choice(item, "", "", true), false)
    this.groups.checkUsed()
    return layers
  }

  /** Files of a choice and of all that it leads to. Later entries are followed first: their overrides reach earlier ones. */
  private follow(choice: Choice, interpolated: boolean): ReadonlyArray<Layer> {
    if (!this.groups.admit(choice)) return []
    if (choice.value === null) return []
    if (choice.value === "???") {
      const options = this.repository.options(choice.groupPath)
      this.note(
        choice.item.origin,
        "mandatory_choice",
        `An option of ${choice.groupPath} must be chosen, as in ${choice.groupPath}=${
          options[0] ?? "OPTION"
        }; there are ${options.join(", ")}.`,
        options
      )
      return []
    }
    const path = choice.configPath
    const file = this.repository.load(path)
    if (file === null) {
      if (!choice.item.optional) this.noteMissing(choice)
      return []
    }
    if (this.chain.includes(path)) {
      this.note(
        choice.item.origin,
        "defaults_cycle",
        `Defaults lead in a circle: ${[...this.chain, path].join(" -> ")}.`
      )
      return []
    }
    choice.header = file.header
    this.chain.push(path)
    if (!this.chains.has(file.file)) this.chains.set(file.file, [...this.chain])
    const layers = this.expand(choice, file, interpolated)
    this.chain.pop()
    return layers
  }

  private expand(choice: Choice, file: ConfigFile, interpolated: boolean): ReadonlyArray<Layer> {
    const own: Layer = { file, configPath: choice.configPath, package: choice.package }
    const selves = file.defaults.filter((item) => item.self)
    // Without _self_ a file's own values come last, and before what the command line appends.
    const written = [
      ...file.defaults,
      ...(selves.length === 0 ? [{ ...selfItem, origin: file.content.origin }] : []),
      ...(choice.primary ? this.groups.appended : [])
    ]
    this.takeOverrides(written, choice, interpolated)
    const items = written.filter((item) => !item.override)
    if (selves[1] !== undefined) this.note(selves[1].origin, "duplicate_self", "_self_ stands here a second time.")
    const folder = choice.groupPath
    const parts: Array<ReadonlyArray<Layer> | Choice> = []
    for (const item of items.toReversed()) {
      if (item.self) {
        parts.unshift([own])
        continue
      }
      const next = new Choice(item, folder, choice.package)
      this.groups.replace(next)
      if (Array.isArray(next.value)) {
        const options = next.value.map((option: string) => this.optionOf(next, option))
        for (const option of options.toReversed()) parts.unshift(this.follow(option, interpolated))
      } else if (typeof next.value === "string" && next.value.includes("${")) {
        parts.unshift(next)
      } else {
        parts.unshift(this.follow(next, interpolated))
      }
    }
    return parts.flatMap((part) => (part instanceof Choice ? this.followInterpolated(part) : part))
  }

  /** One option of several: a config by its own path, which counts as no choice of the group. */
  private optionOf({ baseDir, item, parentPackage }: Choice, option: string): Choice {
    return new Choice({ ...item, group: null, value: `${item.group}/${option}` }, baseDir, parentPackage)
  }

  private followInterpolated(choice: Choice): ReadonlyArray<Layer> {
    const { origin } = choice.item
    const known = [...this.groups.met].map(([text, value]) => ({
      key: { text, type: "str" as const },
      node: scalar(value, origin),
      origin
    }))
    const wanted = { key: { text: "\0", type: "str" as const }, node: scalar(String(choice.value), origin), origin }
    const resolved = resolveConfig(mapOf([...known, wanted], origin), this.surroundings)
    const value = Either.isRight(resolved) ? resolved.right["\0"] : undefined
    if (typeof value !== "string") {
      this.note(
        origin,
        "defaults_interpolation",
        `"${
          String(choice.value)
        }" cannot be resolved: a defaults list sees the choices of groups, not values; there are ${
          [...this.groups.met.keys()].join(", ")
        }.`
      )
      return []
    }
    choice.value = value
    return this.follow(choice, true)
  }

  private takeOverrides(items: ReadonlyArray<DefaultsItem>, choice: Choice, interpolated: boolean): void {
    let last: DefaultsItem | null = null
    for (const item of items) {
      if (item.self) continue
      if (!item.override) {
        if (last !== null && !this.groups.appended.includes(item)) {
          this.note(
            last.origin,
            "override_keyword_not_last",
            `"override ${last.group}" must stand behind all other entries of its defaults list.`
          )
          return
        }
        continue
      }
      last = item
      if (interpolated) {
        this.note(item.origin, "override_in_interpolated", "An interpolated option cannot override groups.")
        continue
      }
      const { overrideKey } = new Choice(item, choice.groupPath, choice.package)
      this.groups.override(overrideKey, item, choice.configPath)
    }
  }

  private noteMissing(choice: Choice): void {
    const path = choice.configPath
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ""
    const name = path.slice(folder === "" ? 0 : folder.length + 1)
    const options = this.repository.options(folder)
    const origin = choice.primary ? null : this.groups.originOf(choice)
    const where = folder === "" ? "" : ` in the group ${folder}`
    if (options.length === 0 && folder !== "" && !this.repository.groupExists(folder)) {
      const groups = this.repository.groups("")
      this.note(
        origin,
        "missing_config",
        `There is no group "${folder}"; ${didYouMean(folder, groups)}`,
        nearest(folder, groups)
      )
      return
    }
    this.note(
      origin,
      "missing_config",
      `There is no config "${name}"${where}; ${didYouMean(name, options)}`,
      nearest(name, options)
    )
  }
}
