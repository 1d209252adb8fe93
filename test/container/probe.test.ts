import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { ProbedParser, probeImage } from "../../src/container/probe.ts"
import { ContainerRuntime } from "../../src/port/ContainerRuntime.ts"

const script = fileURLToPath(new URL("../../container/probe_arguments.py", import.meta.url))

const module = `
import argparse, enum
print("noise of an import")
class Backend(enum.Enum):
    flash = 1
    auto = 2
def add(parser):
    group = parser.add_argument_group("network size")
    group.add_argument("--num-layers", type=int)
    group.add_argument("--lr", type=float, default=float("inf"))
    group.add_argument("--disable-bias-linear", action="store_false", dest="add_bias_linear", help=argparse.SUPPRESS)
    group.add_argument("--attention-backend", type=lambda name: Backend[name], default=Backend.auto)
    group.add_argument("--data-path", nargs="+", choices=["a", "b"])
    group.add_argument("--rl", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("-v", action="count")
    return parser
`

const scratch = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "probe-"))),
  (dir) => Effect.sync(() => fs.rmSync(dir, { recursive: true }))
)

const python = (dir: string, ...functions: ReadonlyArray<string>) => {
  fs.writeFileSync(path.join(dir, "mine.py"), module)
  return spawnSync("/usr/bin/python3", [script, ...functions], {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", PYTHONPATH: dir, PYTHONDONTWRITEBYTECODE: "1" }
  })
}

describe("the script that reads a parser", () => {
  it.scoped("tells of each argument as the shipped tables do, and prints nothing else", () =>
    Effect.gen(function*() {
      const { stderr, stdout } = python(yield* scratch, "mine:add", "?not.there:add")
      expect(stderr).toContain("noise of an import")
      const { arguments: found, ...rest } = JSON.parse(stdout)
      expect(rest).toMatchObject({ source: { functions: ["mine:add"], megatron_core_version: null }, left_out: ["-v"] })
      expect(found).toMatchObject([
        {
          dest: "num_layers",
          flags: ["--num-layers"],
          group: "network size",
          action: "store",
          type: "int",
          nargs: null
        },
        { dest: "lr", type: "float", default: null, default_repr: "inf" },
        { dest: "add_bias_linear", action: "store_false", type: "bool", default: true, hidden: true },
        { dest: "attention_backend", type: "other:enum Backend", choices: ["flash", "auto"], default: null },
        { dest: "data_path", nargs: "+", choices: ["a", "b"] },
        { dest: "rl", flags: ["--rl", "--no-rl"], action: "boolean_optional", type: "bool" }
      ])
      expect(Either.isRight(Schema.decodeUnknownEither(Schema.parseJson(ProbedParser))(stdout))).toBe(true)
    }))

  it.scoped("fails where a function that must be there is not", () =>
    Effect.gen(function*() {
      const { status, stderr, stdout } = python(yield* scratch, "mine:nothing")
      expect(status).toBe(1)
      expect(stdout).toBe("")
      expect(stderr).toMatch(/has no attribute 'nothing'/)
    }))
})

/** A runtime whose images are this machine. */
const host = (dir: string, counted: { runs: number }) =>
  Layer.succeed(ContainerRuntime, {
    name: "host",
    version: Effect.succeed("1"),
    build: () => Effect.succeed(1),
    exec: ({ argv }) =>
      Effect.sync(() => {
        counted.runs += 1
        const [program = "", ...args] = argv
        const { status, stderr, stdout } = spawnSync(program, args, {
          encoding: "utf8",
          env: { PATH: "/usr/bin:/bin", PYTHONPATH: dir, PYTHONDONTWRITEBYTECODE: "1" }
        })
        return { exitCode: status ?? 255, stdout, stderr }
      })
  })

describe("the parser of an image", () => {
  it.scoped("is read once, and again when the image, the script or the functions are others", () =>
    Effect.gen(function*() {
      const dir = yield* scratch
      const image = path.join(dir, "my.sif")
      fs.writeFileSync(path.join(dir, "mine.py"), module)
      fs.writeFileSync(image, "image one")
      const counted = { runs: 0 }
      const probe = (functions: ReadonlyArray<string> = ["mine:add"]) =>
        probeImage({
          image,
          script,
          functions,
          python: "/usr/bin/python3",
          binds: [],
          env: {},
          pwd: null,
          cacheDir: path.join(dir, "cache")
        }).pipe(Effect.provide(Layer.merge(host(dir, counted), NodeFileSystem.layer)))
      const first = yield* probe()
      expect(first.cached).toBe(false)
      expect(first.parser.arguments.map(({ dest }) => dest)).toContain("num_layers")
      const second = yield* probe()
      expect(second).toEqual({ ...first, cached: true })
      yield* probe(["mine:add", "?other:add"])
      expect(counted.runs).toBe(2)
      fs.writeFileSync(image, "image two, another")
      expect((yield* probe()).cached).toBe(false)
      const remembered = path.join(dir, "cache/parsers")
      fs.readdirSync(remembered).forEach((name) => fs.writeFileSync(path.join(remembered, name), "{ half"))
      expect((yield* probe()).cached).toBe(false)
      expect((yield* probe()).cached).toBe(true)
      const error = yield* Effect.flip(probe(["mine:nothing"]))
      expect(error.message).toMatch(/could not be read \(exit code 1\)[^]*no attribute/)
    }))

  it.scoped("is that of an image that exists", () =>
    Effect.gen(function*() {
      const dir = yield* scratch
      const error = yield* Effect.flip(
        probeImage({
          image: path.join(dir, "no.sif"),
          script,
          functions: [],
          python: "python",
          binds: [],
          env: {},
          pwd: null,
          cacheDir: dir
        }).pipe(Effect.provide(Layer.merge(host(dir, { runs: 0 }), NodeFileSystem.layer)))
      )
      expect(error).toMatchObject({ _tag: "ImageError", message: `there is no image ${dir}/no.sif` })
    }))
})
