/** A config directory that exists only in a test. */
import * as Layer from "effect/Layer"
import { ConfigFiles } from "../../src/config/ConfigFiles.ts"

/** `files` by their path below `/conf`, or by an absolute path. */
export const memoryFiles = (
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {}
): typeof ConfigFiles.Service => {
  const all = new Map(
    Object.entries(files).map(([name, text]) => [name.startsWith("/") ? name : `/conf/${name}`, text])
  )
  return {
    read: (path) => all.get(path) ?? null,
    list: (path) => {
      const below = [...all.keys()].filter((name) => name.startsWith(`${path}/`)).map((name) =>
        name.slice(path.length + 1)
      )
      const names = new Set(below.map((name) => name.replace(/\/.*/, "/")))
      return names.size > 0 ? [...names].sort() : null
    },
    absolute: (path) => (path.startsWith("/") ? path : `/cwd/${path}`),
    environment
  }
}

export const memory = (
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {}
): Layer.Layer<ConfigFiles> => Layer.succeed(ConfigFiles, memoryFiles(files, environment))
