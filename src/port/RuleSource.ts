/** The configs that sessions were planned from, as they are today. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** What was seen of the configs, so that what has not changed since is not composed again. Opaque. */
export interface Seen {
  readonly about: string
  readonly stamps: ReadonlyMap<string, string>
}

/** Rules as a config says them; sections are encoded `monitoring` sections. */
export interface SaidRules {
  readonly rules: unknown
  readonly sets: ReadonlyArray<unknown>
  /** For each job that the config still has: its position in `sets`, or null for `rules`. */
  readonly jobs: ReadonlyMap<string, number | null>
}

/** An answer. `nothing`: no file has changed since. `unreadable`: why there are no rules to be had. */
export type Said =
  | { readonly said: "nothing" }
  | { readonly said: "rules"; readonly rules: SaidRules }
  | { readonly said: "unreadable"; readonly message: string }

/** What is asked of {@link RuleSource}. */
export interface RulesQuestion {
  /** Paths of the manifests, the first plan's first. */
  readonly manifests: ReadonlyArray<string>
  /** Further overrides. */
  readonly settings: ReadonlyArray<string>
  /** What an earlier answer has seen; null: compare with what the plans were made of; "nothing": compose in any case. */
  readonly seen: Seen | "nothing" | null
}

export interface RulesAnswer {
  readonly answer: Said
  readonly seen: Seen
}

export class RuleSource extends Context.Tag("autoexp/RuleSource")<RuleSource, {
  /** What the configs of the plans say of the rules. Never fails: what cannot be read is an answer too. */
  readonly ask: (question: RulesQuestion) => Effect.Effect<RulesAnswer>
}>() {}
