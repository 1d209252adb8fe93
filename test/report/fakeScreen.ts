/** A screen that remembers, and what a terminal of that size would show of it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Screen } from "../../src/report/Screen.ts"

export const fakeScreen = (
  options: {
    readonly interactive?: boolean
    readonly color?: boolean
    readonly columns?: number
    readonly rows?: number
  } = {}
) => {
  const { color = false, columns = 80, interactive = false, rows = 24 } = options
  const written = { out: "", err: "" }
  const screen = Screen.of({
    out: (text) => Effect.sync(() => void (written.out += text)),
    err: (text) => Effect.sync(() => void (written.err += text)),
    interactive,
    color,
    size: Effect.succeed(interactive ? { columns, rows } : { columns: Infinity, rows: 0 })
  })
  return { screen, layer: Layer.succeed(Screen, screen), written }
}

/** The lines a terminal shows after `text`: understands line ends, cursor up, erase below, and cursor on and off. */
export const emulate = (text: string) => {
  const lines: Array<string> = [""]
  let row = 0
  let cursor = true
  // eslint-disable-next-line no-control-regex
  for (const [part, rows] of text.matchAll(/\x1b\[(\d+)A|\x1b\[J|\x1b\[\?25[lh]|\x1b\[[\d;]*m|\r|\n|[^\x1b\r\n]+/g)) {
    if (rows !== undefined) row = Math.max(0, row - Number(rows))
    else if (part === "\x1b[J") lines.splice(row, Infinity, "")
    else if (part === "\x1b[?25l" || part === "\x1b[?25h") cursor = part.endsWith("h")
    else if (part === "\n") lines[++row] ??= ""
    else if (part !== "\r" && !part.startsWith("\x1b")) lines[row] += part
  }
  return { lines: lines.slice(0, -1), cursor }
}
