/** `autoexp config schema`: what editors check configs by. */
import * as Effect from "effect/Effect"
import { configJsonSchema } from "../../config/jsonSchema.ts"
import type { Handler } from "../Handler.ts"
import { printJson } from "../print.ts"

export const schema: Handler<"config schema"> = () => Effect.as(printJson(configJsonSchema()), 0)
