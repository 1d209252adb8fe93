/** `autoexp completion SHELL` prints what a shell evaluates; `autoexp complete -- WORDS…` is what that asks at each Tab. */
import * as Effect from "effect/Effect"
import { Screen } from "../../report/Screen.ts"
import { clean } from "../../report/width.ts"
import { candidates, isShell, shells } from "../completion/candidates.ts"
import { lookUp } from "../completion/lookup.ts"
import { scripts } from "../completion/scripts.ts"
import type { Handler } from "../Handler.ts"
import { printLines } from "../print.ts"
import { usage } from "../UsageError.ts"

export const completion: Handler<"completion"> = (given) =>
  Effect.gen(function*() {
    if (!isShell(given.operand)) {
      return yield* usage(
        `"${given.operand}" is no shell that completion knows`,
        shells.map((shell) => `autoexp completion ${shell}`)
      )
    }
    const screen = yield* Screen
    return yield* Effect.as(screen.out(scripts[given.operand]), 0)
  })

/** A candidate and, behind a tab, what it means on each line; `:files` and `:folders` where the shell knows better. */
export const complete: Handler<"complete"> = (given) =>
  Effect.gen(function*() {
    const asked = candidates(given.command)
    const found = yield* Effect.forEach(
      asked.sources,
      (source) =>
        source === "files" || source === "folders"
          ? Effect.succeed([])
          : lookUp(source, asked)
    )
    const fitting = [...asked.words, ...found.flat()].filter(({ word }) => word.startsWith(asked.typed))
    yield* printLines([
      ...fitting.map(({ help, word }) => `${asked.kept}${word}\t${clean(help)}`),
      ...asked.sources.filter((source) => source === "files" || source === "folders").map((source) => `:${source}`)
    ])
    return 0
  })
