import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { folder, run } from "./shells.ts"
import { planned, toy } from "./toy.ts"

const template = `#!/bin/bash
{sbatch_directives}

{env_exports}

echo starting {name}
srun {srun_opts}bash -c '{launcher_cmd}'
`

const launcher = "{{env_exports}} export NODE_IP=$(hostname -i | awk '{print $1}') ; " +
  "apptainer exec {{bind_flags}}{{env_flags}}--nv ${container.image}"

/** A sweep of two points on two nodes in an image, with all that a script may have to quote. */
const example = (home: string, array: boolean) => {
  fs.writeFileSync(`${home}/job.sbatch`, template)
  return toy({
    slurm: {
      template_path: `${home}/job.sbatch`,
      array,
      launcher_cmd: launcher,
      srun: { exclusive: true, overlap: false, wait: 60, cpus_per_task: 8 },
      srun_opts: "--label",
      env: {
        MASTER_ADDR: "$(scontrol show hostnames | head -n1)",
        MASTER_PORT: 29500,
        WHO: "slurm",
        HOSTS: "$(scontrol show hostnames)"
      },
      sbatch: { nodes: 2, time: "02:00:00", account: "acc", partition: "gpu", gpus_per_node: 4, mem: null },
      sbatch_overrides: { nodes: 3, reservation: "r1" },
      sbatch_extra_directives: ["#SBATCH --constraint=a100"]
    },
    container: {
      image: "/img/m.sif",
      bind: ["/data:/data", "/scratch"],
      env: { CC: "gcc-12", WHO: "container of $WHO", QUOTED: "it's \"so\"; $(echo run)" }
    },
    sweep: {
      base_values: { "backend.megatron.micro_batch_size": 1 },
      axes: { "backend.megatron.lr": [0.001, 0.00001] },
      name_template: "toy_lr{backend.megatron.lr}_{index}"
    },
    backend: {
      class_name: "AutoMegatronBackend",
      launcher_script: "/src/pretrain_gpt.py",
      use_torchrun: true,
      torchrun_args: {
        nproc_per_node: 4,
        rdzv_endpoint: "$MASTER_ADDR:$MASTER_PORT",
        verbose: true,
        quiet: false,
        none_arg: null
      },
      env: { PYTHONPATH: "/src", OMP_NUM_THREADS: 8, WHO: "backend of $WHO" },
      extra_cli_args: ["--log-throughput", "--wandb-exp-name", "it's ok"],
      megatron: {
        num_layers: 2,
        hidden_size: 64,
        num_attention_heads: 4,
        max_position_embeddings: 128,
        bf16: true,
        add_bias_linear: false,
        data_path: ["/d/a", "/d/b"],
        tokenizer_model: "a b",
        train_tokens: "1e6",
        seq_length: 128,
        global_batch_size: 24
      }
    }
  })
}

/** Stand-ins that print what they were given, each argument in brackets, and their environment's part that is ours. */
const standIns: Readonly<Record<string, string>> = {
  scontrol: "echo node07; echo node08",
  hostname: "echo 10.0.0.7 10.0.0.8",
  autoexp: "echo unused",
  // As sites have it that hand on no environment: what is to arrive must be in the command.
  srun:
    "printf 'srun [%s]\\n' \"$@\"; while [ \"${1#--}\" != \"$1\" ]; do shift; done; exec env -i PATH=\"$PATH\" \"$@\"",
  apptainer:
    "printf 'apptainer [%s]\\n' \"$@\"; for n in MASTER_ADDR MASTER_PORT HOSTS WHO PYTHONPATH OMP_NUM_THREADS CC QUOTED " +
    "NODE_IP SLURM_ARRAY_TASK_ID; do printf '%s=[%s]\\n' \"$n\" \"${!n}\"; done"
}

const runScript = (home: string, script: string, more: Readonly<Record<string, string>> = {}) => {
  fs.mkdirSync(`${home}/bin`)
  for (const [name, text] of Object.entries(standIns)) {
    fs.writeFileSync(`${home}/bin/${name}`, `#!/bin/bash\n${text}\n`, { mode: 0o755 })
  }
  fs.writeFileSync(`${home}/run.sbatch`, script)
  return run(["bash", "-eu", `${home}/run.sbatch`], { PATH: `${home}/bin:${process.env["PATH"] ?? ""}`, ...more })
}

const argumentsOf = (stdout: string, program: string): ReadonlyArray<string> =>
  [...stdout.matchAll(new RegExp(`^${program} \\[((?:.|\\n)*?)\\]$`, "gm"))].map(([, word = ""]) => word)

