/** What the commands about images share: the config's `container` section, and the runtime that it names. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { pyStr } from "../backend/python.ts"
import type { Config } from "../config/Config.ts"
import * as ConfigFiles from "../config/ConfigFiles.ts"
import { load } from "../config/load.ts"
import type { ConfigError } from "../config/Problem.ts"
import * as apptainer from "../container/apptainer.ts"
import { ImageError } from "../container/ImageError.ts"
import { missingImage } from "../container/images.ts"
import { probeImage } from "../container/probe.ts"
import { cacheDir, probeScript } from "../container/shipped.ts"
import { quoteEnvironment } from "../plan/shell.ts"
import { Commands } from "../port/Commands.ts"
import { requestOf } from "./composing.ts"
import { Invocation } from "./Invocation.ts"
import type { Given } from "./spec.ts"
import { usage, type UsageError } from "./UsageError.ts"

type Asked = Pick<Given<"container run">, "config-dir" | "config-ref" | "container-cmd" | "operands">

/** The section; null where nothing was said of a config and there is none. */
const sectionOf = (asked: Asked): Effect.Effect<Config["container"] | null, ConfigError, Invocation> =>
  Effect.gen(function*() {
    const { cwd } = yield* Invocation
    const silent = asked["config-dir"] === null && asked["config-ref"] === null && asked.operands.length === 0
    if (silent && !fs.existsSync(path.join(cwd, "config"))) return null
    return (yield* load(requestOf(asked))).config.container
  }).pipe(Effect.provide(ConfigFiles.layer))

/** The first of both programs that is on PATH, else the first. */
const installed = (env: Readonly<Record<string, string | undefined>>): string => {
  const folders = (env["PATH"] ?? "").split(path.delimiter)
  const isThere = (program: string) => folders.some((folder) => fs.existsSync(path.join(folder, program)))
  return ["apptainer", "singularity"].find(isThere) ?? "apptainer"
}

/** The section and the layer of the runtime: that of `--container-cmd`, else the config's, else what is installed. */
export const containerOf = (asked: Asked) =>
  Effect.gen(function*() {
    const { env } = yield* Invocation
    const section = yield* sectionOf(asked)
    return { section, runtime: apptainer.layer(asked["container-cmd"] ?? section?.runtime ?? installed(env)) }
  })

/** The image that `--image` or the config names, as an absolute path. */
export const imageOf = (
  image: string | null,
  section: Config["container"] | null
): Effect.Effect<string, UsageError | ImageError, Invocation> =>
  Effect.gen(function*() {
    const named = image ?? section?.image ?? null
    if (named === null) {
      return yield* usage("no image is named: neither by --image nor by container.image of the config", [
        "--image FILE"
      ])
    }
    const file = path.resolve((yield* Invocation).cwd, named)
    return fs.existsSync(file) ? file : yield* missingImage(file)
  })

/** Texts of the config as a shell of this machine fills them in; one that needs no shell stays as it is. */
export const filledIn = (
  texts: ReadonlyArray<string>,
  at: string
): Effect.Effect<ReadonlyArray<string>, ImageError, Commands> =>
  Effect.forEach(texts, (text) =>
    Effect.gen(function*() {
      if (!/[$`]/.test(text)) return text
      const word = quoteEnvironment(text)
      if (word === null) return yield* ImageError.of(`${at}: a "$(" or "\${" is not closed in ${pyStr(text)}`)
      const { exitCode, stdout } = yield* Effect.mapError(
        (yield* Commands).run({
          argv: ["bash", "-c", `printf %s ${word}`],
          cwd: null,
          env: {},
          timeoutSeconds: 30
        }),
        ({ message }) => ImageError.of(`${at}: ${message}`)
      )
      return exitCode === 0 ? stdout : yield* ImageError.of(`${at}: no shell can fill in ${pyStr(text)}`)
    }))

/** `bind`, `env` and `pwd` of the section as they are on this machine. */
export const settingsOf = (section: Config["container"] | null) =>
  Effect.gen(function*() {
    const binds = yield* filledIn(section?.bind ?? [], "container.bind")
    const [pwd = null] = yield* filledIn([section?.pwd ?? []].flat(), "container.pwd")
    const env = Object.entries(section?.env ?? {}).filter(([, value]) => value !== null)
    const values = yield* filledIn(env.map(([, value]) => pyStr(value)), "container.env")
    return { binds, pwd, env: Object.fromEntries(env.map(([name], index) => [name, values[index] ?? ""])) }
  })

/** The parser inside the image, read now or before; with the image's Python, `python` unless it is called otherwise. */
export const probed = (
  asked: Asked & { readonly image: string | null },
  { functions = [], python = "python" }: {
    readonly functions?: ReadonlyArray<string>
    readonly python?: string
  } = {}
) =>
  Effect.gen(function*() {
    const { cwd, env } = yield* Invocation
    const { runtime, section } = yield* containerOf(asked)
    const image = yield* imageOf(asked.image, section)
    const script = probeScript(cwd)
    if (script === null) return yield* ImageError.of("container/probe_arguments.py is missing from this installation")
    const settings = yield* settingsOf(section)
    return yield* probeImage({ ...settings, image, script, functions, python, cacheDir: cacheDir(env) }).pipe(
      Effect.provide(runtime)
    )
  })
