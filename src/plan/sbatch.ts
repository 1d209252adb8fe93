/** Batch scripts: a template's text with a job's directives, environment and command in it. */
import * as Either from "effect/Either"
import { environment } from "../backend/launch.ts"
import { pyStr } from "../backend/python.ts"
import type { ValueMap } from "../backend/Value.ts"
import { formatTemplate, templateNames } from "../sweep/format.ts"
import { type ClaimedJob, claimLines } from "./claim.ts"
import { directiveLines, type DirectiveSettings, srunOptions } from "./directives.ts"
import { PlanError } from "./PlanError.ts"
import { quoteArgument, quoteData, quoteEnvironment } from "./shell.ts"

/** A template and where it stands, for messages. */
export interface Template {
  readonly path: string
  readonly text: string
}

/** The parts of the `slurm` section that a script is made of. */
export interface ScriptSettings extends DirectiveSettings {
  readonly launcher_cmd: string
  readonly srun: ValueMap
  readonly srun_opts: string
  readonly env: ValueMap
}

/** One script: of one job, or of an array of `jobs`. */
export interface ScriptParts {
  readonly planId: string
  readonly project: string
  /** The scheduler's name for it, without attempt and nonce. */
  readonly name: string
  readonly outputDir: string
  /** With SLURM's `%` codes. */
  readonly logPath: string
  /** Directives of this script alone, such as `array`. */
  readonly directives: ValueMap
  readonly argv: ReadonlyArray<string>
  /** The backend's environment: data, of which `$NAME` is filled in on the node. */
  readonly env: Readonly<Record<string, string>>
  /** Names that the template may use besides its own. */
  readonly variables: ValueMap
  readonly jobs: ReadonlyArray<ClaimedJob>
  readonly array: boolean
}

/**
 * The script's text. The template is rendered once, as `{name}` text (`{{` and `}}` are braces), and may use
 * `{sbatch_directives}`, `{env_exports}`, `{srun_opts}`, `{launcher_cmd}` (launcher and command; a template that writes
 * `'{launcher_cmd}'`, as for `bash -c`, gets it quoted once more), `{launcher}`, `{backend_cmd}`, `{name}`,
 * `{output_dir}`, `{log_path}`, `{project}` and the point's parameters. The claim of the attempt follows the directives.
 */
export const renderScript = (
  template: Template,
  settings: ScriptSettings,
  parts: ScriptParts
): Either.Either<string, PlanError> =>
  Either.gen(function*() {
    const exports = yield* exportLines(settings.env, parts.env)
    yield* checkPlaceholders(template, exports !== "")
    const launcher = settings.launcher_cmd.trim()
    const backendCommand = parts.argv.map(quoteArgument).join(" ")
    const command = launcher === "" ? backendCommand : `${launcher} ${backendCommand}`
    const directives = yield* directiveLines(settings, parts.directives, { name: parts.name, output: parts.logPath })
    const variables: ValueMap = {
      ...parts.variables,
      name: parts.name,
      project: parts.project,
      output_dir: parts.outputDir,
      log_path: parts.logPath,
      sbatch_directives: directives,
      env_exports: exports,
      srun_opts: srunOptions(settings.srun, settings.srun_opts),
      launcher,
      backend_cmd: backendCommand,
      launcher_cmd: command
    }
    const nested = template.text.replaceAll("'{launcher_cmd}'", "{quoted_launcher_cmd}")
    const text = yield* Either.mapLeft(
      formatTemplate(nested, { ...variables, quoted_launcher_cmd: quoteData(command) }),
      (error) => PlanError.inFile(template.path, nested, error.column - 1, error.message)
    )
    return yield* withClaim(template, directives, text, claimLines(parts.planId, parts.name, parts.jobs, parts.array))
  })

/** `export` lines: the `slurm.env` section's as shell text, then the backend's as data. */
const exportLines = (
  env: ValueMap,
  backendEnv: Readonly<Record<string, string>>
): Either.Either<string, PlanError> =>
  Either.gen(function*() {
    const lines: Array<string> = []
    for (const [name, text] of Object.entries(environment(env))) {
      const word = quoteEnvironment(text)
      const at = `slurm.env.${name}`
      if (word === null) return yield* Either.left(PlanError.at(at, `a "$(" or "\${" is not closed in ${pyStr(text)}`))
      lines.push(yield* exportLine(at, name, word))
    }
    for (const [name, text] of Object.entries(backendEnv)) {
      lines.push(yield* exportLine(`backend.env.${name}`, name, quoteArgument(text)))
    }
    return lines.join("\n")
  })

const exportLine = (at: string, name: string, word: string): Either.Either<string, PlanError> =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? Either.right(`export ${name}=${word}`)
    : Either.left(PlanError.at(at, `"${name}" is no name of an environment variable`))

const checkPlaceholders = (template: Template, hasExports: boolean): Either.Either<void, PlanError> =>
  Either.gen(function*() {
    const fail = (message: string) => Either.left(PlanError.inFile(template.path, template.text, null, message))
    if (!template.text.startsWith("#!")) return yield* fail("a batch script begins with #! and its shell")
    const names = yield* Either.mapLeft(
      templateNames(template.text),
      (error) => PlanError.inFile(template.path, template.text, error.column - 1, error.message)
    )
    for (const name of ["sbatch_directives", "launcher_cmd", ...(hasExports ? ["env_exports"] : [])]) {
      const also = name === "launcher_cmd" && names.includes("backend_cmd")
      if (!also && !names.includes(name)) return yield* fail(`the placeholder {${name}} is missing`)
    }
  })

/** The claim goes behind the last directive, since SLURM reads none after the first command. */
const withClaim = (
  template: Template,
  directives: string,
  text: string,
  claim: string
): Either.Either<string, PlanError> => {
  const lines = text.split("\n")
  const first = lines.findIndex((line) => line.trim() !== "" && !line.startsWith("#"))
  const head = first < 0 ? lines : lines.slice(0, first)
  if (!head.join("\n").includes(directives)) {
    return Either.left(
      PlanError.inFile(
        template.path,
        template.text,
        template.text.indexOf("{sbatch_directives}"),
        "a command stands before {sbatch_directives}, where SLURM reads no directives any more"
      )
    )
  }
  const end = head.findLastIndex((line) => line.startsWith("#SBATCH")) + 1
  const rest = lines.slice(end).join("\n").replace(/^\n+/, "")
  return Either.right(`${lines.slice(0, end).join("\n")}\n\n${claim}\n\n${rest.replace(/\n*$/, "\n")}`)
}
