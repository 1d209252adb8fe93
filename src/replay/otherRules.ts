/** The rules that `--monitoring` names: an option of the group `monitoring`, a config, or a YAML file. */
import * as Effect from "effect/Effect"
import { ConfigFiles } from "../config/ConfigFiles.ts"
import { type ConfigRequest, load } from "../config/load.ts"
import type { ConfigError } from "../config/Problem.ts"
import type { Monitoring } from "../rule/Monitoring.ts"

const group = "monitoring"

/** Keys of a whole config's file; a file without any of them is a `monitoring` section by itself. */
const ofWhole = /^(?:defaults|project|sweep|slurm|monitoring|backend|scheduler|container):/m

/** What stands in for an option of the group whose file is somewhere else. */
const elsewhere = "named_by_its_path"

/** The same files, and one more option of the group. */
const withOption = (files: typeof ConfigFiles.Service, configDir: string, text: string): typeof ConfigFiles.Service => {
  const folder = files.absolute(`${configDir}/${group}`)
  const extra = `${elsewhere}.yaml`
  return {
    ...files,
    read: (path) => files.absolute(path) === `${folder}/${extra}` ? text : files.read(path),
    list: (path) => files.absolute(path) === folder ? [...files.list(path) ?? [], extra] : files.list(path)
  }
}

/**
 * The `monitoring` section that `ref` means, resolved as that of a plan: the option of the group `monitoring` of that name
 * in the config that `request` names, else the config or file of that name. A file that holds the section alone takes the
 * place of an option. Overrides of the request change it.
 */
export const otherRules = (
  ref: string,
  request: ConfigRequest
): Effect.Effect<Monitoring, ConfigError, ConfigFiles> =>
  Effect.gen(function*() {
    const files = yield* ConfigFiles
    const option = ref.replace(/^monitoring[=/]/, "").replace(/\.yaml$/, "")
    const chosen = (name: string) => ({ ...request, overrides: [`${group}=${name}`, ...request.overrides] })
    if (files.list(`${request.configDir}/${group}`)?.includes(`${option}.yaml`) === true) {
      return (yield* load(chosen(option))).config.monitoring
    }
    const text = /\.ya?ml$/.test(ref) ? files.read(files.absolute(ref)) : null
    if (text === null || ofWhole.test(text)) {
      return (yield* load({ ...request, configRef: ref })).config.monitoring
    }
    return (yield* Effect.provideService(
      load(chosen(elsewhere)),
      ConfigFiles,
      withOption(files, request.configDir, text)
    )).config.monitoring
  })
