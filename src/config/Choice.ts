/**
 * One node of the tree of defaults: which file it stands for, and in which package its content goes.
 * Source: Hydra 1.3 `core/default_element.py`.
 */
import type { DefaultsItem } from "./defaultsItem.ts"

/** A defaults entry seen from the file that holds it. */
export class Choice {
  readonly item: DefaultsItem
  /** The folder and package of the file that holds the entry. */
  readonly baseDir: string
  readonly parentPackage: string
  readonly primary: boolean
  /** The option that counts, after overrides and interpolation. */
  value: DefaultsItem["value"]
  /** What `# @package` of its file says. */
  header: string | null = null

  constructor(item: DefaultsItem, baseDir: string, parentPackage: string, primary = false) {
    this.item = item
    this.baseDir = baseDir
    this.parentPackage = parentPackage
    this.primary = primary
    this.value = item.value
  }

  private get written(): string {
    return this.item.group ?? String(this.value)
  }

  /** The path as written, without the leading "/" of an absolute one. */
  private get relative(): string {
    return this.written.replace(/^\//, "")
  }

  private under(path: string): string {
    return normal(
      this.written.startsWith("/") || this.baseDir === ""
        ? path
        : path === ""
        ? this.baseDir
        : `${this.baseDir}/${path}`
    )
  }

  private get folder(): string {
    return this.item.group === null ? this.relative.replace(/(?:^|\/)[^/]*$/, "") : this.relative
  }

  /** The group's path from the top of the config directory. */
  get groupPath(): string {
    return this.under(this.folder)
  }

  /** The config's path from the top of the config directory. */
  get configPath(): string {
    return this.item.group === null ? this.under(this.relative) : `${this.groupPath}/${String(this.value)}`
  }

  private packageFrom(named: string | null): string {
    const own = (named ?? this.folder.replaceAll("/", "."))
      .replace(/^_here_\.?/, "")
      .replace(/^.*_group_/, () => `_global_.${this.groupPath.replaceAll("/", ".")}`)
    const whole = [this.parentPackage, own].filter((part) => part !== "").join(".")
    const global = whole.lastIndexOf("_global_")
    return global < 0 ? whole : whole.slice(global + "_global_".length).replace(/^\./, "")
  }

  /** Where its content goes, as dotted names; "" is the top. */
  get package(): string {
    if (this.item.package !== null) return this.packageFrom(this.item.package)
    return this.header === null ? this.packageFrom(null) : this.plain(this.header)
  }

  /** A header's words are taken as they are, except `_global_`. */
  private plain(header: string): string {
    const whole = [this.parentPackage, header].filter((part) => part !== "").join(".")
    const global = whole.lastIndexOf("_global_")
    return global < 0 ? whole : whole.slice(global + "_global_".length).replace(/^\./, "")
  }

  /** How an override names this choice: the group, and its package where that is not the group's own. */
  get overrideKey(): string {
    const own = this.groupPath.replaceAll("/", ".")
    const named = this.packageFrom(this.item.package)
    return own === named ? this.groupPath : `${this.groupPath}@${named === "" ? "_global_" : named}`
  }
}

/** `a/../b` is `b`. */
const normal = (path: string): string => {
  const parts: Array<string> = []
  for (const part of path.split("/")) {
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop()
    else if (part !== ".") parts.push(part)
  }
  return parts.join("/")
}
