/** `autoexp container build`: an image from a definition, with fakeroot or, by `--user`, without. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { nearest } from "../../backend/nearest.ts"
import { buildImage } from "../../container/build.ts"
import { cacheDir, containerFile } from "../../container/shipped.ts"
import * as LiveCommands from "../../monitor/LiveCommands.ts"
import { gitFacts } from "../../plan/facts.ts"
import { redactArgument } from "../../plan/redact.ts"
import { Screen } from "../../report/Screen.ts"
import { containerOf } from "../containers.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { printJson, printLines } from "../print.ts"
import { usage } from "../UsageError.ts"

/** What a definition begins from if nobody says so. */
const usualBase = "nvcr.io/nvidia/pytorch:25.08-py3"

/** The definition's file and name: a path, or a name below `container/BACKEND`. */
const definitionOf = (cwd: string, backend: string, asked: string) =>
  Effect.gen(function*() {
    const suffix = ".def.in"
    if (asked.includes("/") || /\.def(\.in)?$/.test(asked)) {
      const file = path.resolve(cwd, asked)
      if (!fs.existsSync(file)) return yield* usage(`there is no definition ${asked}`)
      return { file, name: path.basename(file).replace(/\.def(\.in)?$/, "") }
    }
    const file = containerFile(cwd, path.join(backend, `${asked}${suffix}`))
    if (file !== null) return { file, name: asked }
    const folder = containerFile(cwd, backend)
    const known = folder === null ? [] : fs.readdirSync(folder).filter((name) => name.endsWith(suffix))
    const names = known.map((name) => name.slice(0, -suffix.length))
    const near = nearest(asked, names)
    return yield* usage(
      `there is no definition ${asked} in container/${backend}${
        names.length > 0 ? `; there are ${names.join(", ")}` : ""
      }`,
      near.map((name) => `--definition ${name}`)
    )
  })

export const build: Handler<"container build"> = (given) =>
  Effect.gen(function*() {
    const { argv, cwd, env, version } = yield* Invocation
    const screen = yield* Screen
    const backend = given.backend ?? "megatron"
    const { file, name } = yield* definitionOf(cwd, backend, given.definition ?? "MegatronTraining")
    const requirements = given.requirements === null
      ? containerFile(cwd, path.join(backend, "requirements_latest.txt"))
      : path.resolve(cwd, given.requirements)
    if (given["keep-sandbox"] && !given.user) return yield* usage("--keep-sandbox is about the sandbox of --user")
    const { runtime } = yield* containerOf(given)
    const git = yield* gitFacts(cwd)
    const built = yield* buildImage({
      backend,
      definition: name,
      definitionFile: file,
      requirements,
      baseImage: given["base-image"] ?? (env["BASE_IMAGE"] || usualBase),
      outputDir: path.resolve(cwd, given.output ?? (env["CONTAINER_CACHE_DIR"] || ".")),
      appendDate: given["append-date"],
      force: given.force,
      user: given.user,
      keepSandbox: given["keep-sandbox"],
      tempDir: env["APPTAINER_TMPDIR"] || env["SINGULARITY_TMPDIR"] || env["TMPDIR"] || os.tmpdir(),
      cacheDir: cacheDir(env),
      repoRoot: cwd,
      arch: os.machine(),
      root: process.getuid?.() === 0,
      provenance: {
        build_command: ["autoexp", ...argv.map(redactArgument)],
        git_commit: git.commit,
        git_dirty: git.dirty,
        git_status: git.status,
        git_diff: git.diff,
        versions: { autoexp: version, node: process.versions.node }
      },
      say: (line) => screen.err(`autoexp: ${line}\n`)
    }).pipe(Effect.provide(runtime))
    if (built === null) {
      yield* screen.err("autoexp: the image was not built; what went wrong stands above, and nothing was written\n")
      return 1
    }
    yield* given.json ? printJson(built) : printLines([built.image])
    return 0
  }).pipe(Effect.provide(Layer.merge(LiveCommands.layer, NodeFileSystem.layer)))
