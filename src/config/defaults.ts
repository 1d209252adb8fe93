/**
 * The defaults lists of all files, followed from the primary one, as the list of files to merge.
 * Source: Hydra 1.3 `_internal/defaults_list.py`.
 */
import * as Either from "effect/Either"
import { didYouMean, nearest } from "../sweep/nearest.ts"
import { Choice } from "./Choice.ts"
import type { DefaultsItem } from "./defaultsItem.ts"
import { mapOf, scalar, toValue } from "./Node.ts"
import type { Override } from "./overrides.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"
import type { ConfigFile, Repository } from "./Repository.ts"
import { resolveConfig } from "./resolve.ts"
import type { Surroundings } from "./resolvers.ts"

/** A file to merge, and the package it goes to. */
export interface Layer {
  readonly file: ConfigFile
  readonly configPath: string
  readonly package: string
}

/** A choice made for a group on the command line, or by an `override` entry. */
interface Chosen {
  readonly value: DefaultsItem["value"]
  readonly origin: Origin
  /** The file that holds the `override`; null for the command line. */
  readonly within: string | null
  used: boolean
}

const selfItem = { self: true, group: null, value: "_self_", package: null, optional: false, override: false } as const

const overrideKeyOf = ({ key, package: named }: Override): string => (named === null ? key : `${key}@${named}`)

export class DefaultsTree {
  readonly repository: Repository
  readonly surroundings: Surroundings
  readonly problems: Array<Problem>
  private readonly chosen = new Map<string, Chosen>()
  private readonly deletions = new Map<
    string,
    { readonly value: string | null; readonly text: string; used: boolean }
  >()
  private readonly appended: Array<DefaultsItem> = []
  private readonly choices = new Map<string, string | null>()
  private readonly keysOfGroup = new Map<string, Set<string>>()
  private readonly layers: Array<Layer> = []
  private readonly listed = new Set<string>()
  /** The files that are being followed: the chain of defaults that led to a mistake. */
  private readonly chain: Array<string> = []

  constructor(repository: Repository, surroundings: Surroundings, problems: Array<Problem>) {
    this.repository = repository
    this.surroundings = surroundings
    this.problems = problems
  }

  private note(origin: Origin | null, kind: string, message: string, suggestions: ReadonlyArray<string> = []): void {
    this.problems.push(problemAt(origin, kind, message, suggestions))
  }

  /** Takes the overrides that choose options of groups; gives back those that set values. */
  takeGroups(overrides: ReadonlyArray<Override>): ReadonlyArray<Override> {
    return overrides.filter((override) => {
      if (!this.repository.groupExists(override.key) || override.value?.kind === "map") return true
      this.takeGroup(override)
      return false
    })
  }

  private takeGroup(override: Override): void {
    const { kind, text } = override
    const origin: Origin = { source: "override", text }
    const key = overrideKeyOf(override)
    if (kind === "force") {
      this.note(
        null,
        "force_add_group",
        `The override "${text}" cannot stand for a group; write +${text.slice(2)} to add it.`
      )
      return
    }
    const value = override.value === null ? null : toValue(override.value)
    if (kind === "delete") {
      this.deletions.set(key, { value: typeof value === "string" ? value : null, text, used: false })
      return
    }
    const options = Array.isArray(value) ? value : [value]
    if (!options.every((option) => typeof option === "string")) {
      this.note(
        null,
        "group_override_type",
        `The override "${text}" chooses an option of the group ${override.key}, so it must be a text or a list of texts; `
          + `there are ${this.repository.options(override.key).join(", ")}.`
      )
      return
    }
    const choice = typeof value === "string" ? value : options
    if (kind === "change") this.chosen.set(key, { value: choice, origin, within: null, used: false })
    else {
      this.appended.push({
        origin,
        self: false,
        group: override.key,
        value: choice,
        package: override.package,
        optional: false,
        override: false
      })
    }
  }

