/** A configuration as the rest of autoexp uses it. */
import type * as Either from "effect/Either"
import type { Value, ValueMap } from "../backend/Value.ts"
import type { Config } from "./Config.ts"
import type { Path } from "./decode.ts"
import type { PointSetting } from "./Ground.ts"
import type { ConfigError, Origin } from "./Problem.ts"

/** What to load. */
export interface ConfigRequest {
  readonly configDir: string
  /** A config's name in the directory, without extension, or the path of a plain YAML or JSON file. */
  readonly configRef: string
  readonly overrides: ReadonlyArray<string>
}

/** One composed configuration. */
export interface Loaded {
  readonly request: ConfigRequest
  /** Composed, interpolations kept; without a point's parameters, and so one for all points of the same options. */
  readonly unresolved: ValueMap
  readonly resolved: ValueMap
  readonly config: Config
  /**
   * Where the value at the path (`["slurm", "env"]` or `slurm.env`) was set last: a place in a file, an override, or a
   * sweep's point. Of what was written nowhere (a default), where the nearest part around it was; null for the rest.
   */
  readonly origin: (path: Path | string) => Origin | null
  /** The same, and the text that was resolved to give the value; null if it was written as it is. */
  readonly source: (path: Path) => { readonly origin: Origin | null; readonly interpolation: string | null }
  /** The configs whose defaults lists led to a file, the primary one first; empty for any other file. */
  readonly chain: (file: string) => ReadonlyArray<string>
  /**
   * Whether an override of the request sets the key (dotted), a part of it, or what it is part of. One that chooses an
   * option sets the group's own name only: what a sweep sets within it stays. And an option that is the key's `value` at
   * a point stays under overrides of what is in it.
   */
  readonly sets: (key: string, value?: Value) => boolean
  /** The same configuration at a sweep's point: its parameters set, and all that refers to them resolved again. */
  readonly at: (point: PointSetting) => Either.Either<PointLoaded, ConfigError>
}

/** A configuration as it is at one point. `at` leads to other points of the same sweep. */
export interface PointLoaded extends Loaded {
  /** What a value with `${…}` in it is at this point; `name` is what messages call it. */
  readonly value: (name: string, value: Value) => Either.Either<Value, ConfigError>
  /** All parameters of the point, resolved. */
  readonly parameters: ValueMap
  /** Those of them that set no key of the configuration: the backend's; resolved. */
  readonly others: ValueMap
}
