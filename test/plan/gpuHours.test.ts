import { describe, expect, it } from "vitest"
import { PyFloat, type ValueMap } from "../../src/backend/Value.ts"
import { jobSize, stageSizes } from "../../src/plan/gpuHours.ts"

const size = (sbatch: ValueMap, overrides: ValueMap = {}) => jobSize({ sbatch, sbatch_overrides: overrides })

describe("the size of a job", () => {
  it.each<[ValueMap[string], number | null]>([
    [90, 1.5],
    ["90", 1.5],
    ["30:00", 0.5],
    ["00:30", 1 / 60],
    ["01:30:00", 1.5],
    ["00:00:01", 1 / 60],
    ["2-12", 60],
    ["1-00:30", 24.5],
    ["1-01:00:00", 25],
    ["UNLIMITED", null],
    ["0", null],
    [null, null]
  ])("has the time limit %j in hours: %j", (time, hours) => {
    expect(size({ time }).hours).toBe(hours)
  })

  it.each<[ValueMap, number]>([
    [{ nodes: 4, gpus_per_node: 4 }, 16],
    [{ nodes: "2-4", "gpus-per-node": "a100:2" }, 8],
    [{ nodes: 2, gres: "gpu:4" }, 8],
    [{ gres: "gpu:a100:2,nvme:900,gpu:h100:1" }, 3],
    [{ gres: "gpu:a100:4(S:0-1)" }, 4],
    [{ gres: "gpu" }, 1],
    [{ gres: "nvme:900" }, 0],
    [{ nodes: 2, gpus_per_node: 4, gres: "gpu:4" }, 8],
    [{ nodes: 4, gpus: 6 }, 6],
    [{ gpus: "a100" }, 1],
    [{ nodes: 2, ntasks_per_node: 4, gpus_per_task: 1 }, 8],
    [{ nodes: 2, ntasks: 3, gpus_per_task: 2 }, 6],
    [{ nodes: 2, gpus_per_node: null, gres: false }, 0],
    [{}, 0]
  ])("counts the GPUs of %j", (options, gpus) => {
    expect(size(options).gpus).toBe(gpus)
  })

  it("is that of the options which win, and no hours of GPUs without GPUs", () => {
    const sbatch = { nodes: 2, gpus_per_node: 4, time: "01:00:00" }
    expect(size(sbatch, { nodes: 8 })).toEqual({ nodes: 8, tasks: 8, gpus: 32, hours: 1, gpuHours: 32, links: 1 })
    expect(size(sbatch, { time: null }).gpuHours).toBe(null)
    expect(size({ nodes: new PyFloat(2) })).toEqual({ nodes: 2, tasks: 2, gpus: 0, hours: null, gpuHours: 0, links: 1 })
  })

  it("counts every link of a chain with its whole time limit", () => {
    const sbatch = { nodes: 2, gpus_per_node: 4, time: "24:00:00" }
    expect(jobSize({ sbatch, sbatch_overrides: {} }, 40)).toMatchObject({ hours: 24, links: 40, gpuHours: 8 * 24 * 40 })
  })

  it("adds up by stage, and says how many have no limit", () => {
    const sized = (stage: string, sbatch: ValueMap) => ({ stage, size: size(sbatch) })
    expect(stageSizes([
      sized("stable", { nodes: 2, gpus_per_node: 4, time: "10:00:00" }),
      sized("decay", { gpus_per_node: 1, time: 30 }),
      sized("stable", { nodes: 2, gpus_per_node: 4 })
    ])).toEqual([
      { stage: "stable", jobs: 2, links: 0, nodes: 4, gpuHours: 80, unlimited: 1 },
      { stage: "decay", jobs: 1, links: 0, nodes: 1, gpuHours: 0.5, unlimited: 0 }
    ])
  })
})