  /** The files to merge, in their order; empty if the primary one is missing. */
  list(primary: string): ReadonlyArray<Layer> {
    const path = primary.replace(/^\//, "").replace(/\.yaml$/, "")
    const item: DefaultsItem = {
      origin: { source: "override", text: primary },
      self: false,
      group: null,
      value: `/${path}`,
      package: null,
      optional: false,
      override: false
    }
    this.layers.push(...this.follow(new Choice(item, "", "", true), false))
    this.checkUsed()
    return this.layers
  }

  /** Files of a choice and of all that it leads to. Later entries are followed first: their overrides reach earlier ones. */
  private follow(choice: Choice, interpolated: boolean): ReadonlyArray<Layer> {
    if (choice.item.group !== null) {
      const key = choice.overrideKey
      const deletion = this.deletions.get(key)
      if (deletion !== undefined && (deletion.value === null || deletion.value === choice.value)) {
        deletion.used = true
        return []
      }
      if (!this.noteChoice(choice, key)) return []
    }
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
      ...(choice.primary ? this.appended : [])
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
      this.replaceChoice(next)
      if (Array.isArray(next.value)) {
        parts.unshift(
          ...next.value.map((option: string) => this.optionOf(next, option, folder, choice.package)).toReversed()
            .map((option) => this.follow(option, interpolated)).toReversed()
        )
      } else if (typeof next.value === "string" && next.value.includes("${")) {
        parts.unshift(next)
      } else {
        parts.unshift(this.follow(next, interpolated))
      }
    }
    const layers = parts.flatMap((part) => (part instanceof Choice ? this.followInterpolated(part) : part))
    return layers
  }

  /** One option of several: a config by its own path, which counts as no choice of the group. */
  private optionOf(choice: Choice, option: string, folder: string, parentPackage: string): Choice {
    return new Choice({ ...choice.item, group: null, value: `${choice.item.group}/${option}` }, folder, parentPackage)
  }

  private followInterpolated(choice: Choice): ReadonlyArray<Layer> {
    const { origin } = choice.item
    const known = [...this.choices].map(([text, value]) => ({
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
          [...this.choices.keys()].join(", ")
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
        if (last !== null && !this.appended.includes(item)) {
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
      const key = new Choice(item, choice.groupPath, choice.package).overrideKey
      if (!this.chosen.has(key)) {
        this.chosen.set(key, { value: item.value, origin: item.origin, within: choice.configPath, used: false })
      }
    }
  }

  private replaceChoice(choice: Choice): void {
    if (choice.item.group === null) return
    const chosen = this.chosen.get(choice.overrideKey)
    if (chosen === undefined) return
    chosen.used = true
    choice.value = chosen.value
  }

  private noteChoice(choice: Choice, key: string): boolean {
    const value = typeof choice.value === "string" ? choice.value : null
    const before = this.choices.get(key)
    if (this.choices.has(key) && (before !== value || this.listed.has(key))) {
      const written = this.chosen.get(key)?.origin ?? choice.item.origin
      this.note(
        written.source === "file" ? choice.item.origin : written,
        "duplicate_group",
        `The group ${key} is chosen twice, as ${String(before)} and as ${String(value)}; `
          + `to change the choice write "override ${key}: ${String(value)}".`
      )
      return false
    }
    this.choices.set(key, value)
    this.listed.add(key)
    const keys = this.keysOfGroup.get(choice.groupPath) ?? new Set()
    this.keysOfGroup.set(choice.groupPath, keys.add(key))
    return true
  }

  private noteMissing(choice: Choice): void {
    const path = choice.configPath
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ""
    const name = path.slice(folder === "" ? 0 : folder.length + 1)
    const options = this.repository.options(folder)
    const chosen = choice.item.group === null ? undefined : this.chosen.get(choice.overrideKey)
    const origin = choice.primary ? null : chosen?.origin ?? choice.item.origin
    const led = this.chain.length > 1 ? ` (by way of ${this.chain.join(" -> ")})` : ""
    const where = folder === "" ? "" : ` in the group ${folder}`
    if (options.length === 0 && folder !== "" && !this.repository.groupExists(folder)) {
      const groups = this.repository.groups("")
      this.note(
        origin,
        "missing_config",
        `There is no group "${folder}"${led}; ${didYouMean(folder, groups)}`,
        nearest(folder, groups)
      )
      return
    }
    this.note(
      origin,
      "missing_config",
      `There is no config "${name}"${where}${led}; ${didYouMean(name, options)}`,
      nearest(name, options)
    )
  }

  private checkUsed(): void {
    for (const [key, chosen] of this.chosen) {
      if (chosen.used) continue
      const group = key.split("@")[0] ?? key
      const known = [...this.keysOfGroup.get(group) ?? []]
      const help = known.length > 0
        ? `did you mean ${known.join(" or ")}?`
        : `no defaults list holds it${
          chosen.within === null ? `; to add it write +${key}=${String(chosen.value)}` : ""
        }.`
      const kind = known.length > 0 ? "override_no_match" : "group_override_no_match"
      this.note(chosen.origin, kind, `The choice for ${key} changes nothing: ${help}`, known)
    }
    for (const [key, { text, used }] of this.deletions) {
      if (!used) {
        this.note(null, "delete_no_match", `The override "${text}" deletes nothing: no defaults list holds ${key} so.`)
      }
    }
  }
}