const variables = [
  "MASTER_ADDR=[node07]",
  "MASTER_PORT=[29500]",
  "HOSTS=[node07\nnode08]",
  "WHO=[container of backend of slurm]",
  "PYTHONPATH=[/src]",
  "OMP_NUM_THREADS=[8]",
  "CC=[gcc-12]",
  "QUOTED=[it's \"so\"; run]",
  "NODE_IP=[10.0.0.7]"
]

const directives = (name: string, output: string, ...more: ReadonlyArray<string>) => [
  "--account=acc",
  "--nodes=3",
  "--partition=gpu",
  "--time=02:00:00",
  "--gpus-per-node=4",
  ...more,
  "--reservation=r1",
  `--job-name=${name}`,
  `--output=${output}`,
  "--open-mode=append",
  "--constraint=a100"
]

const directivesOf = (text: string) => [...text.matchAll(/^#SBATCH (.*)$/gm)].map(([, option]) => option)

describe("the worked example, run by bash", () => {
  it("W-11: brings argv and all three environments to the runtime, even where srun passes none on", async () => {
    const home = folder()
    const { files, manifest } = await planned(home, example(home, false))
    const script = files.find(({ path }) => path === manifest.jobs[1]?.script)?.text ?? ""
    expect(directivesOf(script)).toEqual(directives("toy_lr1e-05_1", `${home}/out/toy_lr1e-05_1/slurm-%j.out`))
    const { code, stdout } = await runScript(home, script)
    expect(code).toBe(0)
    expect(stdout).toContain("starting toy_lr1e-05_1\n")
    const names = ["MASTER_ADDR", "MASTER_PORT", "WHO", "HOSTS", "PYTHONPATH", "OMP_NUM_THREADS", "CC", "QUOTED"]
    const values = new Map(
      variables.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 2, -1)])
    )
    expect(argumentsOf(stdout, "srun").slice(0, 4)).toEqual([
      "--exclusive",
      "--wait=60",
      "--cpus-per-task=8",
      "--label"
    ])
    expect(argumentsOf(stdout, "apptainer")).toEqual([
      "exec",
      ...["--bind", "/data:/data", "--bind", "/scratch"],
      ...[
        "--nv",
        "/img/m.sif",
        "env",
        ...names.map((name) => `${name}=${values.get(name)}`),
        "python",
        "-u",
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "4"
      ],
      ...["--rdzv-endpoint", "node07:29500", "--verbose", "/src/pretrain_gpt.py"],
      ...["--num-layers", "2", "--hidden-size", "64", "--num-attention-heads", "4", "--max-position-embeddings", "128"],
      ...["--micro-batch-size", "1", "--global-batch-size", "24", "--disable-bias-linear", "--lr", "1e-05", "--bf16"],
      ...["--data-path", "/d/a", "/d/b", "--seq-length", "128", "--tokenizer-model", "a b", "--train-iters", "326"],
      ...["--log-throughput", "--wandb-exp-name", "it's ok"]
    ])
    for (const line of variables) expect(stdout).toContain(`\n${line}\n`)
  })

  it("W-11: is one array whose tasks have the same environments, and their number", async () => {
    const home = folder()
    const { files, manifest } = await planned(home, example(home, true))
    const script = files.find(({ path }) => path === manifest.array?.script)?.text ?? ""
    const output = directivesOf(script).find((option) => option?.startsWith("--output="))?.slice("--output=".length) ??
      ""
    expect(directivesOf(script)).toEqual(directives("toy-array", output, "--array=0,1"))
    const { code, stdout } = await runScript(home, script, { SLURM_ARRAY_TASK_ID: "1" })
    expect(code).toBe(0)
    for (const line of [...variables, "SLURM_ARRAY_TASK_ID=[1]"]) expect(stdout).toContain(`\n${line}\n`)
    expect(argumentsOf(stdout, "apptainer").slice(-5)).toEqual([
      "sweep-entry",
      "--sweep",
      `${home}/out/sweep-toy-1.json`,
      "--index",
      "1"
    ])
  })

  it("needs an array for each environment of its images that differs", async () => {
    const home = folder()
    const tree = example(home, true)
    const { manifest } = await planned(home, {
      ...tree,
      sweep: { axes: { "container.env.CC": ["gcc-12", "gcc-13"] }, name_template: "toy_{index}" },
      backend: { class_name: "NullBackend" }
    })
    expect(manifest.arrays.map(({ indices }) => indices)).toEqual([[0], [1]])
  })
})
