import { describe, expect, it } from "vitest"
import { PyFloat } from "../../src/backend/Value.ts"
import { expanded, mistake, parameters } from "./sweeping.ts"

const params = {
  lr: { log_uniform: [1e-5, 1e-2] },
  wd: { uniform: [0, 0.5] },
  bs: { choice: [8, 16, 32] },
  opt: ["adam", "sgd"]
}
const random = (settings: object) => ({ type: "random", samples: 50, groups: [{ params }], ...settings })
const number = (value: unknown): number => (value instanceof PyFloat ? value.value : NaN)

describe("a random sweep", () => {
  it("draws within its ranges, and from all of them", () => {
    const points = parameters(random({ samples: 1000 }))
    const lrs = points.map(({ lr }) => number(lr))
    expect(points).toHaveLength(1000)
    expect(lrs.every((lr) => lr >= 1e-5 && lr <= 1e-2)).toBe(true)
    // Of three decades each has about a third.
    for (const [low, high] of [[1e-5, 1e-4], [1e-4, 1e-3], [1e-3, 1e-2]] as const) {
      const share = lrs.filter((lr) => lr >= low && lr < high).length / 1000
      expect(share).toBeGreaterThan(0.28)
      expect(share).toBeLessThan(0.39)
    }
    const mean = points.reduce((sum, { wd }) => sum + number(wd), 0) / 1000
    expect(mean).toBeGreaterThan(0.22)
    expect(mean).toBeLessThan(0.28)
    expect(new Set(points.map(({ bs }) => bs))).toEqual(new Set([8, 16, 32]))
    expect(new Set(points.map(({ opt }) => opt))).toEqual(new Set(["adam", "sgd"]))
  })

  it("is the same each time, and another with another seed", () => {
    expect(parameters(random({ seed: 7 }))).toEqual(parameters(random({ seed: 7 })))
    expect(parameters(random({ seed: 7 }))).not.toEqual(parameters(random({ seed: 8 })))
  })

  it("draws what it drew on every machine before", () => {
    expect(parameters(random({ seed: 1, samples: 2 })).map(({ bs, opt, wd }) => [number(wd), bs, opt])).toEqual([
      [0.09197661539195195, 32, "sgd"],
      [0.26656119258286126, 16, "sgd"]
    ])
  })

  it("keeps its points when it grows, and a key's values when others come and go", () => {
    const few = parameters(random({}))
    expect(parameters(random({ samples: 80 })).slice(0, 50)).toEqual(few)
    const { bs, lr } = params
    const fewer = parameters(random({ groups: [{ params: { new: [1, 2], bs, lr } }] }))
    expect(fewer.map(({ lr }) => lr)).toEqual(few.map(({ lr }) => lr))
  })

  it("multiplies with other groups when it is one of them, and draws one of listed configs", () => {
    const group = random({
      samples: 3,
      groups: [{ params: { a: { uniform: [0, 1] } } }, { configs: [{ b: 1 }, { b: 2 }] }]
    })
    const points = parameters({ type: "product", groups: [group, { params: { c: [1, 2] } }] })
    expect(points).toHaveLength(6)
    expect(points[0]?.["a"]).toEqual(points[1]?.["a"])
    expect(points.every(({ b }) => b === 1 || b === 2)).toBe(true)
  })

  it("draws from what is nested in it, with the nested defaults and filters", () => {
    const nested = {
      type: "list",
      groups: [
        { defaults: { d: 1 }, filter: "x > 2", params: { x: { choice: [1, 2] } } },
        { grids: [{ x: [3] }, { x: [4] }] },
        { type: "zip", params: { x: [5, 6], y: [7, 8] } }
      ]
    }
    const { points } = expanded(random({ samples: 60, groups: [nested] }))
    expect(points).toHaveLength(60)
    for (const { filters, parameters: { d, x, y } } of points) {
      expect([d === 1, y === undefined, filters.length]).toEqual([Number(x) < 3, Number(x) < 5, Number(x) < 3 ? 1 : 0])
    }
  })

  it("tells what is missing or wrong", () => {
    const wrong = (lr: unknown) => mistake(random({ groups: [{ params: { lr } }] }))
    expect(mistake({ type: "random", groups: [{ params }] })).toBe(
      "sweep.samples: type: random needs samples, the number of points that are drawn"
    )
    expect(mistake(random({ samples: 0 }))).toMatch(/^sweep\.samples: samples must be from 1/)
    expect(wrong({ log_uniform: [0, 1] })).toBe(
      "sweep.groups[0].params.lr.log_uniform: the bounds of log_uniform are above 0"
    )
    expect(wrong({ uniform: [2, 1] })).toMatch(/^sweep\.groups\[0\]\.params\.lr\.uniform: a range is two numbers/)
    expect(wrong({ unifrom: [1, 2] })).toMatch(/did you mean "uniform"\?$/)
    expect(wrong(5)).toMatch(/the values are a list/)
    expect(mistake(random({ groups: [random({})] }))).toMatch(
      /^sweep\.groups\[0\]\.type: this stands in a group of type: /
    )
  })
})
