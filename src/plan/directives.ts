/** The options of `sbatch` and `srun`, from the open maps of the `slurm` section. */
import * as Either from "effect/Either"
import { pyStr } from "../backend/python.ts"
import { isList, type Value, type ValueMap } from "../backend/Value.ts"
import { PlanError } from "./PlanError.ts"
import { quoteArgument } from "./shell.ts"

const leading = ["account", "nodes", "partition", "qos", "time"]

/** What of the `slurm` section becomes `#SBATCH` lines. */
export interface DirectiveSettings {
  readonly sbatch: ValueMap
  readonly sbatch_overrides: ValueMap
  readonly sbatch_extra_directives: ReadonlyArray<string>
}

/** An option's value: null for a bare flag; lists are joined by commas. */
const optionText = (value: Value): string | null =>
  value === true ? null : isList(value) ? value.map(pyStr).join(",") : pyStr(value)

/** Options that are given: `null`, `false` and names that begin with `_` are not. Underscores become dashes. */
const given = (options: ValueMap): ReadonlyArray<readonly [string, Value]> =>
  Object.entries(options)
    .filter(([key, value]) => value !== null && value !== false && !key.startsWith("_"))
    .map(([key, value]) => [key.replaceAll("_", "-"), value])

/** In quotes where sbatch would otherwise see two words or a comment. */
const directiveWord = (text: string): string =>
  /^[A-Za-z0-9_@%+=:,./^[\]()&|*!~-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`

/**
 * The `#SBATCH` lines: account, nodes, partition, qos, time, the rest of `sbatch` in its order, `own`, then
 * `sbatch_overrides` (in the place of what they override), then `job-name`, `output` and `open-mode` unless given, and
 * the extra lines as they are. `true` is a bare flag, `false` and `null` leave an option out. A line break in a value
 * is an error: it would begin a line of its own.
 */
export const directiveLines = (
  settings: DirectiveSettings,
  own: ValueMap,
  defaults: { readonly name: string; readonly output: string }
): Either.Either<string, PlanError> =>
  Either.gen(function*() {
    const { sbatch, sbatch_extra_directives: extra, sbatch_overrides: overrides } = settings
    const options = new Map<string, Value>(given({ ...pick(sbatch, leading), ...sbatch, ...own }))
    for (const [key, value] of Object.entries(overrides)) options.set(key.replaceAll("_", "-"), value)
    const later = { "job-name": defaults.name, output: defaults.output, "open-mode": "append" }
    for (const [key, value] of Object.entries(later)) if ((options.get(key) ?? null) === null) options.set(key, value)
    const lines = given(Object.fromEntries(options)).map(([key, value]) => {
      const text = optionText(value)
      return [key, text === null ? `#SBATCH --${key}` : `#SBATCH --${key}=${directiveWord(text)}`] as const
    })
    const broken = lines.find(([, line]) => /[\r\n]/.test(line))
    if (broken !== undefined) return yield* Either.left(lineBreak(`slurm.sbatch.${broken[0]}`))
    const wrong = extra.findIndex((line) => /[\r\n]/.test(line) || !line.startsWith("#"))
    if (wrong >= 0) {
      return yield* Either.left(
        PlanError.at(
          `slurm.sbatch_extra_directives[${wrong}]`,
          "an extra directive is one line that begins with #SBATCH"
        )
      )
    }
    return [...lines.map(([, line]) => line), ...extra].join("\n")
  })

const pick = (map: ValueMap, keys: ReadonlyArray<string>): ValueMap =>
  Object.fromEntries(keys.flatMap((key) => map[key] === undefined ? [] : [[key, map[key]]]))

const lineBreak = (at: string) => PlanError.at(at, "a directive cannot hold a line break")

/** Options for `srun` as shell text with a blank at its end, or nothing; `$NAME` in them is filled in on the node. */
export const srunOptions = (srun: ValueMap, more: string): string =>
  [
    ...given(srun).map(([key, value]) => {
      const text = optionText(value)
      return text === null ? `--${key}` : `--${key}=${quoteArgument(text)}`
    }),
    ...(more.trim() === "" ? [] : [more.trim()])
  ].map((option) => `${option} `).join("")
