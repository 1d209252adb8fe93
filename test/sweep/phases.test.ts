import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { edgesOf, expanded, phasesOf } from "./sweeping.ts"

const order = (sweep: object) => Either.getOrThrow(phasesOf(sweep)).order
const message = (sweep: object) => Either.getOrThrow(Either.flip(phasesOf(sweep))).message

const lrs = { params: { lr: [1, 2] } }
const stable = { stage: "stable" }
const decay = { stage: "decay", load: "${sibling.stable.output_dir}/ckpt" }

describe("the phases of an experiment", () => {
  it("are paired by what was chosen besides the stage, whichever group comes first", () => {
    const stages = { configs: [stable, decay] }
    expect(edgesOf({ type: "product", groups: [lrs, stages] })).toEqual([[0, 1], [2, 3]])
    expect(edgesOf({ type: "product", groups: [stages, lrs] })).toEqual([[0, 2], [1, 3]])
  })

  it("are planned generation by generation, each in the order in which the one before releases it", () => {
    const configs = [
      { stage: "c", load: ["${sibling.a.out}", { deep: "${sibling.b.out}" }] },
      { stage: "b", load: "${sibling.a.out}" },
      { stage: "a" }
    ]
    expect(order({ type: "product", groups: [lrs, { configs }] })).toEqual([2, 5, 1, 4, 0, 3])
  })

  it("branch: three decays, and of each a conversion and an evaluation, minus what is filtered out", () => {
    const sweep = {
      type: "product",
      groups: [
        lrs,
        {
          type: "list",
          configs: [
            stable,
            {
              type: "product",
              groups: [
                { params: { steps: [10, 20, 30] } },
                {
                  configs: [
                    decay,
                    { stage: "convert", load: "${sibling.decay.output_dir}" },
                    { stage: "eval", load: "${sibling.convert.output_dir}" }
                  ]
                }
              ]
            }
          ]
        }
      ],
      filter: "lr == 1 or stage == 'stable'"
    }
    // Index 0 is stable, then come decay, convert and eval of each number of steps; 10 is the other stable.
    expect(edgesOf(sweep).map(String).toSorted()).toEqual(
      ["0,1", "1,2", "2,3", "0,4", "4,5", "5,6", "0,7", "7,8", "8,9"].toSorted()
    )
    expect(order(sweep)).toEqual([0, 10, 1, 4, 7, 2, 5, 8, 3, 6, 9])
  })

  it("are found among lists of whole grids by the keys that both vary", () => {
    const groups = [
      { params: { stage: ["a"], lr: [1, 2], seed: [7] } },
      { defaults: { load: "${sibling.a.out}" }, params: { stage: ["b"], lr: [2, 1], bs: [8] } }
    ]
    expect(edgesOf({ type: "list", groups })).toEqual([[1, 2], [0, 3]])
  })

  it("are found through zips and draws, which are the same for all stages", () => {
    const zip = { type: "zip", params: { lr: [1, 2], bs: [3, 4] } }
    const random = { type: "random", samples: 2, params: { wd: { uniform: [0, 1] } } }
    expect(edgesOf({ type: "product", groups: [zip, random, { configs: [stable, decay] }] })).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7]
    ])
    const lines = { type: "zip", groups: [{ configs: [stable, decay] }, { params: { nodes: [4, 1] } }] }
    expect(edgesOf({ type: "product", groups: [lrs, lines] })).toEqual([[0, 1], [2, 3]])
  })

  it("are found in axes too", () => {
    const base_values = { load: "${oc.select:sibling.stable.output_dir,null}" }
    const axes = { lr: [1, 2], stage: ["stable", "decay"] }
    expect(message({ axes, base_values })).toMatch(
      /of point 0 \(stage stable\) refers to sibling\.stable, which is the /
    )
    const staged = { lr: [1, 2], phase: [{ first: 0 }, { second: "${sibling.stable.x}" }] }
    expect(message({ axes: staged })).toMatch(/no point has that stage; there is none\.$/)
  })

  it("may be needed although a filter leaves them out, and are left out where none needs them", () => {
    const groups = [lrs, { configs: [stable, decay] }]
    expect(order({ type: "product", groups, filter: "stage == 'decay' and lr == 1" })).toEqual([0, 1])
    expect(order({ type: "product", groups, filter: "stage == 'stable'" })).toEqual([0, 2])
  })

  it("are none where texts only look like references", () => {
    const configs = [{ ...stable, a: "sibling.stable.x", b: "${siblings.decay.x}", c: "${my.sibling.decay.x}" }]
    expect(edgesOf({ type: "product", groups: [{ configs }] })).toEqual([])
  })
})

describe("a reference that cannot be followed", () => {
  const listed = (...configs: ReadonlyArray<object>) => ({ type: "product", groups: [lrs, { configs }] })

  it("names the nearest stages", () => {
    expect(message(listed(stable, { stage: "decay", load: "${sibling.stabel.out}" }))).toBe(
      "\"load\" of point 1 (stage decay) refers to sibling.stabel, but no point has that stage; did you mean \"stable\"?"
    )
  })

  it("takes no part of a name for the name", () => {
    expect(message(listed({ stage: "stable_long" }, decay))).toMatch(
      /no point has that stage; did you mean "stable_long"/
    )
  })

  it("tells a stage that only other experiments have", () => {
    const base_values = { load: "${sibling.stable.out}" }
    const axes = { x: [2, 1], stage: ["stable", "decay"] }
    expect(message({ axes, base_values, filter: "(x == 1) == (stage == 'stable')" })).toBe(
      "\"load\" of point 0 (stage decay) refers to sibling.stable, but no point with that stage is its sibling: " +
        "each differs in more than the stage"
    )
  })

  it("names all points that may be meant", () => {
    const two = [{ stage: "decay", x: 1 }, { stage: "decay", x: 2 }]
    expect(message(listed(...two, { stage: "eval", load: "${sibling.decay.out}" }))).toMatch(
      /^"load" of point 2 \(stage eval\) refers to sibling\.decay, which may be any of point 0, point 1; /
    )
  })

  it("tells phases that need each other, with the way round", () => {
    const configs = ["a", "b", "c"].map((stage, at, all) => ({ stage, load: `\${sibling.${all[(at + 1) % 3]}.out}` }))
    expect(message(listed({ stage: "d", load: "${sibling.a.out}" }, ...configs))).toBe(
      "these need each other: point 1 (stage a) -> point 2 (stage b) -> point 3 (stage c) -> point 1 (stage a); " +
        "one of them has to do without"
    )
  })

  it("is no matter of points that are left out and that none needs", () => {
    const configs = [stable, { stage: "decay", load: "${sibling.nowhere.out}" }]
    expect(order({ ...listed(...configs), filter: "stage == 'stable'" })).toEqual([0, 2])
  })
})

describe("places", () => {
  it("are told apart by whether the stage is chosen there", () => {
    const { places, points } = expanded({ type: "product", groups: [lrs, { configs: [stable, decay] }] })
    expect([...places]).toEqual([
      ["sweep.groups[0].params.lr", { stage: false, keys: ["lr"] }],
      ["sweep.groups[1].configs", { stage: true, keys: [] }]
    ])
    expect([...points[3]?.choices ?? []]).toEqual([["sweep.groups[0].params.lr", 1], ["sweep.groups[1].configs", 1]])
  })
})
