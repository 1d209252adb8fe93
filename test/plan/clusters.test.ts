import * as fs from "node:fs"
import * as os from "node:os"
import { describe, expect, it } from "vitest"
import { hasShellcheck, shellcheck } from "./shellcheck.ts"
import { folder, run } from "./shells.ts"
import { plan, profile } from "./shipped.ts"

const command = `python train.py it's`
const jsc = ["--exclusive", "--wait=60", "--threads-per-core=1", "--gpu-bind=none"]

/** What each cluster's job runs in its image, and with which options of srun and modules. */
const clusters: Readonly<
  Record<string, { readonly runs: string; readonly srun: ReadonlyArray<string>; readonly modules: string }>
> = {
  juwels: {
    runs: `singularity exec --nv /images/MegatronTraining_x86_64.sif ${command} 10.1.2.3`,
    srun: [...jsc, "--cpus-per-task=8"],
    modules: "Stages/2025 GCC/13.3.0 Python/3.12.3 CUDA/12 cuDNN/9.5.0.50-CUDA-12 NCCL/default-CUDA-12 OpenMPI/5.0.5 " +
      "ParaStationMPI/5.11.0-1 ParaStationMPI/5.11.0-1-mt ScaLAPACK/2.2.0-fb"
  },
  jupiter: {
    runs: `apptainer exec --nv --bind /e/ /images/MegatronTraining_aarch64.sif ${command} 10.1.2.3`,
    srun: [...jsc, "--cpus-per-task=16"],
    modules: "Stages/2024 GCC/12.3.0 CUDA/12.1 NCCL/2.20.5"
  },
  leonardo: {
    runs: `singularity exec --nv --bind /leonardo_scratch/ /images/MegatronTraining_x86_64.sif ${command} 10.1.2.3`,
    srun: [...jsc, "--cpus-per-task=16"],
    modules: ""
  },
  lumi: {
    runs: `singularity exec --pwd ${process.cwd()} --bind /boot/config-${os.release()},/pfs/,/scratch/,/flash/,` +
      `${process.cwd()},/opt/cray/pe/lmod/ /images/MegatronTrainingLumi_x86_64.sif ${command} node07`,
    srun: ["--exclusive", "--wait=60", "--cpus-per-task=7", "--jobid=123456", "--network=disable_rdzv_get"],
    modules: "purge"
  },
  marenostrum: {
    runs: `singularity exec --nv --bind /gpfs/ /images/MegatronTraining_x86_64.sif ${command} node07`,
    srun: ["--wait=60", "--cpus-per-task=80"],
    modules: ""
  },
  snellius: {
    runs: `apptainer exec --nv /images/MegatronTraining_x86_64.sif ${command} node07`,
    srun: ["--wait=60", "--cpus-per-task=64"],
    modules: ""
  }
}

/** Stand-ins for what a node has and this host lacks; `srun` notes its options and runs the rest as task 5 of node 1. */
const standIns: Readonly<Record<string, string>> = {
  scontrol: "echo node07; echo node08",
  nslookup:
    "printf 'Server:\\t\\t10.0.0.1\\nAddress:\\t10.0.0.1#53\\n\\nName:\\t%s.cluster\\nAddress: 10.1.2.3\\n' \"$1\"",
  hostname: "echo node08",
  "nvidia-smi": "echo GPU 0",
  srun:
    "while [ \"${1#--}\" != \"$1\" ]; do echo \"$1\"; shift; done; SLURM_PROCID=5 SLURM_LOCALID=1 SLURM_NODEID=1 exec \"$@\"",
  singularity: "echo singularity \"$@\"; printf '%s\\n' \"RANK=${RANK:-}\" \"LOCAL_ADDR=${LOCAL_ADDR:-}\"; env",
  apptainer: "echo apptainer \"$@\"; printf '%s\\n' \"RANK=${RANK:-}\" \"LOCAL_ADDR=${LOCAL_ADDR:-}\"; env",
  ml: "echo ml \"$@\""
}

const runScript = (home: string, script: string) => {
  for (const [name, text] of Object.entries(standIns)) {
    fs.mkdirSync(`${home}/bin`, { recursive: true })
    fs.writeFileSync(`${home}/bin/${name}`, `#!/bin/bash\n${text}\n`, { mode: 0o755 })
  }
  return run(["bash", "-eu", script], {
    PATH: `${home}/bin:${process.env["PATH"] ?? ""}`,
    USER: "me",
    SLURM_JOB_ID: "123456",
    SLURM_JOB_NODELIST: "node[07-08]",
    SLURM_NTASKS: "1",
    SLURM_JOB_NAME: "x"
  })
}

