/** Building images from definitions: by the runtime alone, or as a user whose cluster has no fakeroot. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as path from "node:path"
import { ContainerRuntime, type ContainerRuntimeError } from "../port/ContainerRuntime.ts"
import { type Definition, format, parse, privilegedCommands, render } from "./definition.ts"
import { ImageError } from "./ImageError.ts"
import { imageDigest, reading, writeAside } from "./images.ts"
import { longestBuild, userBuild } from "./userBuild.ts"

/** What is built, of what, and how. Paths are absolute. */
export interface BuildRequest {
  readonly backend: string
  /** The definition's name, by which the image is called. */
  readonly definition: string
  readonly definitionFile: string
  /** A file of pip requirements; null: none. */
  readonly requirements: string | null
  /** Stands for `{{BASE_IMAGE}}`: an image file, or what the definition's Bootstrap takes. */
  readonly baseImage: string
  readonly outputDir: string
  /** Whether the image's name ends with the time, in UTC. */
  readonly appendDate: boolean
  /** Whether an image that is there may be replaced. */
  readonly force: boolean
  /** Without fakeroot, by way of a sandbox. */
  readonly user: boolean
  readonly keepSandbox: boolean
  /** Where the sandbox is made, which holds the whole image unpacked. */
  readonly tempDir: string
  readonly cacheDir: string
  /** Stands for `{{REPO_ROOT}}`. */
  readonly repoRoot: string
  /** As `uname -m` says. */
  readonly arch: string
  /** Whether this is root already, perhaps of a user namespace, and needs no fakeroot. */
  readonly root: boolean
  /** What else the image's provenance says: git state, command line, versions. */
  readonly provenance: Readonly<Record<string, unknown>>
  /** Tells people what is done now. */
  readonly say: (line: string) => Effect.Effect<void>
}

export interface BuiltImage {
  readonly image: string
  /** SHA-256 in hex. */
  readonly digest: string | null
  readonly provenance: string
}

/** Where images keep the record of how they came to be. */
export const provenanceInside = "/oellm/provenance.json"

const dated = (millis: number): string => `_${new Date(millis).toISOString().slice(0, 16).replace(/[-T:]/g, "")}`

/** A base image that is a file is one for `Bootstrap: localimage`, whatever the definition was written for. */
const onLocalImage = (definition: Definition, from: string): Definition => ({
  ...definition,
  header: new Map([...definition.header, ["bootstrap", "localimage"], ["from", from]])
})

const withProvenance = (definition: Definition, file: string): Definition =>
  definition.sections.some(({ body }) => body.some((line) => line.includes(file)))
    ? definition
    : {
      ...definition,
      sections: [
        ...definition.sections,
        { name: "files", args: "", body: [`    ${file} ${provenanceInside}`], line: 0 }
      ]
    }

const orFail = <A>(either: Either.Either<A, ImageError>): Effect.Effect<A, ImageError> =>
  Either.match(either, { onLeft: Effect.fail, onRight: Effect.succeed })

/** The definition with all placeholders filled in, its base image, and the check that a user's build can do it. */
const definitionOf = (
  request: BuildRequest,
  provenanceFile: string
): Effect.Effect<Definition, ImageError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { baseImage, definitionFile: file, requirements, user } = request
    const text = yield* reading(file, fs.readFileString(file))
    const rendered = yield* orFail(render(text, {
      BASE_IMAGE: baseImage,
      REPO_ROOT: request.repoRoot,
      ...requirements === null
        ? {}
        : { REQUIREMENTS_PATH: requirements, REQUIREMENTS_BASENAME: path.basename(requirements) },
      PROVENANCE_PATH: provenanceFile,
      ARCH: request.arch
    }, file))
    const definition = yield* orFail(parse(rendered, file))
    const from = definition.header.get("from") ?? ""
    const local = path.resolve(from)
    const isThere = yield* Effect.orElseSucceed(fs.exists(local), () => false)
    if (user) {
      const [first] = privilegedCommands(definition)
      if (first !== undefined) {
        return yield* ImageError.of(
          `%post calls ${first.command}, which needs a root that a build with --user has not; take a base image that ` +
            "holds these packages",
          { file, line: first.line }
        )
      }
      const setup = definition.sections.find(({ name }) => name === "setup")
      if (setup !== undefined) {
        return yield* ImageError.of("%setup runs outside of the image, which a build with --user does not do", {
          file,
          line: setup.line
        })
      }
      if (!isThere) {
        return yield* ImageError.of(
          `a build with --user begins from an image file, and ${from} is none; name one with --base-image`,
          { file }
        )
      }
    }
    const based = isThere ? onLocalImage(definition, local) : definition
    return withProvenance(based, provenanceFile)
  })

