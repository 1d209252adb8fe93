/** Batch scripts: a template's text with a job's directives, environment and command in it. */
import * as Either from "effect/Either"
import { environment } from "../backend/launch.ts"
import { pyStr } from "../backend/python.ts"
import type { ValueMap } from "../backend/Value.ts"
import { commandText } from "./attemptScript.ts"
import { type ClaimedJob, claimLines } from "./claim.ts"
import { directiveLines, type DirectiveSettings, srunOptions } from "./directives.ts"
import { ENV_FLAGS, environmentPrefix, launcherText } from "./launcher.ts"
import { PlanError } from "./PlanError.ts"
import { quoteArgument, quoteEnvironment } from "./shell.ts"
import { TASK_ENVIRONMENT } from "./sweepFile.ts"
import { namesIn, renderTemplate, shellText, type Template, type TemplateFault } from "./template.ts"

export type { Template }

/** The parts of the `slurm` section that a script is made of. */
export interface ScriptSettings extends DirectiveSettings {
  readonly launcher_cmd: string
  readonly srun: ValueMap
  readonly srun_opts: string
  readonly env: ValueMap
  /** `container.env`: shell text too, which wins over the other environments. */
  readonly containerEnv: ValueMap
  /** Mounts, for the launcher's {{bind_flags}}. */
  readonly binds: ReadonlyArray<string>
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
  /** Of an array whose tasks' environments differ: each task's, by index. */
  readonly taskEnv: ReadonlyMap<number, Readonly<Record<string, string>>>
  /** Names that the template may use besides its own. */
  readonly variables: ValueMap
  readonly jobs: ReadonlyArray<ClaimedJob>
  readonly array: boolean
}

/**
 * The script's text. The template is rendered once, and may use `{sbatch_directives}`, `{env_exports}`, `{srun_opts}`,
 * `{launcher_cmd}` (launcher and command), `{launcher}`, `{launcher_env_flags}`, `{backend_cmd}`, and the values `{name}`,
 * `{output_dir}`, `{log_path}`, `{project}` and those of `variables`. All of them are quoted for where they stand, so
 * that `bash -c '{launcher_cmd}'` is right. The claim of the attempt follows the directives.
 */
export const renderScript = (
  template: Template,
  settings: ScriptSettings,
  parts: ScriptParts
): Either.Either<string, PlanError> =>
  Either.gen(function*() {
    const exports = yield* exportLines(settings, parts)
    yield* checkPlaceholders(template, exports !== "")
    const names = exportedNames(settings, parts)
    const launcher = yield* launcherText(settings.launcher_cmd, { names, binds: settings.binds })
    const prefix = environmentPrefix(settings.launcher_cmd, template.text, names)
    const backendCommand = shellText(`${prefix}${commandText(parts.argv)}`)
    const directives = yield* directiveLines(settings, parts.directives, { name: parts.name, output: parts.logPath })
    const { logPath: log_path, name, outputDir: output_dir, project } = parts
    const text = yield* Either.mapLeft(
      renderTemplate(template.text, {
        data: { ...parts.variables, name, project, output_dir, log_path },
        code: {
          sbatch_directives: () => directives,
          env_exports: shellText(exports),
          ...commandsOf(parts.variables),
          srun_opts: shellText(srunOptions(settings.srun, settings.srun_opts)),
          [ENV_FLAGS]: () => "",
          launcher,
          backend_cmd: backendCommand,
          launcher_cmd: (place) => [launcher(place), backendCommand(place)].filter((part) => part !== "").join(" ")
        }
      }),
      faultOf(template)
    )
    return yield* withClaim(template, directives, text, claimLines(parts.planId, parts.name, parts.jobs, parts.array))
  })

/** Of the template's names, those that are commands: shell text, not values. */
const commandsOf = (variables: ValueMap) =>
  Object.fromEntries(["start_condition_cmd", "termination_command"].flatMap((name) => {
    const text = variables[name]
    return typeof text === "string" ? [[name, shellText(text)]] : []
  }))

