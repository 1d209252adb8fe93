import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { buildImage, type BuildRequest } from "../../src/container/build.ts"
import { ContainerRuntime, ContainerRuntimeError } from "../../src/port/ContainerRuntime.ts"

interface Call {
  readonly does: "exec" | "build"
  readonly image: string
  readonly options: ReadonlyArray<string>
  /** The definition that a build was given, or what was run. */
  readonly text: string
}

/** A runtime that writes what it is asked to build, and ends with `codes` in turn, or 0. */
const recording = (calls: Array<Call>, codes: ReadonlyArray<number> = []) =>
  Layer.succeed(ContainerRuntime, {
    name: "apptainer",
    version: Effect.succeed("apptainer version 1"),
    exec: ({ argv, image, options }) =>
      Effect.sync(() => {
        calls.push({ does: "exec", image, options, text: argv.join(" ") })
        return { exitCode: codes[calls.length - 1] ?? 0, stdout: "", stderr: "" }
      }),
    build: ({ options, source, target }) =>
      Effect.sync(() => {
        calls.push({ does: "build", image: target, options, text: fs.readFileSync(source, "utf8") })
        const code = codes[calls.length - 1] ?? 0
        fs.writeFileSync(target, code === 0 ? "an image" : "half an im")
        return code
      })
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "images-"))),
  (dir) => Effect.sync(() => fs.rmSync(dir, { recursive: true }))
)

const definition = `Bootstrap: docker
From: {{BASE_IMAGE}}

%files
    {{REQUIREMENTS_PATH}} /r/{{REQUIREMENTS_BASENAME}}

%post
    pip install -r /r/{{REQUIREMENTS_BASENAME}}

%environment
    export A=1
`

const requestIn = (dir: string, change: Partial<BuildRequest> = {}): BuildRequest => {
  fs.writeFileSync(path.join(dir, "My.def.in"), definition)
  fs.writeFileSync(path.join(dir, "needs.txt"), "einops\n")
  fs.writeFileSync(path.join(dir, "base.sif"), "base")
  return {
    backend: "megatron",
    definition: "My",
    definitionFile: path.join(dir, "My.def.in"),
    requirements: path.join(dir, "needs.txt"),
    baseImage: "debian:12",
    outputDir: path.join(dir, "out"),
    appendDate: false,
    force: false,
    user: false,
    keepSandbox: false,
    tempDir: dir,
    cacheDir: path.join(dir, "cache"),
    repoRoot: dir,
    arch: "x86_64",
    root: false,
    provenance: { git_commit: "abc" },
    say: () => Effect.void,
    ...change
  }
}

const built = (request: BuildRequest, calls: Array<Call>, codes: ReadonlyArray<number> = []) =>
  buildImage(request).pipe(Effect.provide(Layer.merge(recording(calls, codes), NodeFileSystem.layer)))

const files = (dir: string) => fs.existsSync(path.join(dir, "out")) ? fs.readdirSync(path.join(dir, "out")).sort() : []

