/**
 * Which option of each group counts: chosen on the command line, by `override` entries, or where the group is listed.
 * Source: Hydra 1.3 `defaults_list.py`, class `Overrides`.
 */
import type { Choice } from "./Choice.ts"
import type { DefaultsItem } from "./defaultsItem.ts"
import { toValue } from "./Node.ts"
import { type Override, partOrigin } from "./overrides.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"
import type { Repository } from "./Repository.ts"

/** A choice made for a group elsewhere than where the group is listed. */
interface Chosen {
  readonly value: DefaultsItem["value"]
  readonly origin: Origin
  /** The file that holds the `override`; null for the command line. */
  readonly within: string | null
  used: boolean
}

interface Deletion {
  readonly value: string | null
  readonly origin: Origin
  readonly text: string
  used: boolean
}

const overrideKeyOf = ({ key, package: named }: Override): string => (named === null ? key : `${key}@${named}`)

export class GroupChoices {
  readonly repository: Repository
  readonly problems: Array<Problem>
  /** What the command line adds to the primary defaults list. */
  readonly appended: Array<DefaultsItem> = []
  /** The option of each group met so far; null for none. */
  readonly met = new Map<string, string | null>()
  private readonly chosen = new Map<string, Chosen>()
  private readonly deletions = new Map<string, Deletion>()
  private readonly keysOfGroup = new Map<string, Set<string>>()

  constructor(repository: Repository, problems: Array<Problem>) {
    this.repository = repository
    this.problems = problems
  }

  private note(origin: Origin | null, kind: string, message: string, suggestions: ReadonlyArray<string> = []): void {
    this.problems.push(problemAt(origin, kind, message, suggestions))
  }

  /** Takes the overrides that choose options of groups; gives back those that set values. */
  take(overrides: ReadonlyArray<Override>): ReadonlyArray<Override> {
    return overrides.filter((override) => {
      if (!this.repository.groupExists(override.key) || override.value?.kind === "map") return true
      this.takeOne(override)
      return false
    })
  }

  private takeOne(override: Override): void {
    const { kind, text } = override
    const group = partOrigin(override, 0)
    const origin = override.value?.origin ?? group
    const key = overrideKeyOf(override)
    if (kind === "force") {
      this.note(
        group,
        "force_add_group",
        `The override "${text}" cannot stand for a group; write +${text.slice(2)} to add it.`
      )
      return
    }
    const value = override.value === null ? null : toValue(override.value)
    if (kind === "delete") {
      this.deletions.set(key, { value: typeof value === "string" ? value : null, origin: group, text, used: false })
      return
    }
    const options = Array.isArray(value) ? value : [value]
    if (!options.every((option) => typeof option === "string")) {
      this.note(
        origin,
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

  /** An `override` entry of the file `within`; what was chosen before it, and the command line, win. */
  override(key: string, item: DefaultsItem, within: string): void {
    if (!this.chosen.has(key)) this.chosen.set(key, { value: item.value, origin: item.origin, within, used: false })
  }

  /** Gives the listed choice the option that was chosen elsewhere. */
  replace(choice: Choice): void {
    if (choice.item.group === null) return
    const chosen = this.chosen.get(choice.overrideKey)
    if (chosen === undefined) return
    chosen.used = true
    choice.value = chosen.value
  }

  /** Where the option was chosen. */
  originOf(choice: Choice): Origin {
    const chosen = choice.item.group === null ? undefined : this.chosen.get(choice.overrideKey)
    return chosen?.origin ?? choice.item.origin
  }

  /** Whether the choice stands: it is not deleted, and the first one of its group. */
  admit(choice: Choice): boolean {
    if (choice.item.group === null) return true
    const key = choice.overrideKey
    const deletion = this.deletions.get(key)
    if (deletion !== undefined && (deletion.value === null || deletion.value === choice.value)) {
      deletion.used = true
      return false
    }
    const value = typeof choice.value === "string" ? choice.value : null
    if (this.met.has(key)) {
      const chosen = this.chosen.get(key)?.origin
      this.note(
        chosen === undefined || chosen.source === "file" ? choice.item.origin : chosen,
        "duplicate_group",
        `The group ${key} is chosen twice, as ${String(this.met.get(key))} and as ${String(value)}; `
          + `to change the choice write "override ${key}: ${String(value)}".`
      )
      return false
    }
    this.met.set(key, value)
    const keys = this.keysOfGroup.get(choice.groupPath) ?? new Set()
    this.keysOfGroup.set(choice.groupPath, keys.add(key))
    return true
  }

  /** Notes the overrides that changed nothing. */
  checkUsed(): void {
    for (const [key, chosen] of this.chosen) {
      if (chosen.used) continue
      const group = key.split("@")[0] ?? key
      const known = [...this.keysOfGroup.get(group) ?? []]
      const help = known.length > 0
        ? `did you mean ${known.join(" or ")}?`
        : `no defaults list holds it${
          chosen.origin.source === "point"
            ? ", and a sweep can only choose for a group that is listed"
            : chosen.within === null
            ? `; to add it write +${key}=${String(chosen.value)}`
            : ""
        }.`
      const kind = known.length > 0 ? "override_no_match" : "group_override_no_match"
      this.note(chosen.origin, kind, `The choice for ${key} changes nothing: ${help}`, known)
    }
    for (const [key, { origin, text, used }] of this.deletions) {
      if (!used) {
        const message = `The override "${text}" deletes nothing: no defaults list holds ${key} so.`
        this.note(origin, "delete_no_match", message)
      }
    }
  }
}