describe.each(Object.entries(clusters))("on %s", (cluster, { modules, runs, srun }) => {
  it("the smoke experiment plans without anything exported", async () => {
    const { manifest, text } = await plan(folder(), { ref: `experiments/${cluster}_smoke` })
    expect(manifest.jobs).toHaveLength(1)
    expect(manifest.scheduler.client).toMatchObject({ class_name: "SlurmClient", submit_cmd: "sbatch" })
    expect(text).toMatch(/^#SBATCH --partition=\S+$/m)
    expect(text).toMatch(/^#SBATCH --time=00:05:00$/m)
    expect(text).not.toMatch(/--account|--qos|None|\{\{|\$\{oc/)
  })

  it("it takes account, partition and QOS from the profile", async () => {
    const { text } = await plan(folder(), { ref: `experiments/${cluster}_smoke`, environment: profile })
    expect(text).toMatch(/^#SBATCH --account=project_465$/m)
    expect(text).toMatch(/^#SBATCH --partition=gpus-debug$/m)
    if (["leonardo", "marenostrum"].includes(cluster)) expect(text).toMatch(/^#SBATCH --qos=normal$/m)
  })

  it("its script says what each task sees", async () => {
    const home = folder()
    const { script } = await plan(home, { ref: `experiments/${cluster}_smoke` })
    const { code, stderr, stdout } = await runScript(home, script)
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^autoexp: started by hand.*\n$/) })
    const address = ["juwels", "jupiter", "leonardo"].includes(cluster) ? "10\\.1\\.2\\.3" : "node07"
    expect(stdout).toMatch(new RegExp(`\ntask 5 of 1 on \\S+, \\d+ cores, master ${address}:23456\nGPU 0\n$`))
  })

  it("the image runs with its mounts, and sees the environment", async () => {
    const home = folder()
    const { script, text } = await plan(home, {
      overrides: [
        `slurm=${cluster}`,
        `container=${cluster}`,
        "backend=command",
        "backend.command=[python,train.py,\"it's $MASTER_ADDR\"]",
        "sweep=none",
        "scheduler=default"
      ],
      environment: profile
    })
    expect(text).toMatch(/^#SBATCH --partition=gpus$/m)
    const { code, stdout } = await runScript(home, script)
    expect(code).toBe(0)
    const lines = stdout.split("\n")
    expect(lines).toContain(runs)
    expect(lines.filter((line) => line.startsWith("--")).sort()).toEqual([...srun].sort())
    expect(lines.flatMap((line) => line.startsWith("ml ") ? [line.slice(3)] : []).join(" ")).toBe(modules)
    expect(lines).toContain("MASTER_PORT=23456")
    expect(lines).toContain(`MACHINE_NAME=${cluster}`)
    if (cluster === "lumi") {
      expect(lines).toEqual(expect.arrayContaining([
        "RANK=5",
        "LOCAL_RANK=1",
        "WORLD_SIZE=8",
        "MIOPEN_USER_DB_PATH=/tmp/me-miopen-cache-1",
        "MIOPEN_CUSTOM_CACHE_DIR=/tmp/me-miopen-cache-1"
      ]))
    } else {
      expect(lines).toEqual(expect.arrayContaining(["NUM_NODES=1", "GPUS_PER_NODE=4", "NUM_GPUS=4"]))
    }
    if (["juwels", "jupiter", "leonardo"].includes(cluster)) expect(lines).toContain("LOCAL_ADDR=10.1.2.3")
  })

  it("its script is the one that was looked at, and sound to bash and ShellCheck", async ({ skip }) => {
    const home = folder()
    const { script, text } = await plan(home, {
      overrides: [
        `slurm=${cluster}`,
        `container=${cluster}`,
        "backend=command",
        "backend.command=[python,train.py,\"it's $MASTER_ADDR\"]",
        "sweep=none",
        "scheduler=default"
      ],
      environment: profile
    })
    await expect(text.replaceAll(home, "/home/me")).toMatchFileSnapshot(`golden/${cluster}.sbatch`)
    expect(await run(["bash", "-n", script])).toEqual({ code: 0, stdout: "", stderr: "" })
    if (!hasShellcheck) skip("ShellCheck is not installed here")
    expect(shellcheck(script)).toBe("")
  })

  it("counts follow the number of nodes, and time limits stay what they say", async () => {
    const { text } = await plan(folder(), {
      overrides: [`slurm=${cluster}`, "slurm.sbatch.nodes=4", "backend=none", "sweep=none"]
    })
    expect(text).toMatch(cluster === "lumi" ? /^export WORLD_SIZE="32"$/m : /^export NUM_GPUS="16"$/m)
    expect(text).toMatch(/^#SBATCH --nodes=4$/m)
    expect(text).toMatch(/^#SBATCH --time=\d\d:\d\d:00$/m)
  })
})
