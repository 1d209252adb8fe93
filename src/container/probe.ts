/** The parser of the Megatron that an image holds, read inside of it and remembered by the image's digest. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { Argument } from "../backend/megatron/ArgumentTable.ts"
import { ContainerRuntime, type ContainerRuntimeError } from "../port/ContainerRuntime.ts"
import { ImageError } from "./ImageError.ts"
import { imageDigest, reading, rememberedDigest, writeAside } from "./images.ts"

/** What `probe_arguments.py` prints. */
export const ProbedParser = Schema.Struct({
  source: Schema.Struct({
    /** `MODULE:FUNCTION` of each that was called. */
    functions: Schema.Array(Schema.String),
    megatron_core_version: Schema.NullOr(Schema.String),
    python: Schema.String
  }),
  arguments: Schema.Array(Argument),
  /** Options of kinds that cannot be told of. */
  left_out: Schema.Array(Schema.String)
})
export type ProbedParser = typeof ProbedParser.Type

export interface ProbeRequest {
  /** Absolute. */
  readonly image: string
  /** The script's path. */
  readonly script: string
  /** `MODULE:FUNCTION` of what adds arguments to a parser; none: Megatron's own. */
  readonly functions: ReadonlyArray<string>
  /** The image's Python. */
  readonly python: string
  readonly binds: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly pwd: string | null
  readonly cacheDir: string
}

export interface Probe {
  readonly parser: ProbedParser
  /** What was printed, with all that the Schema does not know. */
  readonly json: string
  /** Of the image; null for a directory. */
  readonly digest: string | null
  /** Whether it was known from before. */
  readonly cached: boolean
}

/** 10 minutes, in seconds: importing torch from a cold shared file system. */
const longestProbe = 600

const decode = Schema.decodeUnknownEither(Schema.parseJson(ProbedParser))

const lastLines = (text: string): string => text.trim().split("\n").slice(-5).join("\n")

const ask = (
  { binds, env, functions, image, pwd, python }: ProbeRequest,
  script: string
): Effect.Effect<string, ImageError | ContainerRuntimeError, ContainerRuntime> =>
  Effect.gen(function*() {
    const runtime = yield* ContainerRuntime
    const { exitCode, stderr, stdout } = yield* runtime.exec({
      image,
      // The text itself: a mount would need a place for it inside the image.
      argv: [python, "-c", script, ...functions],
      binds,
      env,
      pwd,
      options: [],
      timeoutSeconds: longestProbe,
      terminal: false
    })
    return exitCode === 0
      ? stdout
      : yield* ImageError.of(`the parser in ${image} could not be read (exit code ${exitCode}):\n${lastLines(stderr)}`)
  })

/** The file that remembers the parser of the image of that digest, read in that way. */
const memoryOf = (
  { cacheDir, functions }: Pick<ProbeRequest, "cacheDir" | "functions">,
  script: string,
  digest: string
): string => {
  const way = createHash("sha256").update([script, ...functions].join("\0")).digest("hex").slice(0, 16)
  return path.join(cacheDir, "parsers", `${digest}-${way}.json`)
}

const remembered = (file: string, digest: string) =>
  Effect.gen(function*() {
    const known = yield* Effect.option((yield* FileSystem.FileSystem).readFileString(file))
    return Option.flatMap(known, (json) =>
      Option.map(Option.getRight(decode(json)), (parser): Probe => ({ parser, json, digest, cached: true })))
  })

/** What an earlier probe of the same image, script and functions found; none, too, where its digest is not known. */
export const rememberedParser = (
  request: Pick<ProbeRequest, "image" | "script" | "cacheDir" | "functions">
): Effect.Effect<Option.Option<Probe>, ImageError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const digest = yield* rememberedDigest(request.image, request.cacheDir)
    if (digest === null) return Option.none()
    const script = yield* reading(request.script, (yield* FileSystem.FileSystem).readFileString(request.script))
    return yield* remembered(memoryOf(request, script, digest), digest)
  })

/** Reads the parser, or what an earlier probe of the same image, script and functions found. */
export const probeImage = (
  request: ProbeRequest
): Effect.Effect<Probe, ImageError | ContainerRuntimeError, ContainerRuntime | FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const digest = yield* imageDigest(request.image, request.cacheDir)
    const script = yield* reading(request.script, (yield* FileSystem.FileSystem).readFileString(request.script))
    const file = digest === null ? null : memoryOf(request, script, digest)
    const before = file === null || digest === null ? Option.none() : yield* remembered(file, digest)
    if (Option.isSome(before)) return before.value
    const json = yield* ask(request, script)
    const parser = yield* Effect.mapError(
      decode(json),
      ({ message }) => ImageError.of(`what the probe of ${request.image} printed cannot be read: ${message}`)
    )
    if (file !== null) yield* Effect.ignore(writeAside(file, json))
    return { parser, json, digest, cached: false }
  })