/** Refuses what cannot be written before hours are spent on it. */
const freeTarget = (request: BuildRequest, target: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    if (!request.force && (yield* reading(target, fs.exists(target)))) {
      return yield* ImageError.of(`${target} is there already`, { suggestions: ["--force", "--append-date"] })
    }
    yield* reading(request.outputDir, fs.makeDirectory(request.outputDir, { recursive: true }))
    yield* reading(request.outputDir, fs.access(request.outputDir, { writable: true }))
  })

const folderIn = (
  parent: string,
  keep: boolean
): Effect.Effect<string, ImageError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const options = { directory: parent, prefix: "autoexp_build_" }
    yield* reading(parent, fs.makeDirectory(parent, { recursive: true }))
    return yield* reading(parent, keep ? fs.makeTempDirectory(options) : fs.makeTempDirectoryScoped(options))
  })

/**
 * Builds the image: `<outputDir>/<definition>_<arch>[_<date>].sif`, put there only when it is whole, with
 * `<image>.provenance.json` beside it and the same record inside. Null if the runtime said no, which it has told.
 */
export const buildImage = (
  request: BuildRequest
): Effect.Effect<
  BuiltImage | null,
  ImageError | ContainerRuntimeError,
  ContainerRuntime | FileSystem.FileSystem
> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const runtime = yield* ContainerRuntime
    const now = yield* Clock.currentTimeMillis
    const { arch, outputDir, requirements, user } = request
    const name = `${request.definition}_${arch}${request.appendDate ? dated(now) : ""}`
    const target = path.join(outputDir, `${name}.sif`)
    if (requirements !== null && !(yield* reading(requirements, fs.exists(requirements)))) {
      return yield* ImageError.of(`there is no requirements file ${requirements}`)
    }
    // A definition that cannot be built is told of first; its place for the provenance is a stand-in here.
    yield* definitionOf(request, "provenance.json")
    yield* freeTarget(request, target)
    const version = yield* runtime.version
    const folder = yield* folderIn(request.tempDir, request.keepSandbox)
    const record = {
      built_at: new Date(now).toISOString(),
      backend: request.backend,
      definition: request.definitionFile,
      requirements_file: requirements,
      base_image: request.baseImage,
      container_runtime: version,
      arch,
      ...request.provenance
    }
    const provenanceFile = path.join(folder, "provenance.json")
    yield* reading(folder, fs.writeFileString(provenanceFile, `${JSON.stringify(record, null, 2)}\n`))
    const definition = yield* definitionOf(request, provenanceFile)
    const whole = path.join(outputDir, `.${name}.${process.pid}.sif`)
    yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(whole, { force: true })))
    const definitionFile = path.join(folder, `${request.definition}.def`)
    yield* reading(folder, fs.writeFileString(definitionFile, format(definition)))
    yield* request.say(`building ${target}`)
    const exitCode = user
      ? yield* userBuild({ definition, folder, target: whole, say: request.say })
      : yield* runtime.build({
        target: whole,
        source: definitionFile,
        options: request.root ? [] : ["--fakeroot"],
        timeoutSeconds: longestBuild
      })
    if (request.keepSandbox) yield* request.say(`kept ${folder}`)
    if (exitCode !== 0) return null
    yield* reading(target, fs.rename(whole, target))
    const digest = yield* imageDigest(target, request.cacheDir)
    const beside = `${target}.provenance.json`
    yield* reading(
      beside,
      writeAside(beside, `${JSON.stringify({ ...record, image: target, sha256: digest }, null, 2)}\n`)
    )
    return { image: target, digest, provenance: beside }
  }).pipe(Effect.scoped)
