/** `slurm.launcher_cmd`: shell text of the config's author, with markers for what containers need to be told. */
import * as Either from "effect/Either"
import { pyStr } from "../backend/python.ts"
import { PlanError } from "./PlanError.ts"
import { quoteEnvironment } from "./shell.ts"
import type { Place } from "./shellPlaces.ts"
import { shellText } from "./template.ts"

/** What the markers of a launcher stand for. */
export interface LauncherParts {
  /** Variables that the batch script exports. */
  readonly names: ReadonlyArray<string>
  /** `container.bind`: shell text, filled in on the node. */
  readonly binds: ReadonlyArray<string>
}

const at = "slurm.launcher_cmd"

const bindFlags = (binds: ReadonlyArray<string>): Either.Either<string, PlanError> =>
  Either.map(
    Either.all(binds.map((bind, index) =>
      Either.fromNullable(
        quoteEnvironment(bind),
        () => PlanError.at(`container.bind[${index}]`, `a "$(" or "\${" is not closed in ${pyStr(bind)}`)
      )
    )),
    (words) => words.map((word) => `--bind ${word} `).join("")
  )

/** Asks for the variables in the image: `{{env_flags}}` in the launcher, or this name in the template. */
export const ENV_FLAGS = "launcher_env_flags"

/**
 * What the command begins with inside the image to get its variables: `env NAME="$NAME" `. Not the runtime's own `--env`,
 * which splits values at commas and runs what stands in `$(…)` of them.
 */
export const environmentPrefix = (launcher: string, template: string, names: ReadonlyArray<string>): string =>
  names.length > 0 && (launcher.includes("{{env_flags}}") || template.includes(`{${ENV_FLAGS}}`))
    ? `env ${names.map((name) => `${name}="$${name}" `).join("")}`
    : ""

/**
 * What {{env_exports}} becomes in a place of the template: in quotes, as for `bash -c '…'`, the batch script's own values
 * are put in, so that they arrive even where srun passes no environment on.
 */
const exports = (names: ReadonlyArray<string>, place: Place): string => {
  const value = (name: string): string =>
    place === "single" ? `'"\${${name}@Q}"'` : place === "plain" || place === "literal" ? `"$${name}"` : `\${${name}@Q}`
  return names.map((name) => `export ${name}=${value(name)}; `).join("")
}

/**
 * The launcher as it stands in a place of the template, without blanks around it. `{{bind_flags}}` gives `--bind X ` for
 * each mount and `{{env_exports}}` `export NAME=…; ` for each variable. `{{env_flags}}` leaves nothing: what it asks for
 * stands before the command (`environmentPrefix`).
 */
export const launcherText = (
  launcher: string,
  { binds, names }: LauncherParts
): Either.Either<(place: Place) => string, PlanError> =>
  Either.gen(function*() {
    const unknown = launcher.match(/\{\{(?!env_exports|env_flags|bind_flags)[a-z_]+\}\}/)
    if (unknown !== null) {
      const known = "{{env_exports}}, {{env_flags}} and {{bind_flags}}"
      return yield* Either.left(PlanError.at(at, `there is no marker ${unknown[0]}; there are ${known}`))
    }
    const flags = yield* bindFlags(binds)
    const parts = launcher.replaceAll("{{bind_flags}}", () => flags)
      .replaceAll("{{env_flags}}", "")
      .split("{{env_exports}}")
    return (place) => parts.map((part) => shellText(part)(place)).join(exports(names, place)).trim()
  })
