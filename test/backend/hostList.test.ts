import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { expandHosts } from "../../src/backend/slurm/hostList.ts"

describe("a list of nodes", () => {
  it.each([
    ["lrdn0337", ["lrdn0337"]],
    ["lrdn[0337,0417,2658]", ["lrdn0337", "lrdn0417", "lrdn2658"]],
    ["n[08-11]", ["n08", "n09", "n10", "n11"]],
    ["n[1-2],gpu7 cn-3", ["n1", "n2", "gpu7", "cn-3"]],
    ["rack[1-2]n[01-02]", ["rack1n01", "rack1n02", "rack2n01", "rack2n02"]],
    ["jwb0001.juwels.fzj.de", ["jwb0001"]],
    ["n1,n1,n[1-1]", ["n1"]]
  ])("%s is expanded", (text, nodes) => expect(expandHosts(text)).toEqual(nodes))

  it.each([
    "",
    "n[1-",
    "n[]",
    "n[3-1]",
    "n[a]",
    "n]1[",
    "--comment",
    "n1;rm -rf /",
    "$(id)",
    "10.0.0.1",
    "n[0-999999999]",
    "a[0-999]b[0-999]"
  ])("%j is none", (text) => expect(expandHosts(text)).toBeNull())

  it("never names what is no plain name, whatever the text", () => {
    fc.assert(fc.property(fc.string(), (text) => {
      for (const node of expandHosts(text) ?? []) expect(node).toMatch(/^[A-Za-z][A-Za-z0-9_-]*$/)
    }))
  })
})
