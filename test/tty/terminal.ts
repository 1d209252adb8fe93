/** A terminal to type into and to look at: one of tmux's, which nobody else shares. */
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { setTimeout } from "node:timers/promises"

/** Missing where tests of a change run, a program must fail there: only a person's machine may be without it. */
export const isThere = (program: string): boolean =>
  process.env["CI"] !== undefined || spawnSync("sh", ["-c", `command -v ${program}`]).status === 0

export interface Terminal {
  /** Types keys, as tmux names them: `Tab`, `Enter`, `C-c`, or text. */
  readonly type: (...keys: ReadonlyArray<string>) => void
  /** What it shows now, without blanks at the ends of lines. */
  readonly screen: () => string
  /** The screen as soon as it shows that; rejects after 20 seconds with what it shows instead. */
  readonly shows: (what: RegExp) => Promise<string>
  readonly close: () => void
}

/** A terminal in which `argv` runs, in `folder`, with nothing but `env` in its environment. */
export const open = (
  argv: ReadonlyArray<string>,
  { columns, env, folder, rows }: {
    readonly folder: string
    readonly env: Readonly<Record<string, string>>
    readonly columns: number
    readonly rows: number
  }
): Terminal => {
  const own = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-tmux-"))
  const tmux = (...args: ReadonlyArray<string>): string =>
    execFileSync("tmux", ["-S", path.join(own, "socket"), "-f", "/dev/null", ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], TERM: "xterm-256color", LC_ALL: "C.UTF-8" }
    })
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  tmux(
    ...[
      "new-session",
      "-d",
      "-x",
      String(columns),
      "-y",
      String(rows),
      "--",
      "env",
      "-i",
      "TERM=screen",
      "LC_ALL=C.UTF-8"
    ],
    ...set,
    ...argv
  )
  const screen = () => tmux("capture-pane", "-p").trimEnd()
  return {
    type: (...keys) => void tmux("send-keys", ...keys),
    screen,
    shows: async (what) => {
      for (let turn = 0; turn < 200; turn += 1) {
        const now = screen()
        if (what.test(now)) return now
        await setTimeout(100)
      }
      throw new Error(`the terminal does not show ${what}, but:\n${screen()}`)
    },
    close: () => {
      spawnSync("tmux", ["-S", path.join(own, "socket"), "kill-server"])
      fs.rmSync(own, { recursive: true, force: true })
    }
  }
}
