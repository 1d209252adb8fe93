/** Where reports go: the terminal of whoever started autoexp, or the pipe or file that stands in for it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export class Screen extends Context.Tag("autoexp/Screen")<Screen, {
  /** Writes to standard output as it is. */
  readonly out: (text: string) => Effect.Effect<void>
  /** Writes to standard error as it is. */
  readonly err: (text: string) => Effect.Effect<void>
  /** Whether standard output is a terminal on which lines can be redrawn. */
  readonly interactive: boolean
  /** Whether standard output wants colours (a terminal, and NO_COLOR is not set). */
  readonly color: boolean
  /** Columns and rows of the terminal at this moment; without one, columns without bound and no rows. */
  readonly size: Effect.Effect<{ readonly columns: number; readonly rows: number }>
}>() {}

/** Writes, and waits where the reader is slower: what it has not taken yet would pile up in memory. */
const write = (stream: NodeJS.WriteStream, text: string): Effect.Effect<void> =>
  Effect.async((resume) => {
    let isFull = false
    // Also called of a reader that is gone.
    isFull = !stream.write(text, () => isFull ? resume(Effect.void) : undefined)
    if (!isFull) resume(Effect.void)
  })

/** The process's own standard output and error. */
export const layer: Layer.Layer<Screen> = Layer.sync(Screen, () => {
  const { env, stderr, stdout } = process
  const interactive = stdout.isTTY === true && env["TERM"] !== "dumb"
  return {
    out: (text) => write(stdout, text),
    err: (text) => write(stderr, text),
    interactive,
    color: interactive && (env["NO_COLOR"] ?? "") === "",
    size: Effect.sync(() =>
      interactive ? { columns: stdout.columns || 80, rows: stdout.rows || 24 } : { columns: Infinity, rows: 0 }
    )
  }
})
