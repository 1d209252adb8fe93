/** A build without fakeroot: the base image unpacked, %post run inside of it by its user, and packed again. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { ContainerRuntime, type ContainerRuntimeError } from "../port/ContainerRuntime.ts"
import { type Definition, format, type Section } from "./definition.ts"
import type { ImageError } from "./ImageError.ts"
import { reading } from "./images.ts"

export interface UserBuild {
  /** Rendered, its base an image file. */
  readonly definition: Definition
  /** Where the sandbox is made. */
  readonly folder: string
  readonly target: string
  readonly say: (line: string) => Effect.Effect<void>
}

/** 12 hours, in seconds: a base image of 20 GB over a slow link. */
export const longestBuild = 12 * 3600

/** Variables that %post writes lines of the image's environment to, by the file's place inside the image. */
const environmentFile = "/.singularity.d/env/91-environment.sh"

/** The shell of a %post: `%post -c SHELL` names another than `sh`. */
const shellOf = ({ args }: Section): string => args.match(/^-c\s+(\S+)/)?.[1] ?? "/bin/sh"

/** Builds `target`; returns the exit code of the first step that failed, or 0. */
export const userBuild = (
  { definition, folder, say, target }: UserBuild
): Effect.Effect<number, ImageError | ContainerRuntimeError, ContainerRuntime | FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const runtime = yield* ContainerRuntime
    const sandbox = path.join(folder, "sandbox")
    const write = (name: string, part: Definition) => {
      const file = path.join(folder, name)
      return Effect.as(reading(file, fs.writeFileString(file, format(part))), file)
    }
    const { header, sections } = definition
    const files = sections.filter(({ name }) => name === "files")
    const posts = sections.filter(({ name }) => name === "post")
    const rest = sections.filter((section) => !files.includes(section) && !posts.includes(section))

    yield* say("unpacking the base image")
    const unpacked = yield* runtime.build({
      target: sandbox,
      source: yield* write("unpack.def", { header, sections: files }),
      options: ["--sandbox", "--fix-perms"],
      timeoutSeconds: longestBuild
    })
    if (unpacked !== 0) return unpacked
    for (const post of posts) {
      yield* say("running %post")
      const { exitCode } = yield* runtime.exec({
        image: sandbox,
        argv: [shellOf(post), "-ec", post.body.join("\n")],
        binds: [],
        env: { APPTAINER_ENVIRONMENT: environmentFile, SINGULARITY_ENVIRONMENT: environmentFile },
        pwd: "/",
        options: ["--writable", "--no-home", "--no-umask"],
        timeoutSeconds: longestBuild,
        terminal: true
      })
      if (exitCode !== 0) {
        yield* say(`%post ended with exit code ${exitCode}`)
        return exitCode
      }
    }
    yield* say("packing the image")
    return yield* runtime.build({
      target,
      source: yield* write("pack.def", {
        header: new Map([["bootstrap", "localimage"], ["from", sandbox]]),
        sections: rest
      }),
      options: [],
      timeoutSeconds: longestBuild
    })
  })
