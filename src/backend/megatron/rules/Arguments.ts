/** What a Megatron's own checks look at: its arguments, given or by default, and the processes that train together. */
import { toFloat } from "../../numeric.ts"
import { pyStr } from "../../python.ts"
import { isList, type Value } from "../../Value.ts"
import type { ArgumentTable } from "../ArgumentTable.ts"
import { isSameValue } from "../argumentValue.ts"
import { defaultAt } from "../serialise.ts"
import type { Settings } from "../settings.ts"
import type { WorldSize } from "../worldSize.ts"

/** Arguments that do not go together. `message` is a sentence without its full stop. */
export interface Conflict {
  /** The arguments that could be changed, those that matter most first. */
  readonly dests: readonly [string, ...ReadonlyArray<string>]
  readonly message: string
}

/** A rule of Megatron's: null if it holds, or nothing is known of what it is about. */
export type Rule = (all: Arguments) => Conflict | null

/** What a checkpoint may decide instead of the command line. */
const ofCheckpoint: ReadonlySet<string> = new Set([
  ...["num_layers", "hidden_size", "ffn_hidden_size", "num_attention_heads", "num_query_groups", "kv_channels"],
  ...["seq_length", "max_position_embeddings", "position_embedding_type", "group_query_attention", "num_experts"],
  ...["swiglu", "add_bias_linear", "mtp_num_layers"]
])

export class Arguments {
  readonly table: ArgumentTable
  private readonly settings: Settings
  readonly world: WorldSize | null

  constructor(table: ArgumentTable, settings: Settings, world: WorldSize | null) {
    this.table = table
    this.settings = settings
    this.world = world
  }

  /** Whether the rules are those of Megatron core 0.13. */
  get isOld(): boolean {
    return this.table.isOld
  }

  /** The value that Megatron will see; null if it is unset, or what a checkpoint decides. */
  value(dest: string): Value {
    const isElsewhere = dest !== "use_checkpoint_args" && ofCheckpoint.has(dest) && this.is("use_checkpoint_args")
    return isElsewhere ? null : this.settings.get(dest)?.value ?? defaultAt(this.table, dest)
  }

  /** Whether it is given, and not as what it is anyway. */
  isGiven(dest: string): boolean {
    const setting = this.settings.get(dest)
    return setting !== undefined && !isSameValue(setting.value, defaultAt(this.table, dest))
  }

  number(dest: string): number | null {
    const value = this.value(dest)
    return value === null || typeof value === "boolean" ? null : toFloat(value)
  }

  is(dest: string): boolean {
    return this.value(dest) === true
  }

  text(dest: string): string | null {
    const value = this.value(dest)
    return value === null || isList(value) ? null : pyStr(value)
  }

  /** Processes that train copies of the model: null if it is not known, or does not come out even. */
  get dataParallel(): number | null {
    const size = this.modelParallel
    return this.world === null || size === null || this.world.count % size !== 0 ? null : this.world.count / size
  }

  /** Processes that one copy of the model takes. */
  get modelParallel(): number | null {
    const [tp, pp, cp] = ["tensor_model", "pipeline_model", "context"].map((name) =>
      this.number(`${name}_parallel_size`)
    )
    if (!tp || !pp || !cp) return null
    const shards = this.number("tensor_parallel_num_weight_shards")
    const encoder = (this.number("encoder_tensor_model_parallel_size") ?? 0) *
      (this.number("encoder_pipeline_model_parallel_size") ?? 0) * cp
    return tp * pp * cp * (shards === null ? 1 : shards / tp) + encoder
  }

  /** `name (value)`, for sentences. */
  named(...dests: ReadonlyArray<string>): string {
    return dests.map((dest) => `${dest} (${this.text(dest) ?? "unset"})`).join(" x ")
  }
}
