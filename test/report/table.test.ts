import { describe, expect, it } from "vitest"
import { table } from "../../src/report/table.ts"
import { width } from "../../src/report/width.ts"

interface Row {
  readonly name: string
  readonly count: number | null
}
const columns = [
  { title: "NAME", value: ({ name }: Row) => name },
  { title: "COUNT", value: ({ count }: Row) => count, right: true }
]
const wide = { columns: Infinity, color: false }

describe("a table", () => {
  it("aligns text at the left and numbers at the right, and shows what is missing as a dash", () => {
    expect(table(columns, [{ name: "a", count: 12345678 }, { name: "longer", count: null }], wide)).toEqual([
      "NAME       COUNT",
      "a       12345678",
      "longer         -"
    ])
  })

  it("counts Chinese characters as two columns and combining marks as none", () => {
    expect(table(columns, [{ name: "训练", count: 1 }, { name: "e\u0301t", count: 2 }], wide)).toEqual([
      "NAME  COUNT",
      "训练      1",
      "e\u0301t        2"
    ])
  })

  it("lets no escape sequence, line end or control character of a cell through", () => {
    const [, line] = table(columns, [{ name: "\x1b[31mred\x1b[0m\nnext\x07\x1b]0;title\x07", count: 1 }], wide)
    expect(line).toBe("red next       1")
  })

  it("is never wider than the terminal", () => {
    const rows = [{ name: "x".repeat(30), count: 5 }, { name: "训练".repeat(9), count: 5 }]
    for (let free = 1; free < 45; free++) {
      for (const line of table(columns, rows, { columns: free, color: false })) {
        expect(width(line)).toBeLessThanOrEqual(free)
      }
    }
    expect(table(columns, rows, { columns: 8, color: false })[1]).toBe("xxxxxxx…")
  })

  it("colours a cell without moving its neighbours, and only where colours are wanted", () => {
    const painted = [{ title: "NAME", value: ({ name }: Row) => name, style: () => "32" }, ...columns.slice(1)]
    const rows = [{ name: "ok", count: 1 }]
    expect(table(painted, rows, { columns: 80, color: true })[1]).toBe("\x1b[32mok\x1b[0m        1")
    expect(table(painted, rows, { columns: 80, color: false })[1]).toBe("ok        1")
  })
})
