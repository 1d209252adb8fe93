/** The built program in a terminal of its own, and somebody who types there. */
import { spawnSync } from "node:child_process"
import * as path from "node:path"

const program = path.resolve(import.meta.dirname, "../../dist/autoexp.js")

/** Runs argv behind a pseudo-terminal; types the keys when the text that is waited for stands there. */
const terminal = `
import json, os, pty, sys
wanted, keys, argv = json.loads(sys.stdin.read())
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
seen, typed = b"", False
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    seen += data
    if not typed and wanted.encode() in seen:
        typed = True
        os.write(fd, keys.encode())
_, status = os.waitpid(pid, 0)
print(json.dumps({"seen": seen.decode(), "code": os.waitstatus_to_exitcode(status), "typed": typed}))
`

export interface Typed {
  /** All that stood on the terminal, what was typed included. */
  readonly seen: string
  readonly code: number
  /** Whether the program asked. */
  readonly typed: boolean
}

/** Runs autoexp in `folder`; types `keys` as soon as `wanted` stands on its terminal. */
export const typing = (
  { env, folder, keys, wanted }: {
    readonly folder: string
    readonly env: Readonly<Record<string, string>>
    readonly wanted: string
    readonly keys: string
  },
  args: ReadonlyArray<string>
): Typed => {
  const { stderr, stdout } = spawnSync("python3", ["-c", terminal], {
    cwd: folder,
    env: { PATH: process.env["PATH"], TERM: "xterm", ...env },
    input: JSON.stringify([wanted, keys, [process.execPath, program, ...args]]),
    encoding: "utf8",
    timeout: 60_000
  })
  if (stdout === "") throw new Error(`no terminal: ${stderr}`)
  return JSON.parse(stdout) as Typed
}
