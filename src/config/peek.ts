/** One value of a configuration by itself, for callers that must be quick: nothing else is resolved, typed or checked. */
import * as Effect from "effect/Effect"
import type { Value } from "../backend/Value.ts"
import { compose } from "./compose.ts"
import { ConfigFiles } from "./ConfigFiles.ts"
import type { Node } from "./Node.ts"
import { Resolution } from "./resolve.ts"
import { timestring } from "./timestring.ts"
import { failed } from "./walk.ts"

const nodeAt = (node: Node | null | undefined, path: ReadonlyArray<string>): Node | null =>
  path.reduce<Node | null>(
    (inner, key) => inner?.kind === "map" ? inner.entries.get(key)?.node ?? null : null,
    node ?? null
  )

/** The value at each of `paths` in the config of that name; null where there is none, or it cannot be told. */
export const peek = (
  configDir: string,
  configRef: string,
  paths: ReadonlyArray<ReadonlyArray<string>>
): Effect.Effect<ReadonlyArray<Value>, never, ConfigFiles> =>
  Effect.map(ConfigFiles, (files) => {
    const surroundings = {
      environment: files.environment,
      timestring: timestring(0),
      configDir: files.absolute(configDir),
      read: (path: string) => files.read(files.absolute(path))
    }
    const { root } = compose(files, configRef, [], surroundings)
    if (root === null) return paths.map(() => null)
    const resolution = new Resolution(root, surroundings)
    return paths.map((path) => {
      const node = nodeAt(root, path)
      const value = node === null ? null : resolution.value(node)
      return value === failed ? null : value
    })
  })
