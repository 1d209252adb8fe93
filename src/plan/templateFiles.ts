/** The templates of batch scripts, as points name them. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import { ConfigFiles } from "../config/ConfigFiles.ts"
import type { Loaded } from "../config/load.ts"
import { PlanError } from "./PlanError.ts"
import type { Template } from "./template.ts"

/** The template that a `slurm.template_path` names. */
export type Templates = (given: string) => Either.Either<Template, PlanError>

/** Templates are looked for in the config directory and then in `cwd`; each is read once. */
export const templatesOf = ({ request }: Loaded, cwd: string): Effect.Effect<Templates, never, ConfigFiles> =>
  Effect.map(ConfigFiles, (files) => {
    const known = new Map<string, ReturnType<Templates>>()
    const find = (given: string): ReturnType<Templates> => {
      const places = [...new Set([path.resolve(cwd, request.configDir, given), path.resolve(cwd, given)])]
      for (const place of places) {
        const text = files.read(place)
        if (text !== null) return Either.right({ path: place, text })
      }
      return Either.left(PlanError.at("slurm.template_path", `there is no template at ${places.join(" or ")}`))
    }
    return (given) => {
      const found = known.get(given) ?? find(given)
      known.set(given, found)
      return found
    }
  })
