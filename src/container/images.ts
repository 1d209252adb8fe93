/** Image files: whether they are there, and which they are. */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { ImageError } from "./ImageError.ts"

/** Runs `read` and tells in an `ImageError` what went wrong with `file`. */
export const reading = <A, R>(
  file: string,
  read: Effect.Effect<A, PlatformError, R>
): Effect.Effect<A, ImageError, R> =>
  Effect.mapError(read, ({ message }) => ImageError.of(`${file} cannot be used: ${message}`))

const sha256 = (file: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const hash = createHash("sha256")
    yield* Stream.runForEach(fs.stream(file, { chunkSize: 1 << 20 }), (chunk) => Effect.sync(() => hash.update(chunk)))
    return hash.digest("hex")
  })

/** There is no such image. */
export const missingImage = (image: string): ImageError =>
  ImageError.of(`there is no image ${image}`, { suggestions: ["autoexp container build"] })

/** An image file, and the place below `cacheDir` that remembers its digest while size, time and inode stay. */
const identify = (image: string, cacheDir: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* reading(image, fs.exists(image)))) return yield* missingImage(image)
    const real = yield* reading(image, fs.realPath(image))
    const { ino, mtime, size, type } = yield* reading(image, fs.stat(real))
    const identity = [real, `${size}`, Option.getOrNull(mtime)?.getTime(), Option.getOrNull(ino)].join("\0")
    const memory = path.join(cacheDir, "digests", createHash("sha256").update(identity).digest("hex"))
    const known = yield* Effect.option(fs.readFileString(memory))
    const digest = Option.getOrNull(Option.filter(known, (text) => /^[0-9a-f]{64}$/.test(text)))
    return { real, isFile: type !== "Directory", memory, digest }
  })

/** The SHA-256 of an image file in hex if it is known without reading the image; fails if there is no such image. */
export const rememberedDigest = (
  image: string,
  cacheDir: string
): Effect.Effect<string | null, ImageError, FileSystem.FileSystem> =>
  Effect.map(identify(image, cacheDir), ({ digest, isFile }) => isFile ? digest : null)

/**
 * The SHA-256 of an image file in hex, remembered below `cacheDir`, since an image of 20 GB takes a minute to read; null
 * for a directory, which has none. Fails if there is no such image.
 */
export const imageDigest = (
  image: string,
  cacheDir: string
): Effect.Effect<string | null, ImageError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { digest: known, isFile, memory, real } = yield* identify(image, cacheDir)
    if (!isFile) return null
    if (known !== null) return known
    const digest = yield* reading(image, sha256(real))
    yield* Effect.ignore(writeAside(memory, digest))
    return digest
  })

/** Writes a file under a temporary name and renames it, its directory made if need be. */
export const writeAside = (file: string, text: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(path.dirname(file), { recursive: true })
    const temporary = `${file}.${process.pid}`
    yield* fs.writeFileString(temporary, text)
    yield* fs.rename(temporary, file)
  })
