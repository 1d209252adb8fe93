/** Megatron's rules about processes, batches, layers and experts. Source: its `validate_args` and transformer config. */
import { isList } from "../../Value.ts"
import type { Conflict, Rule } from "./Arguments.ts"

const tp = "tensor_model_parallel_size"
const pp = "pipeline_model_parallel_size"
const cp = "context_parallel_size"
const ep = "expert_model_parallel_size"
const etp = "expert_tensor_parallel_size"
const gbs = "global_batch_size"
const mbs = "micro_batch_size"

const above = (dest: string, least: number): Rule => (all) => {
  const value = all.number(dest)
  return value === null || value >= least
    ? null
    : { dests: [dest], message: `${dest} must be at least ${least}, not ${value}` }
}

/** A conflict if both are known and the first is no multiple of the second. */
const divisible = (
  whole: number | null,
  part: number | null,
  conflict: () => Conflict
): Conflict | null => whole === null || part === null || part === 0 || whole % part === 0 ? null : conflict()

const worldSize: Rule = (all) =>
  divisible(all.world?.count ?? null, all.modelParallel, () => ({
    dests: [tp, pp, cp],
    message: `the world size ${all.world?.count} (${all.world?.why}) is not divisible by ${all.named(tp, pp, cp)}` +
      (all.number("encoder_pipeline_model_parallel_size") ? " and the encoder's sizes" : "")
  }))

const expertWorldSize: Rule = (all) => {
  const [experts, stages] = [all.number(ep), all.number(pp)]
  const tensors = all.number(etp) ?? all.number(tp)
  const size = experts === null || stages === null || tensors === null ? null : experts * stages * tensors
  return all.world === null || experts === 1 ? null : divisible(all.world.count, size, () => ({
    dests: [ep, etp, pp, tp],
    message: `the world size ${all.world?.count} (${all.world?.why}) is not divisible by ` +
      all.named(all.number(etp) === null ? tp : etp, ep, pp)
  }))
}

const batch = (global: string, micro: string): Rule => (all) => {
  const [copies, each] = [all.dataParallel, all.number(micro)]
  return all.value("rampup_batch_size") !== null ? null : divisible(
    all.number(global),
    copies === null || each === null ? null : copies * each,
    () => ({
      dests: [global, micro, tp, pp, cp],
      message: `${all.named(global)} is not divisible by ${all.named(micro)} x the data-parallel size (${copies}): ` +
        `the world size ${all.world?.count} (${all.world?.why}) over ${all.named(tp, pp, cp)}`
    })
  )
}

const globalBatch: Rule = (all) => all.is("decrease_batch_size_if_needed") ? null : batch(gbs, mbs)(all)

const evalBatch: Rule = (all) => {
  if (all.isOld) return null
  const [global, micro] = [gbs, mbs].map((dest) => all.isGiven(`eval_${dest}`) ? `eval_${dest}` : dest)
  return global === undefined || micro === undefined || global === gbs && micro === mbs
    ? null
    : batch(global, micro)(all)
}

const layout = "pipeline_model_parallel_layout"
const perStage = "num_layers_per_virtual_pipeline_stage"
const perRank = "num_virtual_stages_per_pipeline_rank"

const layers: Rule = (all) => {
  const free = ["decoder_first_pipeline_num_layers", "decoder_last_pipeline_num_layers", layout, "hybrid_layer_pattern"]
  if (free.some((dest) => all.value(dest) !== null)) return null
  const counted = ["account_for_embedding_in_pipeline_split", "account_for_loss_in_pipeline_split"]
    .filter((dest) => all.is(dest))
  const number = all.number("num_layers")
  return divisible(number === null ? null : number + counted.length, all.number(pp), () => ({
    dests: [pp, "num_layers"],
    message: `${all.named("num_layers")}${counted.map((dest) => ` + 1 for ${dest}`).join("")} is not divisible by ${
      all.named(pp)
    }`
  }))
}

const virtualStages: Rule = (all) => {
  const given = [perStage, perRank, layout].filter((dest) => all.value(dest) !== null)
  const [first, second] = given
  if (first === undefined) return null
  if (second !== undefined) return { dests: [first, second], message: `${first} and ${second} exclude one another` }
  const [number, stages, each] = [all.number("num_layers"), all.number(pp), all.number(perStage)]
  if (each !== null) {
    const uneven = ["decoder_first_pipeline_num_layers", "decoder_last_pipeline_num_layers"]
      .find((dest) => all.value(dest) !== null)
    if (uneven !== undefined) {
      return { dests: [perStage, uneven], message: `${perStage} and ${uneven} exclude one another` }
    }
    if (number !== null && stages && number % stages === 0 && (each === 0 || number / stages % each !== 0)) {
      return {
        dests: [perStage, "num_layers", pp],
        message: `the ${number / stages} layers of a stage are not divisible by ${all.named(perStage)}`
      }
    }
  }
  // Of a layout the stages decide; a virtual size of 1 is none in newer versions.
  const isInterleaved = each !== null ?
    stages !== null && number !== null && number / stages / each > 1 || all.isOld
    : all.number(perRank) !== null && (all.isOld || all.number(perRank) !== 1)
  if (!isInterleaved || stages === null) return null
  const least = all.is("overlap_p2p_comm") ? 2 : 3
  return stages >= least ? null : {
    dests: [pp, first],
    message: `${first} needs ${pp} of at least ${least}${least === 3 ? " without overlap_p2p_comm" : ""}, not ${stages}`
  }
}