const faultOf = (template: Template) => ({ message, offset }: TemplateFault): PlanError =>
  PlanError.inFile(template.path, template.text, offset, message)

/** Variables that the script exports, those of its array's tasks included. */
const exportedNames = ({ containerEnv, env }: ScriptSettings, parts: ScriptParts): ReadonlyArray<string> => [
  ...new Set([
    ...Object.keys(environment(env)),
    ...Object.keys(parts.env),
    ...[...parts.taskEnv.values()].flatMap(Object.keys),
    ...Object.keys(environment(containerEnv)),
    ...parts.array ? ["SLURM_ARRAY_TASK_ID", "AUTOEXP_INDEX"] : [],
    ...hasTaskEnvironment(parts) ? [TASK_ENVIRONMENT] : []
  ])
]

const hasTaskEnvironment = ({ array, env, taskEnv }: ScriptParts): boolean =>
  array && (Object.keys(env).length > 0 || taskEnv.size > 0)

/**
 * `export` lines: the `slurm.env` section's as shell text, then the backend's as data, those of the array's task among
 * them, then the `container.env` section's as shell text.
 */
const exportLines = (
  { containerEnv, env }: ScriptSettings,
  parts: ScriptParts
): Either.Either<string, PlanError> =>
  Either.gen(function*() {
    return [
      ...yield* shellLines("slurm.env", env),
      ...yield* backendLines(parts.env),
      ...yield* taskLines(parts.taskEnv),
      ...yield* shellLines("container.env", containerEnv),
      ...hasTaskEnvironment(parts) ? [`export ${TASK_ENVIRONMENT}="$AUTOEXP_INDEX"`] : []
    ].join("\n")
  })

const shellLines = (section: string, env: ValueMap): Either.Either<ReadonlyArray<string>, PlanError> =>
  Either.all(
    Object.entries(environment(env)).map(([name, text]) => {
      const word = quoteEnvironment(text)
      const at = `${section}.${name}`
      return word === null
        ? Either.left(PlanError.at(at, `a "$(" or "\${" is not closed in ${pyStr(text)}`))
        : exportLine(at, name, word)
    })
  )

const backendLines = (env: Readonly<Record<string, string>>): Either.Either<ReadonlyArray<string>, PlanError> =>
  Either.all(
    Object.entries(env).map(([name, text]) => exportLine(`backend.env.${name}`, name, quoteArgument(text)))
  )

const taskLines = (taskEnv: ScriptParts["taskEnv"]): Either.Either<ReadonlyArray<string>, PlanError> =>
  Either.map(
    Either.all(
      [...taskEnv].map(([index, env]) => Either.map(backendLines(env), (lines) => [`  ${index})`, ...lines, "  ;;"]))
    ),
    (cases) => cases.length === 0 ? [] : ["case \"$AUTOEXP_INDEX\" in", ...cases.flat(), "esac"]
  )

const exportLine = (at: string, name: string, word: string): Either.Either<string, PlanError> =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    // Apart, so that what a command ends with is not lost.
    ? Either.right(/\$\((?!\()/.test(word) ? `${name}=${word}\nexport ${name}` : `export ${name}=${word}`)
    : Either.left(PlanError.at(at, `"${name}" is no name of an environment variable`))

const checkPlaceholders = (template: Template, hasExports: boolean): Either.Either<void, PlanError> =>
  Either.gen(function*() {
    const fail = (message: string) => Either.left(PlanError.inFile(template.path, template.text, null, message))
    if (!template.text.startsWith("#!")) return yield* fail("a batch script begins with #! and its shell")
    const names = yield* Either.mapLeft(namesIn(template.text), faultOf(template))
    for (const name of ["sbatch_directives", "launcher_cmd", ...(hasExports ? ["env_exports"] : [])]) {
      const also = name === "launcher_cmd" && names.has("backend_cmd")
      if (!also && !names.has(name)) return yield* fail(`the placeholder {${name}} is missing`)
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
