/** `autoexp container probe`: what the parser inside an image takes; remembered, and used when plans are checked. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as path from "node:path"
import { reading, writeAside } from "../../container/images.ts"
import * as LiveCommands from "../../monitor/LiveCommands.ts"
import { Screen } from "../../report/Screen.ts"
import { probed } from "../containers.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { printLines } from "../print.ts"

export const probe: Handler<"container probe"> = (given) =>
  Effect.gen(function*() {
    const { cwd } = yield* Invocation
    const { cached, digest, json, parser } = yield* probed(given, {
      functions: given.function,
      ...given.python === null ? {} : { python: given.python }
    })
    const file = given.output === null ? null : path.resolve(cwd, given.output)
    if (file !== null) yield* reading(file, writeAside(file, json))
    if (given.json) return yield* Effect.as(Effect.flatMap(Screen, (screen) => screen.out(`${json.trim()}\n`)), 0)
    const { left_out: leftOut, source } = parser
    yield* printLines([
      `${parser.arguments.length} arguments, by ${source.functions.join(" and ")}`,
      `Megatron core ${source.megatron_core_version ?? "of unknown version"}, Python ${source.python}`,
      ...leftOut.length === 0 ? [] : [`left out, since their kind is not known: ${leftOut.join(", ")}`],
      digest === null
        ? "not remembered: a directory may change at any time"
        : `image sha256 ${digest}${cached ? " (remembered from before)" : ""}`,
      ...file === null ? [] : [`written to ${file}`]
    ])
    return 0
  }).pipe(Effect.provide(Layer.merge(LiveCommands.layer, NodeFileSystem.layer)))
