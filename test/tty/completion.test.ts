/** Tab in real shells, which have nothing but what `autoexp completion` gave them. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "../e2e/demo.ts"
import { isThere, open, type Terminal } from "./terminal.ts"

const root = path.resolve(import.meta.dirname, "../..")

let demo: Demo
beforeAll(async () => {
  demo = makeDemo()
  fs.mkdirSync(path.join(demo.folder, "bin"))
  fs.writeFileSync(
    path.join(demo.folder, "bin/autoexp"),
    `#!/bin/sh\nexec "${process.execPath}" "${root}/dist/autoexp.js" "$@"\n`,
    { mode: 0o755 }
  )
  await demo.run(["run", "--plan-id", "first-try", "--config-ref", "experiments/demo_oom"])
  fs.symlinkSync(path.join(root, "config"), path.join(demo.folder, "config"))
  fs.writeFileSync(path.join(demo.folder, "a manifest.json"), "")
  fs.mkdirSync(path.join(demo.folder, "other"))
}, 120_000)
afterAll(() => demo.remove())

const shells = {
  bash: { argv: ["bash", "--noprofile", "--norc", "-i"], begin: "source <(autoexp completion bash); PS1='> '" },
  zsh: {
    argv: ["zsh", "-f", "-i"],
    begin: "autoload -U compinit; compinit -u -D; source <(autoexp completion zsh); PS1='> '"
  },
  fish: {
    argv: ["fish", "--no-config", "-i"],
    begin: "autoexp completion fish | source; function fish_prompt; echo '> '; end"
  }
}

/** What is typed before Tab, and the line that then stands there. */
const lines: ReadonlyArray<readonly [typed: string, becomes: string]> = [
  ["autoexp sess", "autoexp session"],
  ["autoexp session sh", "autoexp session show"],
  ["autoexp run --dry", "autoexp run --dry-run"],
  ["autoexp run slurm=juw", "autoexp run slurm=juwels"],
  ["autoexp run backend/meg", "autoexp run backend/megatron"],
  ["autoexp run --config-ref experiments/demo_", "autoexp run --config-ref experiments/demo_oom"],
  ["autoexp session show fir", "autoexp session show first-try"],
  ["autoexp events --session=fir", "autoexp events --session=first-try"],
  ["autoexp job cancel --session first-try --job dem", "autoexp job cancel --session first-try --job demo_oom"],
  ["autoexp run --state-dir oth", "autoexp run --state-dir other/"],
  ["autoexp run --manifest a", "autoexp run --manifest a\\ manifest.json"]
]

describe.each(Object.entries(shells))("%s", (shell, { argv, begin }) => {
  const isLeftOut = !isThere(shell) || !isThere("tmux")
  let terminal: Terminal
  beforeAll(async () => {
    if (isLeftOut) return
    terminal = open(argv, {
      columns: 120,
      rows: 30,
      folder: demo.folder,
      env: {
        PATH: `${path.join(demo.folder, "bin")}:${process.env["PATH"]}`,
        HOME: demo.folder,
        XDG_STATE_HOME: path.join(demo.folder, "state")
      }
    })
    terminal.type("-l", begin)
    terminal.type("Enter")
    await terminal.shows(/^> *$/m)
  })
  afterAll(() => {
    if (!isLeftOut) terminal.close()
  })

  it.skipIf(isLeftOut)(
    "completes commands, options, groups, experiments, sessions, jobs, folders and files",
    async () => {
      for (const [typed, becomes] of lines) {
        terminal.type("C-c")
        terminal.type("C-l")
        await terminal.shows(/^> *$/)
        terminal.type("-l", typed)
        terminal.type("Tab")
        const screen = await terminal.shows(new RegExp(`^> ${becomes.replace(/[\\.=/]/g, "\\$&")}`))
        expect(screen.split("\n")[0]?.trim()).toMatch(/^> autoexp /)
      }
    },
    120_000
  )

  it.skipIf(isLeftOut)("shows what there is where more than one word fits", async () => {
    terminal.type("C-u", "C-l")
    await terminal.shows(/^> *$/)
    terminal.type("-l", "autoexp status --format ")
    terminal.type("Tab", "Tab")
    await terminal.shows(/table/)
    expect(terminal.screen()).toMatch(/csv[^]*json|json[^]*csv/)
  }, 120_000)
})
