/** Megatron's rules about the model and its number types. Source: its `validate_args` and transformer config. */
import type { Rule } from "./Arguments.ts"

/** Neither with the other. */
export const exclusive = (one: string, other: string): Rule => (all) =>
  all.isGiven(one) && all.isGiven(other)
    ? { dests: [one, other], message: `${one} and ${other} exclude one another` }
    : null

/** Not without one of the others. */
export const needs = (one: string, ...others: readonly [string, ...ReadonlyArray<string>]): Rule => (all) =>
  all.is(one) && !others.some((other) => all.is(other))
    ? { dests: [one, ...others], message: `${one} needs ${others.join(" or ")}` }
    : null

/** A rule of core 0.13 only. */
export const old = (rule: Rule): Rule => (all) => all.isOld ? rule(all) : null
/** A rule of newer versions only. */
export const recent = (rule: Rule): Rule => (all) => all.isOld ? null : rule(all)

const positions: Rule = (all) => {
  const most = all.number("max_position_embeddings")
  const long = ["seq_length", "decoder_seq_length"].find((dest) => (all.number(dest) ?? 0) > (most ?? Infinity))
  return long === undefined ? null : {
    dests: [long, "max_position_embeddings"],
    message: `${all.named(long)} is above ${all.named("max_position_embeddings")}`
  }
}

const headWidth: Rule = (all) => {
  const [width, heads] = [all.number("hidden_size"), all.number("num_attention_heads")]
  return all.number("kv_channels") !== null || width === null || !heads || width % heads === 0 ? null : {
    dests: ["hidden_size", "num_attention_heads"],
    message: `${all.named("hidden_size")} is not divisible by ${
      all.named("num_attention_heads")
    }, and kv_channels is unset`
  }
}

const embedding: Rule = (all) => {
  const kind = all.is("use_rotary_position_embeddings") ? "rope" : all.text("position_embedding_type")
  const dest = "position_embedding_type"
  if (kind === "mrope" && all.value("mrope_section") === null) {
    return { dests: [dest, "mrope_section"], message: "position_embedding_type mrope needs mrope_section" }
  }
  if (kind === "relative" && all.text("transformer_impl") !== "transformer_engine") {
    return { dests: [dest, "transformer_impl"], message: "position_embedding_type relative needs transformer_engine" }
  }
  if (kind !== "rope" && all.value("add_position_embedding") === false) {
    return { dests: ["add_position_embedding", dest], message: "only with rope can add_position_embedding be false" }
  }
  if (all.isOld && kind === "rope" && all.is("rotary_interleaved") && all.is("apply_rope_fusion")) {
    return {
      dests: ["rotary_interleaved", "apply_rope_fusion"],
      message: "rotary_interleaved does not go with apply_rope_fusion"
    }
  }
  const predicts = all.number("mtp_num_layers") !== null
  if (predicts && kind !== "rope" && kind !== "none") {
    return { dests: ["mtp_num_layers", dest], message: "mtp_num_layers needs position_embedding_type rope or none" }
  }
  return predicts && all.isOld && (all.number("context_parallel_size") ?? 1) > 1
    ? { dests: ["mtp_num_layers", "context_parallel_size"], message: "mtp_num_layers needs context_parallel_size 1" }
    : null
}

const hybrid: Rule = (all) => {
  if (all.value("hybrid_layer_pattern") === null) return null
  const other = [
    ...[
      "num_layers_per_virtual_pipeline_stage",
      "num_virtual_stages_per_pipeline_rank",
      "pipeline_model_parallel_layout"
    ],
    ...["account_for_embedding_in_pipeline_split", "account_for_loss_in_pipeline_split"]
  ].find((dest) => all.isGiven(dest))
  return other === undefined
    ? null
    : { dests: [other, "hybrid_layer_pattern"], message: `${other} does not go with hybrid_layer_pattern` }
}

const gradients: Rule = (all) =>
  all.is("bf16") && all.is("accumulate_allreduce_grads_in_fp32") && all.text("main_grads_dtype") !== "fp32"
    ? {
      dests: ["accumulate_allreduce_grads_in_fp32", "main_grads_dtype"],
      message: `accumulate_allreduce_grads_in_fp32 does not go with ${all.named("main_grads_dtype")}`
    }
    : null

const fp8Gather: Rule = (all) =>
  needs("fp8_param_gather", "use_distributed_optimizer", "use_torch_fsdp2", ...all.isOld ? [] : ["use_megatron_fsdp"])(
    all
  )

const fp4Gather: Rule = (all) =>
  all.is("fp4_param_gather") && all.value("fp4") === null
    ? { dests: ["fp4_param_gather", "fp4"], message: "fp4_param_gather needs fp4" }
    : null

export const model: ReadonlyArray<Rule> = [
  positions,
  headWidth,
  exclusive("swiglu", "squared_relu"),
  exclusive("swiglu", "quick_geglu"),
  embedding,
  recent(exclusive("multi_latent_attention", "group_query_attention")),
  recent(hybrid),
  exclusive("fp16", "bf16"),
  gradients,
  needs("fp16_lm_cross_entropy", "fp16"),
  needs("fp32_residual_connection", "fp16", "bf16"),
  fp8Gather,
  recent(exclusive("fp4", "fp8")),
  recent(fp4Gather)
]
