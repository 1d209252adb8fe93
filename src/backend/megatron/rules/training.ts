/** Megatron's rules about length, schedule, optimizer, data and checkpoints. Source: its `validate_args` and scheduler. */
import type { Conflict, Rule } from "./Arguments.ts"
import { exclusive, needs, old, recent } from "./model.ts"

const length: Rule = (all) => {
  if (!all.isOld && all.is("skip_train")) return null
  const clash = (mode: string, others: ReadonlyArray<string>): Conflict | null => {
    const other = all.value(mode) === null ? undefined : others.find((dest) => all.isGiven(dest))
    return other === undefined ? null : { dests: [other, mode], message: `${other} does not go with ${mode}` }
  }
  return clash("train_iters", [
    ...["train_samples", "lr_decay_samples", "lr_warmup_samples"],
    ...all.isOld ? ["rampup_batch_size"] : []
  ]) ?? clash("train_samples", ["lr_decay_iters", "lr_warmup_iters"])
}

const rates: Rule = (all) => {
  const [low, high] = [all.number("min_lr"), all.number("lr")]
  if (low !== null && low < 0) return { dests: ["min_lr"], message: `min_lr cannot be below 0, as ${low} is` }
  return low !== null && high !== null && low > high
    ? { dests: ["lr", "min_lr"], message: `${all.named("min_lr")} is above ${all.named("lr")}` }
    : null
}

const warmup: Rule = (all) => {
  const unit = all.value("train_samples") === null ? "iters" : "samples"
  const decay = all.value(`lr_decay_${unit}`) === null ? `train_${unit}` : `lr_decay_${unit}`
  const [steps, warm] = [all.number(decay), all.number(`lr_warmup_${unit}`)]
  const fraction = all.number("lr_warmup_fraction")
  if (fraction !== null && fraction >= 1) {
    return { dests: ["lr_warmup_fraction"], message: `${all.named("lr_warmup_fraction")} must be below 1` }
  }
  return fraction !== null || steps === null || warm === null || warm < steps || all.is("skip_train") ? null : {
    dests: [`lr_warmup_${unit}`, decay],
    message: `${all.named(`lr_warmup_${unit}`)} must be below ${all.named(decay)}`
  }
}

const wsd: Rule = (all) => {
  const unit = all.value("train_samples") === null ? "iters" : "samples"
  const dest = `lr_wsd_decay_${unit}`
  return all.text("lr_decay_style") === "WSD" && all.value(dest) === null && all.value(`train_${unit}`) !== null
    ? { dests: ["lr_decay_style", dest], message: `lr_decay_style WSD needs ${dest}` }
    : null
}

const weightDecay: Rule = (all) => {
  const ends = ["start_weight_decay", "end_weight_decay"]
  const isConstant = all.text("weight_decay_incr_style") === "constant"
  const wrong = ends.find((dest) => all.isGiven(dest) === isConstant)
  return wrong === undefined ? null : {
    dests: [wrong, "weight_decay_incr_style"],
    message: `${all.named("weight_decay_incr_style")} ${isConstant ? "does not go with" : "needs"} ${wrong}`
  }
}

const rampup: Rule = (all) => {
  const value = all.value("rampup_batch_size")
  return Array.isArray(value) && value.length !== 3
    ? { dests: ["rampup_batch_size"], message: `rampup_batch_size takes 3 values, not ${value.length}` }
    : null
}

const gather: Rule = (all) => {
  const others = all.isOld ? [] : ["use_megatron_fsdp"]
  const isMuon = !all.isOld && all.text("optimizer") === "dist_muon"
  return (isMuon ? null : needs("overlap_param_gather", "use_distributed_optimizer", ...others)(all)) ??
    needs("overlap_param_gather", "overlap_grad_reduce")(all)
}

const torchFsdp: Rule = (all) => {
  const dest = "use_torch_fsdp2"
  const format = all.text("ckpt_format")
  if (!all.is(dest)) {
    return format === "torch_dcp"
      ? { dests: ["ckpt_format", dest], message: `ckpt_format torch_dcp needs ${dest}` }
      : null
  }
  const parallel = ["pipeline_model_parallel_size", "expert_model_parallel_size"]
    .find((size) => (all.number(size) ?? 1) !== 1)
  if (parallel !== undefined) return { dests: [parallel, dest], message: `${dest} needs ${parallel} 1` }
  const other = ["use_distributed_optimizer", "gradient_accumulation_fusion", "fp16"].find((each) => all.is(each))
  if (other !== undefined) return { dests: [dest, other], message: `${dest} needs ${other}: false` }
  if (!all.is("untie_embeddings_and_output_weights")) {
    return { dests: [dest], message: `${dest} needs untie_embeddings_and_output_weights` }
  }
  return format === "torch_dist" || format === "torch_dcp"
    ? null
    : { dests: ["ckpt_format", dest], message: `${dest} needs ckpt_format torch_dist or torch_dcp, not ${format}` }
}

const megatronFsdp: Rule = (all) => {
  const isUsed = all.is("use_megatron_fsdp")
  const isFormat = all.text("ckpt_format") === "fsdp_dtensor"
  if (isUsed !== isFormat && (isUsed || isFormat)) {
    const message = isUsed
      ? "use_megatron_fsdp needs ckpt_format fsdp_dtensor"
      : "ckpt_format fsdp_dtensor needs use_megatron_fsdp"
    return { dests: ["ckpt_format", "use_megatron_fsdp"], message }
  }
  const optimizer = all.text("optimizer")
  return isUsed && optimizer !== "adam" && optimizer !== "sgd"
    ? {
      dests: ["optimizer", "use_megatron_fsdp"],
      message: `use_megatron_fsdp needs optimizer adam or sgd, not ${optimizer}`
    }
    : null
}

