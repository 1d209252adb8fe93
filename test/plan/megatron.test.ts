import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { planned, refused, toy } from "./toy.ts"

let home = ""
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), "megatron-"))
})
afterEach(() => fs.rmSync(home, { recursive: true }))

const megatron = {
  ...{ num_layers: 8, hidden_size: 64, num_attention_heads: 8, seq_length: 128, max_position_embeddings: 128 },
  ...{ micro_batch_size: 1, global_batch_size: 64 }
}

/** A model on two nodes of four GPUs, with a sweep. */
const tree = (axes: Readonly<Record<string, unknown>>, backend: Readonly<Record<string, unknown>> = {}) =>
  toy({
    slurm: { sbatch: { nodes: 2, gpus_per_node: 4 } },
    backend: {
      class_name: "AutoMegatronBackend",
      launcher_script: "/src/pretrain_gpt.py",
      use_torchrun: true,
      torchrun_args: { nnodes: 2, nproc_per_node: 4 },
      megatron,
      ...backend
    },
    sweep: { axes }
  })

const line = (text: string): number =>
  fs.readFileSync(path.join(home, "config/autoexp.yaml"), "utf8").split("\n").findIndex((each) => each.includes(text)) +
  1

describe("a sweep of Megatron", () => {
  it("names the one point of 500 whose sizes do not divide the processes, with the line that sets it", async () => {
    const sizes = Array.from({ length: 500 }, (_, at) => at === 333 ? 3 : [1, 2, 4, 8][at % 4])
    const points = sizes.map((size, at) => ({ tensor_model_parallel_size: size, seed: at + 1 }))
    const config = tree({})
    const said = await refused(home, { ...config, sweep: { type: "list", groups: [{ configs: points }] } })
    expect(said).toContain("point 333 (toy_333): the world size 8 (torchrun: 2 nodes of 4) is not divisible by ")
    expect(said).toMatch(new RegExp(`autoexp\\.yaml:${line("tensor_model_parallel_size: 3")}:`))
  })

  it.each([
    ["an argument of another version", { use_megatron_fsdp: true }, "Megatron main has it"],
    [
      "heads over tensors",
      { num_attention_heads: 6, hidden_size: 60, tensor_model_parallel_size: 4 },
      "num_attention_heads (6)"
    ],
    [
      "groups over tensors",
      { group_query_attention: true, num_query_groups: 2, tensor_model_parallel_size: 4 },
      "num_query_groups (2)"
    ],
    ["layers over stages", { num_layers: 6, pipeline_model_parallel_size: 4 }, "num_layers (6) is not divisible by"],
    [
      "batches over copies",
      { global_batch_size: 12 },
      "global_batch_size (12) is not divisible by micro_batch_size (1) x"
    ],
    [
      "a sequence over contexts",
      { seq_length: 126, context_parallel_size: 2 },
      "seq_length (126) is not divisible by 2 x"
    ],
    ["experts without any", { expert_model_parallel_size: 2 }, "needs num_experts"],
    ["long sequences", { seq_length: 256 }, "seq_length (256) is above max_position_embeddings (128)"],
    ["both half precisions", { fp16: true, bf16: true }, "fp16 and bf16 exclude one another"],
    ["iterations and samples", { train_iters: 5, train_samples: 5 }, "train_samples does not go with train_iters"],
    ["an end above the start", { lr: 0.1, min_lr: 0.2 }, "min_lr (0.2) is above lr (0.1)"],
    ["a long warm-up", { train_iters: 5, lr_warmup_iters: 5 }, "lr_warmup_iters (5) must be below train_iters (5)"],
    ["gathers alone", { overlap_param_gather: true }, "overlap_param_gather needs use_distributed_optimizer"],
    ["checkpoints at no time", { save: "x" }, "save needs save_interval"],
    ["full recomputing by no method", { recompute_granularity: "full" }, "needs recompute_method block or uniform"],
    ["data and no data", { mock_data: true, data_path: ["a"] }, "mock_data and data_path exclude one another"]
  ])("is refused before it costs anything: %s", async (_, given, words) => {
    expect(await refused(home, tree({ seed: [1, 2] }, { megatron: { ...megatron, ...given } }))).toContain(words)
  })

  it("takes what goes together, and says what Megatron will miss", async () => {
    const plan = await planned(home, tree({ tensor_model_parallel_size: [1, 2, 4, 8] }))
    expect([plan.manifest.jobs.length, plan.notes]).toEqual([4, []])
    const bare = await planned(home, tree({}, { megatron: { num_layers: 2 } }))
    expect(bare.notes).toContain("Megatron needs hidden_size, and nothing of the config gives it")
  })

  it("counts what extra arguments set, and lets rules be left out", async () => {
    const extra = { extra_cli_args: ["--tensor-model-parallel-size=3"] }
    expect(await refused(home, tree({}, extra))).toContain("backend.extra_cli_args: the world size 8")
    expect((await planned(home, tree({}, { ...extra, check_consistency: false }))).manifest.jobs).toHaveLength(1)
  })
})

describe("the worked example of the predecessor", () => {
  it("W-11, W-61: gives the script that was meant: the backend's environment in it, and every argument as it is", async () => {
    const config = {
      ...toy({
        slurm: {
          template_path: path.resolve(import.meta.dirname, "../../config/templates/cluster.sbatch"),
          launcher_cmd: "{{env_exports}} export NODE_IP=$(hostname -i | awk '{print $1}') ; " +
            "apptainer exec {{bind_flags}}{{env_flags}}--nv ${container.image}",
          srun: { exclusive: true, overlap: false, wait: 60, cpus_per_task: 8 },
          srun_opts: "--label",
          env: { MASTER_PORT: 29500, HOSTS: "$(scontrol show hostnames \"$SLURM_JOB_NODELIST\")" },
          sbatch: { nodes: 2, time: "02:00:00", account: "acc", partition: "gpu", gpus_per_node: 4, mem: null },
          sbatch_overrides: { nodes: 3, reservation: "r1" },
          sbatch_extra_directives: ["#SBATCH --constraint=a100"]
        },
        container: { image: "/img/m.sif", bind: ["/data:/data", "/scratch"] },
        backend: {
          class_name: "AutoMegatronBackend",
          launcher_script: "/src/pretrain_gpt.py",
          use_torchrun: true,
          torchrun_args: {
            ...{ nproc_per_node: 4, rdzv_endpoint: "$MASTER_ADDR:$MASTER_PORT", verbose: true, quiet: false },
            none_arg: null
          },
          env: { PYTHONPATH: "/src", OMP_NUM_THREADS: 8 },
          extra_cli_args: ["--log-throughput", "--note", "it's ok"],
          megatron: {
            ...{ num_layers: 2, hidden_size: 64, bf16: true, add_bias_linear: false, data_path: ["/d/a", "/d/b"] },
            ...{ tokenizer_model: "a b", aux: { x: 1 }, train_tokens: 1e6, seq_length: 128, global_batch_size: 8 }
          }
        },
        sweep: {
          axes: { lr: [0.001, 0.00001] },
          base_values: { micro_batch_size: 4 },
          name_template: "toy_lr{lr}_{index}"
        }
      })
    }
    const { files, manifest } = await planned(home, config)
    const script = files.find(({ path: file }) => file === manifest.jobs[1]?.script)?.text ?? ""
    const shown = script.replaceAll(home, "HOME").split("\n").filter((line) =>
      /^(?:#SBATCH|export|srun|HOSTS=)/.test(line)
    )
    expect(shown.join("\n")).toMatchSnapshot()
  })
})
