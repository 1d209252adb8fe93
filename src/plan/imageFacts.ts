/** Which image a plan's jobs run in, and what is known of the Megatron inside. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as path from "node:path"
import { imageDigest, rememberedDigest } from "../container/images.ts"
import { rememberedParser } from "../container/probe.ts"
import { cacheDir, probeScript } from "../container/shipped.ts"
import type { ImageFacts } from "./facts.ts"

/**
 * The image's SHA-256 and Megatron's version, each null where it is not known; null without an image. `read`: whether an
 * image that was never read is, which takes a minute for 20 GB, once.
 */
export const imageFacts = (
  image: string | null,
  { cwd, read }: { readonly cwd: string; readonly read: boolean }
): Effect.Effect<ImageFacts | null, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    if (image === null) return null
    const file = path.resolve(cwd, image)
    const cache = cacheDir(process.env)
    const digest = (read ? imageDigest : rememberedDigest)(file, cache)
    const script = probeScript(cwd)
    const parser = script === null
      ? Option.none()
      : yield* rememberedParser({ image: file, script, cacheDir: cache, functions: [] }).pipe(
        Effect.orElseSucceed(Option.none)
      )
    return {
      path: file,
      sha256: yield* Effect.orElseSucceed(digest, () => null),
      megatron_core: Option.getOrNull(Option.map(parser, (probe) => probe.parser.source.megatron_core_version))
    }
  })
