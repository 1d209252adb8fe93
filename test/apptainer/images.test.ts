/** The built program with a real Apptainer: images built both ways, commands and parsers inside, jobs on the local cluster. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "../e2e/demo.ts"
import { bin, inside, makeImages } from "./images.ts"

let images = ""
beforeAll(() => {
  images = makeImages()
})
afterAll(() => fs.rmSync(images, { recursive: true }))

const program = path.resolve(import.meta.dirname, "../../dist/autoexp.js")

const definition = `Bootstrap: docker
From: {{BASE_IMAGE}}

%files
    {{REQUIREMENTS_PATH}} /workspace/{{REQUIREMENTS_BASENAME}}

%environment
    export GREETING="hello from \${HOME}"

%post
    echo built > /built.txt
    echo 'export FROM_POST=1' >> "$APPTAINER_ENVIRONMENT"

%labels
    definition Tiny
`

/** Runs autoexp in the folder of images, through `through` if that is given. */
const autoexp = (args: ReadonlyArray<string>, through: ReadonlyArray<string> = []) => {
  const [first = "", ...rest] = [...through, process.execPath, program, ...args]
  const { status, stderr, stdout } = spawnSync(first, rest, {
    cwd: images,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: images, TMPDIR: images }
  })
  return { status, stderr, stdout }
}

const building = (output: string, ...more: ReadonlyArray<string>): ReadonlyArray<string> => {
  fs.mkdirSync(path.join(images, "container/megatron"), { recursive: true })
  fs.writeFileSync(path.join(images, "container/megatron/Tiny.def.in"), definition)
  fs.writeFileSync(path.join(images, "container/megatron/requirements_latest.txt"), "einops\n")
  return ["container", "build", "--definition", "Tiny", "--base-image", "tiny.sif", "--output", output, ...more]
}

describe.each(
  [
    ["by the runtime alone, as the root of a user namespace", [], ["unshare", "-r"]],
    ["as a user, by way of a sandbox", ["--user"], []]
  ] as const
)("an image built %s", (_, options, through) => {
  const output = options.length === 0 ? "alone" : "user"
  const image = () => path.join(images, output, `Tiny_${process.arch === "x64" ? "x86_64" : "aarch64"}.sif`)
  const run = (...command: ReadonlyArray<string>) => autoexp(["container", "run", "--image", image(), "--", ...command])

  it("holds its files, what %post wrote, its environment and how it came to be", () => {
    const built = autoexp(building(output, ...options), through)
    expect(built.status, built.stderr).toBe(0)
    expect(built.stdout.trim()).toBe(image())
    expect(run("cat", "/built.txt", "/workspace/requirements_latest.txt").stdout).toBe("built\neinops\n")
    expect(run("sh", "-c", "echo \"$GREETING $FROM_POST\"").stdout).toMatch(/^hello from \/.* 1\n$/)
    const within = JSON.parse(run("cat", "/oellm/provenance.json").stdout)
    const beside = JSON.parse(fs.readFileSync(`${image()}.provenance.json`, "utf8"))
    expect(within).toMatchObject({ backend: "megatron", base_image: "tiny.sif" })
    expect(beside).toMatchObject({ ...within, image: image(), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(fs.readdirSync(images).filter((name) => name.startsWith("autoexp_build"))).toEqual([])
  })

  it("is not replaced unless it is asked for", () => {
    const again = autoexp(building(output, ...options), through)
    expect(again.status).toBe(2)
    expect(again.stderr).toMatch(/is there already; did you mean `--force`/)
  })
})

describe("a build that fails", () => {
  it.each([[[], ["unshare", "-r"]], [["--user"], []]] as const)("leaves no image: %j", (options, through) => {
    const args = building("failed", ...options)
    const file = path.join(images, "container/megatron/Tiny.def.in")
    fs.writeFileSync(file, definition.replace("echo built", "cat /not/there"))
    const { status, stderr } = autoexp(args, through)
    expect(status, stderr).toBe(1)
    expect(stderr).toMatch(/not\/there[^]*the image was not built/)
    expect(fs.readdirSync(path.join(images, "failed"))).toEqual([])
  })
})

describe("a command in an image", () => {
  it("passes its exit code on, and gets its environment as it is written", () => {
    const { status, stdout } = autoexp([
      "container",
      "run",
      "--config-dir",
      path.resolve(import.meta.dirname, "../../config"),
      "container.image=tiny.sif",
      "+container.env={A: 'x,y=z', B: '$(echo 1)'}",
      "container.pwd=/tmp",
      "--",
      "sh",
      "-c",
      "echo \"$A|$B|$PWD\"; exit 7"
    ])
    expect(stdout).toBe("x,y=z|1|/tmp\n")
    expect(status).toBe(7)
  })

  it.each(
    [
      ["an image that does not exist", ["--image", "no.sif"], 2, /there is no image .*no\.sif/],
      [
        "a runtime that is not installed",
        ["--image", "tiny.sif", "--container-cmd", "podapple"],
        3,
        /not installed here/
      ],
      ["a file that is no image", ["--image", "container/megatron/Tiny.def.in"], 255, /FATAL/]
    ] as const
  )("is told of %s", (_, options, code, message) => {
    const { status, stderr } = autoexp(["container", "run", ...options, "--", "true"])
    expect(stderr).toMatch(message)
    expect(status).toBe(code)
  })
})

describe("the parser inside an image", () => {
  it("is read with the image's Python, and remembered", () => {
    fs.writeFileSync(
      path.join(images, "mine.py"),
      "def add(parser):\n    parser.add_argument(\"--num-layers\", type=int, default=2)\n"
    )
    const probe = () =>
      autoexp([
        "container",
        "probe",
        "--config-dir",
        path.resolve(import.meta.dirname, "../../config"),
        "container.image=tiny.sif",
        `container.bind=[/usr,/lib,/lib64,/bin,${images}:/mnt]`,
        "+container.env={PYTHONPATH: /mnt, PYTHONDONTWRITEBYTECODE: 1}",
        "--python",
        "/usr/bin/python3",
        "--function",
        "mine:add",
        "--output",
        "parser.json"
      ])
    const first = probe()
    expect(first.status, first.stderr).toBe(0)
    expect(first.stdout).toMatch(/^1 arguments, by mine:add/)
    expect(JSON.parse(fs.readFileSync(path.join(images, "parser.json"), "utf8")).arguments).toMatchObject([
      { dest: "num_layers", type: "int", default: 2 }
    ])
    expect(probe().stdout).toMatch(/remembered from before/)
  })
})

describe("the demo inside an image", () => {
  it("ends on the local cluster as it does outside", async () => {
    const demo: Demo = makeDemo()
    try {
      fs.copyFileSync(path.join(images, "tiny.sif"), path.join(demo.folder, "tiny.sif"))
      const image = path.join(demo.folder, "tiny.sif")
      const { code, stderr, stdout } = await demo.run(["run", ...inside(image, demo.folder)], {
        PATH: `${bin}:${process.env["PATH"]}`
      })
      expect(code, stderr + stdout).toBe(0)
      const shown = await demo.json<{ readonly jobs: ReadonlyArray<{ readonly outcome: string }> }>([
        "session",
        "show",
        "last"
      ])
      expect(shown.jobs.map(({ outcome }) => outcome)).toEqual(["success", "success", "success", "success"])
      expect(demo.starts().filter(({ mode }) => mode === "train").length).toBe(7)
    } finally {
      await demo.remove()
    }
  })
})
