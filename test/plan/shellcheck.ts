/** ShellCheck on scripts, where it is installed; `.ci/run` installs it. */
import { spawnSync } from "node:child_process"

const { error } = spawnSync("shellcheck", ["--version"])

/** Missing where tests of a change run, it must fail there: only a person's machine may be without it. */
export const hasShellcheck = error === undefined || process.env["CI"] !== undefined

/** What ShellCheck says of a bash script; empty if nothing. */
export const shellcheck = (script: string): string => {
  const { error, stdout } = spawnSync("shellcheck", ["--shell=bash", "--format=gcc", script], { encoding: "utf8" })
  if (error !== undefined) throw new Error(`shellcheck cannot be started: ${error.message}`)
  return stdout
}
