import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import { format, parse, privilegedCommands, render } from "../../src/container/definition.ts"

const values = { BASE_IMAGE: "/images/base.sif", REPO_ROOT: "/repo", ARCH: "x86_64" }
const rendered = (text: string) => Either.getOrThrow(render(text, values, "my.def.in"))
const refused = (text: string) => Either.flip(render(text, values, "my.def.in")).pipe(Either.getOrThrow)

describe("the placeholders of a definition", () => {
  it("are filled in in both spellings", () => {
    expect(rendered("From: {{BASE_IMAGE}}\n%files\n    ${REPO_ROOT}/a /a\n    {{ ARCH }} /b")).toBe(
      "From: /images/base.sif\n%files\n    /repo/a /a\n    x86_64 /b"
    )
  })

  it("leave the image's own variables to the image", () => {
    const text = `From: x\n%environment\n    export PYTHONPATH="/src:\${PYTHONPATH}:$HOME"\n`
    expect(rendered(text)).toBe(text)
  })

  it("must be known, which the nearest name helps with", () => {
    expect(refused("From: x\n%post\n    echo {{REPO_ROT}}")).toMatchObject({
      file: "my.def.in",
      line: 3,
      suggestions: ["{{REPO_ROOT}}"]
    })
  })

  it("are all there is where no shell reads: in the header and in %files", () => {
    expect(refused("Bootstrap: docker\nFrom: ${BASE}\n")).toMatchObject({ line: 2 })
    expect(refused("From: x\n%files\n    $SOURCE /a\n").message).toBe(
      "nothing fills in $SOURCE in %files, which no shell reads"
    )
    expect(rendered("# $NOTE\nFrom: x")).toBe("# $NOTE\nFrom: x")
  })

  it("cannot be paths with blanks in %files, which splits its lines at them", () => {
    const spaced = render("From: x\n%files\n    {{REPO_ROOT}} /a", { REPO_ROOT: "/my repo" }, "d")
    expect(Either.getOrThrow(Either.flip(spaced))).toMatchObject({ line: 3 })
  })

  it("keep a value's dollar signs as they are", () => {
    expect(Either.getOrThrow(render("From: {{BASE_IMAGE}}", { BASE_IMAGE: "a$&b$1" }, "d"))).toContain("From: a$&b$1")
  })
})

const text =
  "Bootstrap: docker\nFrom: debian:12\n\n%files\n    a /a\n%post -c /bin/bash\n    echo %post\n    printf '%s' x\n"

describe("the sections of a definition", () => {
  it("are read with their lines", () => {
    const { header, sections } = Either.getOrThrow(parse(text, "d"))
    expect([...header]).toEqual([["bootstrap", "docker"], ["from", "debian:12"]])
    expect(sections).toMatchObject([
      { name: "files", args: "", body: ["    a /a"], line: 4 },
      { name: "post", args: "-c /bin/bash", line: 6 }
    ])
    expect(sections[1]?.body).toContain("    printf '%s' x")
  })

  it("come out again as they came in", () => {
    const definition = Either.getOrThrow(parse(text, "d"))
    expect(
      Either.getOrThrow(parse(format(definition), "d")).sections.map(({ body, name }) => [name, body.join("\n").trim()])
    )
      .toEqual(definition.sections.map(({ body, name }) => [name, body.join("\n").trim()]))
  })

  it.each(["From: x", "Bootstrap: docker", "what is this\nBootstrap: docker\nFrom: x"])("need a header: %j", (bad) => {
    expect(Either.isLeft(parse(`${bad}\n%post\n    true\n`, "d"))).toBe(true)
  })
})

describe("commands that only root may call", () => {
  const found = (...post: ReadonlyArray<string>) =>
    privilegedCommands(Either.getOrThrow(parse(["Bootstrap: a", "From: b", "%post", ...post].join("\n"), "d")))

  it.each([
    ["    apt-get update", "apt-get"],
    ["cd /x && /usr/bin/apt install -y git", "apt"],
    ["if true; then yum install x; fi", "yum"],
    ["DEBIAN_FRONTEND=noninteractive apt-get install x", "apt-get"],
    ["x=$(dnf list)", "dnf"],
    ["sudo make install", "sudo"],
    ["true | xargs apk add", "apk"]
  ])("are found: %s", (line, command) => {
    expect(found("true", line)).toEqual([{ command, line: 5 }])
  })

  it.each([
    "# apt-get install git",
    "echo done  # as apt does",
    "pip install apt-tools",
    "export PATH=/opt/rpm/bin:$PATH",
    "ls /etc/apt",
    "rm -rf /var/lib/apt/lists"
  ])("are not seen where there are none: %s", (line) => {
    expect(found(line)).toEqual([])
  })
})

describe("the definitions that are shipped", () => {
  const folder = new URL("../../container/megatron/", import.meta.url)
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(".def.in"))
  const all = { ...values, REQUIREMENTS_PATH: "/r/q.txt", REQUIREMENTS_BASENAME: "q.txt", PROVENANCE_PATH: "/p/p.json" }

  it("are three", () => {
    expect(names.sort()).toEqual([
      "MegatronTraining.def.in",
      "MegatronTrainingLumi.def.in",
      "MegatronTrainingNoRoot.def.in"
    ])
  })

  it.each(names)("%s renders and parses, and what is for users needs no root", (name) => {
    const source = fs.readFileSync(new URL(name, folder), "utf8")
    const definition = Either.getOrThrow(Either.flatMap(render(source, all, name), (text) => parse(text, name)))
    expect(definition.sections.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["files", "environment", "post"])
    )
    expect(privilegedCommands(definition).length > 0).toBe(name === "MegatronTraining.def.in")
  })
})