describe("building an image", () => {
  it.scoped("renders all placeholders, and keeps the record inside and beside", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      const calls: Array<Call> = []
      const image = yield* built(requestIn(dir), calls)
      expect(calls).toMatchObject([{ does: "build", options: ["--fakeroot"] }])
      expect(calls[0]?.text).toContain(`From: debian:12`)
      expect(calls[0]?.text).toContain(`${dir}/needs.txt /r/needs.txt`)
      expect(calls[0]?.text).toMatch(/provenance\.json \/oellm\/provenance\.json/)
      expect(image?.image).toBe(path.join(dir, "out/My_x86_64.sif"))
      expect(files(dir)).toEqual(["My_x86_64.sif", "My_x86_64.sif.provenance.json"])
      expect(JSON.parse(fs.readFileSync(image?.provenance ?? "", "utf8"))).toMatchObject({
        definition: path.join(dir, "My.def.in"),
        requirements_file: path.join(dir, "needs.txt"),
        base_image: "debian:12",
        git_commit: "abc",
        sha256: image?.digest
      })
    }))

  it.scoped("asks for no fakeroot of one who is root", () =>
    Effect.gen(function*() {
      const calls: Array<Call> = []
      yield* built(requestIn(yield* folder, { root: true }), calls)
      expect(calls[0]?.options).toEqual([])
    }))

  it.scoped("takes a base image that is a file for one, whatever the definition's Bootstrap", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      const calls: Array<Call> = []
      yield* built(requestIn(dir, { baseImage: path.join(dir, "base.sif") }), calls)
      expect(calls[0]?.text).toContain(`Bootstrap: localimage\nFrom: ${dir}/base.sif`)
    }))

  it.scoped("leaves nothing behind that is half an image", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      expect(yield* built(requestIn(dir), [], [1])).toBeNull()
      expect(files(dir)).toEqual([])
      expect(fs.readdirSync(dir).filter((name) => name.startsWith("autoexp_build"))).toEqual([])
    }))

  it.scoped("replaces an image only if it is asked to, and only by a whole one", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      yield* built(requestIn(dir), [])
      fs.writeFileSync(path.join(dir, "out/My_x86_64.sif"), "the old one")
      const calls: Array<Call> = []
      expect((yield* Effect.flip(built(requestIn(dir), calls))).message).toMatch(/is there already/)
      expect(calls).toEqual([])
      yield* built(requestIn(dir, { force: true }), [], [1])
      expect(fs.readFileSync(path.join(dir, "out/My_x86_64.sif"), "utf8")).toBe("the old one")
      yield* built(requestIn(dir, { force: true }), [])
      expect(fs.readFileSync(path.join(dir, "out/My_x86_64.sif"), "utf8")).toBe("an image")
    }))

  it.scoped("ends the name with the time in UTC where that is asked for", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      const image = yield* built(requestIn(dir, { appendDate: true }), [])
      expect(path.basename(image?.image ?? "")).toBe("My_x86_64_197001010000.sif")
    }))

  it.scoped.each(
    [
      ["requirements that are not there", { requirements: "/nowhere/needs.txt" }, /no requirements file/],
      ["an output that is a file", { outputDir: "/dev/null/out" }, /cannot be used/]
    ] as const
  )("tells before it begins of %s", ([, change, message]) =>
    Effect.gen(function*() {
      const calls: Array<Call> = []
      const error = yield* Effect.flip(built(requestIn(yield* folder, change), calls))
      expect(error).toMatchObject({ _tag: "ImageError" })
      expect(error.message).toMatch(message)
      expect(calls).toEqual([])
    }))

  it.scoped("tells of a runtime that is not there before the output is touched", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      const missing = new ContainerRuntimeError({ runtime: "apptainer", message: "it is not installed here" })
      const none = Layer.succeed(ContainerRuntime, {
        name: "apptainer",
        version: missing,
        exec: () => missing,
        build: () => missing
      })
      const error = yield* Effect.flip(
        buildImage(requestIn(dir)).pipe(Effect.provide(Layer.merge(none, NodeFileSystem.layer)))
      )
      expect(error).toBe(missing)
      expect(files(dir)).toEqual([])
    }))
})

describe("building an image as a user", () => {
  it.scoped("unpacks, runs %post inside, and packs, each with its sections", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      const calls: Array<Call> = []
      yield* built(requestIn(dir, { user: true, baseImage: path.join(dir, "base.sif") }), calls)
      const [unpack, post, pack] = calls
      expect(unpack).toMatchObject({ does: "build", options: ["--sandbox", "--fix-perms"] })
      expect(unpack?.text).toMatch(/From: .*base\.sif/)
      expect(unpack?.text).toMatch(/%files/)
      expect(unpack?.text).not.toMatch(/%post|%environment/)
      expect(post).toMatchObject({ does: "exec", image: unpack?.image })
      expect(post?.options).toContain("--writable")
      expect(post?.text).toContain("pip install -r /r/needs.txt")
      expect(pack?.text).toContain(`From: ${unpack?.image}`)
      expect(pack?.text).toMatch(/%environment/)
      expect(pack?.text).not.toMatch(/%post|%files/)
      expect(files(dir)).toEqual(["My_x86_64.sif", "My_x86_64.sif.provenance.json"])
    }))

  it.scoped("stops where %post fails, and removes the sandbox unless it is to be kept", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      const request = requestIn(dir, { user: true, baseImage: path.join(dir, "base.sif") })
      const calls: Array<Call> = []
      expect(yield* built(request, calls, [0, 3])).toBeNull()
      expect(calls.length).toBe(2)
      const sandboxes = () => fs.readdirSync(dir).filter((name) => name.startsWith("autoexp_build"))
      expect(sandboxes()).toEqual([])
      yield* built({ ...request, keepSandbox: true }, [], [0, 3])
      expect(sandboxes().length).toBe(1)
    }))

  it.scoped("refuses commands that need root, with their line", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      const request = requestIn(dir, { user: true, baseImage: path.join(dir, "base.sif") })
      fs.writeFileSync(request.definitionFile, definition.replace("    pip", "    apt-get update\n    pip"))
      const calls: Array<Call> = []
      expect(yield* Effect.flip(built(request, calls))).toMatchObject({ _tag: "ImageError", line: 8 })
      expect(calls).toEqual([])
    }))

  it.scoped("refuses a base that is no file", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(built(requestIn(yield* folder, { user: true }), []))
      expect(error.message).toMatch(/debian:12 is none; name one with --base-image/)
    }))
})