const heads: Rule = (all) =>
  divisible(all.number("num_attention_heads"), all.number(tp), () => ({
    dests: [tp, "num_attention_heads"],
    message: `${all.named("num_attention_heads")} is not divisible by ${all.named(tp)}`
  }))

const groups: Rule = (all) => {
  if (!all.is("group_query_attention")) return null
  const [number, size] = [all.number("num_query_groups"), all.number(tp)]
  if (!all.isOld && number && size && size % number === 0) return null
  return divisible(number, size, () => ({
    dests: [tp, "num_query_groups"],
    message: `${all.named("num_query_groups")} is not divisible by ${all.named(tp)}${
      all.isOld ? "" : ", nor the other way"
    }`
  }))
}

const context: Rule = (all) => {
  const size = all.number(cp)
  if (size === null || size < 2) return null
  const sizes = all.value("hierarchical_context_parallel_sizes")
  if (isList(sizes) && sizes.reduce<number>((product, each) => product * Number(each), 1) !== size) {
    return {
      dests: ["hierarchical_context_parallel_sizes", cp],
      message: `the product of hierarchical_context_parallel_sizes is not ${all.named(cp)}`
    }
  }
  const kinds = all.value("cp_comm_type")
  if (sizes === null && isList(kinds) && kinds.includes("a2a+p2p")) {
    return { dests: ["cp_comm_type"], message: "cp_comm_type a2a+p2p needs hierarchical_context_parallel_sizes" }
  }
  return divisible(all.number("seq_length"), 2 * size, () => ({
    dests: [cp, "seq_length"],
    message: `${all.named("seq_length")} is not divisible by 2 x ${all.named(cp)}`
  }))
}

const overlap: Rule = (all) =>
  all.is("tp_comm_overlap") && (!all.is("sequence_parallel") || all.number(tp) === 1)
    ? {
      dests: ["tp_comm_overlap", tp, "sequence_parallel"],
      message: `tp_comm_overlap needs sequence_parallel and ${tp} above 1`
    }
    : null

const experts: Rule = (all) => {
  const [size, number] = [all.number(ep), all.number("num_experts")]
  if (size === null || size < 2 || all.is("use_checkpoint_args")) return null
  if (!number) return { dests: [ep, "num_experts"], message: `${all.named(ep)} needs num_experts` }
  if (number % size !== 0) {
    return { dests: [ep, "num_experts"], message: `${all.named("num_experts")} is not divisible by ${all.named(ep)}` }
  }
  if (!all.isOld) return null
  if ((all.number(tp) ?? 1) > 1 && !all.is("sequence_parallel")) {
    return { dests: [ep, tp, "sequence_parallel"], message: `${ep} and ${tp} above 1 need sequence_parallel` }
  }
  return all.is("fp16") ? { dests: ["fp16", ep], message: `${all.named(ep)} does not go with fp16` } : null
}

const mixture: Rule = (all) => {
  const number = all.number("num_experts")
  const isMixture = number !== null && number > 0
  if (!isMixture) {
    const mixed = all.value("moe_layer_freq")
    const isAside = all.is("use_checkpoint_args") || !all.isOld && (isList(mixed) || typeof mixed === "string")
    return all.number("moe_ffn_hidden_size") !== null && !isAside
      ? { dests: ["moe_ffn_hidden_size", "num_experts"], message: "moe_ffn_hidden_size needs num_experts" }
      : null
  }
  const tensors = all.number(etp) ?? all.number(tp)
  if (all.is("add_bias_linear") && (all.isOld || tensors !== 1)) {
    return {
      dests: ["add_bias_linear", "num_experts"],
      message: `num_experts needs add_bias_linear: false${all.isOld ? "" : `, or ${etp} 1`}`
    }
  }
  if (all.isOld && all.is("moe_grouped_gemm") && !all.is("bf16")) {
    return { dests: ["moe_grouped_gemm", "bf16"], message: "moe_grouped_gemm needs bf16" }
  }
  const shared = all.number("moe_shared_expert_intermediate_size")
  return shared !== null && shared <= 0
    ? { dests: ["moe_shared_expert_intermediate_size"], message: "moe_shared_expert_intermediate_size must be above 0" }
    : null
}

export const sizes: ReadonlyArray<Rule> = [
  ...[tp, pp, cp, ep, etp, mbs, gbs].map((dest) => above(dest, 1)),
  worldSize,
  expertWorldSize,
  evalBatch,
  globalBatch,
  layers,
  virtualStages,
  heads,
  groups,
  context,
  overlap,
  experts,
  mixture
]
