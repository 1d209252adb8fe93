/** Every resolver there is: what `${name:…}` can call. A new one is a line in its family's list. */
import { arithmetic } from "./resolvers/arithmetic.ts"
import { builtin } from "./resolvers/builtin.ts"
import { cluster } from "./resolvers/cluster.ts"
import { collections } from "./resolvers/collections.ts"
import { conditions } from "./resolvers/conditions.ts"
import type { Resolvers } from "./resolvers/Resolver.ts"
import { templates } from "./resolvers/templates.ts"

export const resolvers: Resolvers = {
  ...builtin,
  ...arithmetic,
  ...collections,
  ...templates,
  ...conditions,
  ...cluster
}