const recompute: Rule = (all) => {
  const [kind, method] = [all.text("recompute_granularity"), all.text("recompute_method")]
  if (kind === "selective" && method !== null) {
    return {
      dests: ["recompute_method", "recompute_granularity"],
      message: "recompute_granularity selective takes no recompute_method"
    }
  }
  if (kind === "full" && method === null) {
    return {
      dests: ["recompute_granularity"],
      message: "recompute_granularity full needs recompute_method block or uniform"
    }
  }
  if (kind === "full" && (all.number("recompute_num_layers") ?? 0) < 1) {
    return {
      dests: ["recompute_num_layers", "recompute_granularity"],
      message: "recompute_granularity full needs recompute_num_layers of at least 1"
    }
  }
  const isDistributable = kind === "full" && method !== null && (all.number("tensor_model_parallel_size") ?? 1) > 1
  return all.is("distribute_saved_activations") && !isDistributable
    ? {
      dests: ["distribute_saved_activations", "tensor_model_parallel_size", "recompute_granularity"],
      message: "distribute_saved_activations needs recompute_granularity full and tensor_model_parallel_size above 1"
    }
    : null
}

const gloo: Rule = (all) => {
  const dest = all.isOld ? "enable_gloo_process_groups" : "use_gloo_process_groups"
  return all.value(dest) === false && all.is("use_distributed_optimizer") && all.text("ckpt_format") === "torch"
    ? { dests: ["ckpt_format", dest], message: `${dest}: false needs a ckpt_format other than torch` }
    : null
}

const embeddingGradients: Rule = (all) =>
  all.is("defer_embedding_wgrad_compute") && (all.number("pipeline_model_parallel_size") ?? 1) < 2
    ? {
      dests: ["defer_embedding_wgrad_compute", "pipeline_model_parallel_size"],
      message: "defer_embedding_wgrad_compute needs pipeline_model_parallel_size above 1"
    }
    : null

const data: Rule = (all) => {
  const has = (dest: string): boolean => all.isGiven(dest)
  const split = ["train_data_path", "valid_data_path", "test_data_path"].find(has)
  const [first, second] = [
    ...["mock_data", "data_path"].filter(has),
    ...split === undefined ? [] : [split]
  ]
  const both = second !== undefined && first !== undefined
    ? [first, second] as const
    : has("data_path") && has("data_args_path")
    ? ["data_path", "data_args_path"] as const
    : split !== undefined && has("per_split_data_args_path")
    ? [split, "per_split_data_args_path"] as const
    : null
  return both === null ? null : { dests: both, message: `${both.join(" and ")} exclude one another` }
}

const saving: Rule = (all) => {
  const every = all.number("save_interval")
  if (all.value("save") !== null && every === null) {
    return { dests: ["save", "save_interval"], message: "save needs save_interval" }
  }
  if (!all.isOld && every !== null && every <= 0) {
    return { dests: ["save_interval"], message: "save_interval must be above 0" }
  }
  const kept = all.number("save_retain_interval")
  return kept !== null && every && (kept <= 0 || kept % every !== 0)
    ? {
      dests: ["save_retain_interval", "save_interval"],
      message: `${all.named("save_retain_interval")} is no multiple of ${all.named("save_interval")}`
    }
    : null
}

const upcycling: Rule = (all) =>
  all.is("moe_use_upcycling") && all.value("save") === null
    ? { dests: ["moe_use_upcycling", "save"], message: "moe_use_upcycling needs save" }
    : null

const conversion: Rule = (all) => {
  const lacking = all.value("ckpt_convert_format") === null
    ? undefined
    : ["ckpt_convert_save", "load"].find((dest) => all.value(dest) === null)
  return lacking === undefined ? null : {
    dests: ["ckpt_convert_format", lacking],
    message: `ckpt_convert_format needs ${lacking}`
  }
}

const memoryLog: Rule = (all) => {
  const [every, log] = [all.number("log_memory_interval"), all.number("log_interval")]
  return every === null || !log || every % log === 0 ? null : {
    dests: ["log_memory_interval", "log_interval"],
    message: `${all.named("log_memory_interval")} is no multiple of ${all.named("log_interval")}`
  }
}

const stepSchedule: Rule = exclusive("step_batch_size_schedule", "global_batch_size")

export const training: ReadonlyArray<Rule> = [
  length,
  (all) =>
    exclusive("lr_warmup_fraction", `lr_warmup_${all.value("train_samples") === null ? "iters" : "samples"}`)(all),
  rates,
  warmup,
  wsd,
  exclusive("override_opt_param_scheduler", "use_checkpoint_opt_param_scheduler"),
  weightDecay,
  recent(stepSchedule),
  rampup,
  gather,
  torchFsdp,
  recent(megatronFsdp),
  recompute,
  needs("optimizer_cpu_offload", "use_precision_aware_optimizer"),
  gloo,
  embeddingGradients,
  old(exclusive("deterministic_mode", "use_flash_attn")),
  old(exclusive("deterministic_mode", "cross_entropy_loss_fusion")),
  data,
  saving,
  upcycling,
  recent(exclusive("override_ckpt_iteration", "finetune")),
  recent(needs("load_main_params_from_ckpt", "no_load_optim")),
  conversion,
  memoryLog
]
