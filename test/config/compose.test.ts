import * as Either from "effect/Either"
import { expect, it } from "vitest"
import { compose } from "../../src/config/compose.ts"
import { resolveConfig } from "../../src/config/resolve.ts"
import { memoryFiles } from "./memory.ts"

it("resolves one file within each of the packages that it is put into", () => {
  const files = memoryFiles({
    "config.yaml": "defaults: [{g@p: a}, {g@q: a}, _self_]\nq: {user: b}\n",
    "g/a.yaml": "user: a\nhome: /h/${.user}\n"
  })
  const surroundings = { environment: {}, timestring: "", configDir: "/conf", read: () => null }
  const { root } = compose(files, "config", [], surroundings)
  expect(root === null ? null : Either.getOrNull(resolveConfig(root, surroundings))).toEqual({
    p: { user: "a", home: "/h/a" },
    q: { user: "b", home: "/h/b" }
  })
})
