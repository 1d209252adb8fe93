/** Whether arguments go together, by the rules that Megatron itself checks once the job has started. */
import { LaunchError } from "../launch.ts"
import type { ArgumentTable } from "./ArgumentTable.ts"
import { Arguments, type Conflict, type Rule } from "./rules/Arguments.ts"
import { model } from "./rules/model.ts"
import { sizes } from "./rules/sizes.ts"
import { training } from "./rules/training.ts"
import type { Settings } from "./settings.ts"
import type { WorldSize } from "./worldSize.ts"

const rules: ReadonlyArray<Rule> = [...sizes, ...model, ...training]

/** What is checked: one point's arguments. */
export interface Checked {
  readonly table: ArgumentTable
  readonly settings: Settings
  /** Null if only the node knows it. */
  readonly world: WorldSize | null
  /** Whether the sweep sets the value at a place of the config, or a parameter of that name. */
  readonly isSwept: (at: string) => boolean
}

/** The place to change: of those that the sweep sets the first, else of those that are given. */
const placeOf = ({ isSwept, settings }: Checked, { dests: [first, ...rest] }: Conflict): string => {
  const places = [first, ...rest].flatMap((dest) => settings.get(dest)?.at ?? [])
  return places.find(isSwept) ?? places[0] ?? `backend.megatron.${first}`
}

/**
 * All conflicts. Nothing is said where a YAML file of Megatron's own decides, nor of what is not known; values of a
 * checkpoint are not.
 */
export const conflicts = (checked: Checked): ReadonlyArray<LaunchError> => {
  const { settings, table, world } = checked
  if (settings.has("yaml_cfg")) return []
  const all = new Arguments(table, settings, world)
  return rules.flatMap((rule) => {
    const conflict = rule(all)
    return conflict === null ? [] : [new LaunchError({ at: placeOf(checked, conflict), message: conflict.message })]
  })
}

/** What no run can do without, unless a checkpoint or another file has it. */
const needed = [
  ...["num_layers", "hidden_size", "num_attention_heads", "seq_length", "max_position_embeddings", "micro_batch_size"]
]

/** What Megatron needs and nobody gives. */
export const lacking = ({ settings }: Pick<Checked, "settings">): ReadonlyArray<string> =>
  ["yaml_cfg", "use_checkpoint_args", "hybrid_layer_pattern", "hybrid_override_pattern"].some((key) =>
      settings.has(key)
    )
    ? []
    : needed.filter((dest) => !settings.has(dest) && !settings.has(`encoder_${dest}`))
