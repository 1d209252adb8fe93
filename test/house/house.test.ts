import { ESLint } from "eslint"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import ts from "typescript"
import { afterEach, describe, expect, it } from "vitest"
import { rooms, wrongImports } from "./imports.ts"

const root = path.resolve(import.meta.dirname, "../..")
const temporary: Array<string> = []
afterEach(() => temporary.splice(0).forEach((folder) => fs.rmSync(folder, { recursive: true })))

/** A source tree of the given files in a folder of its own, below `parent`. */
const plant = (files: Readonly<Record<string, string>>, parent = os.tmpdir()): string => {
  fs.mkdirSync(parent, { recursive: true })
  const folder = fs.mkdtempSync(path.join(parent, "house-"))
  temporary.push(folder)
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  return folder
}

describe("imports", () => {
  it("point down and never in a circle", () => {
    expect(wrongImports(path.join(root, "src"))).toEqual([])
  })

  it.each([
    ["a value", `import { up } from "../plan/Up.ts"`],
    ["a type", `import type { Up } from "../plan/Up.ts"`],
    ["a type in place", `export const x = (up: import("../plan/Up.ts").Up) => up`],
    ["a re-export", `export * from "../plan/Up.ts"`],
    ["a dynamic import", `export const x = () => import("../plan/Up.ts")`]
  ])("upwards are caught: %s", (_, text) => {
    const src = plant({ "rule/Decide.ts": `// first line\n${text}\n`, "plan/Up.ts": "export {}" })
    expect(wrongImports(src)).toEqual(["rule/Decide.ts:2: imports plan/Up.ts; rule stands below plan"])
  })

  it("in a circle are caught, within a room and by types alone", () => {
    const src = plant({
      "event/A.ts": `import type { B } from "./B.ts"`,
      "event/B.ts": `export type { C } from "./C.ts"`,
      "event/C.ts": `import "./A.ts"`,
      "port/Apart.ts": ""
    })
    expect(wrongImports(src)).toEqual(["event/A.ts -> event/B.ts -> event/C.ts -> event/A.ts"])
  })

  it("that cannot be followed are caught", () => {
    const src = plant({
      "cli/a.ts": `const name: string = "./b.ts"; export const x = import(name)`,
      "cli/b.ts": `import "./c.js"`,
      "port/d.ts": `import "../../package.json"`
    })
    expect(wrongImports(src)).toEqual([
      "cli/a.ts:1: imports a computed name",
      "cli/b.ts:1: imports ./c.js, which is no source file",
      "port/d.ts:1: imports ../../package.json, which is no source file"
    ])
  })

  it("are not looked for in comments and texts", () => {
    expect(wrongImports(plant({ "port/a.ts": `// import "../cli/b.ts"\nexport const x = 'import "../cli/b.ts"'` })))
      .toEqual([])
  })

  it("name rooms that exist", () => {
    expect(wrongImports(plant({ "utils/a.ts": "", "helper.ts": "" }))).toEqual([
      "helper.ts: there is no room \"helper\"",
      "utils/a.ts: there is no room \"utils\""
    ])
  })
})

const pure = rooms.slice(rooms.indexOf("rule"))

describe("pure rooms", () => {
  it.each([
    ["the clock", "export const x = Date.now()"],
    ["the clock, made", "export const x = new Date()"],
    ["the clock, by its owner", "export const x = globalThis.Date"],
    ["Effect's clock", `import * as Clock from "effect/Clock"\nexport const x = Clock.currentTimeMillis`],
    ["randomness", "export const x = Math.random()"],
    ["files", `import * as fs from "node:fs"\nexport const x = fs.statSync`],
    ["files by their old name", `import * as fs from "fs"\nexport const x = fs.statSync`],
    [
      "the platform",
      `import * as FileSystem from "@effect/platform/FileSystem"\nexport const x = FileSystem.FileSystem`
    ],
    ["the process", "export const x = process.argv"],
    ["the locale", `export const x = "a".localeCompare("b")`]
  ])("are refused %s by the linter", async (_, text) => {
    const eslint = new ESLint({ cwd: root, overrideConfig: { rules: { "@effect/dprint": "off" } } })
    for (const room of pure) {
      const [result] = await eslint.lintText(`${text}\n`, { filePath: path.join(root, `src/${room}/Planted.ts`) })
      expect(result?.messages.map(({ ruleId }) => ruleId), room).toEqual([expect.stringMatching(/^no-restricted-/)])
    }
  })

  it("do not know Node by their types, whatever they import", () => {
    const config = ts.getParsedCommandLineOfConfigFile(path.join(root, "src/tsconfig.pure.json"), {}, {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => expect.fail(String(diagnostic.messageText))
    })
    const folder = plant({
      "a.ts":
        `import * as Effect from "effect/Effect"\nimport * as Schema from "effect/Schema"\nexport const x = [Effect, Schema]`,
      "b.ts": "export const x = [process, Buffer, setTimeout, fetch, crypto, performance]"
    }, path.join(root, "node_modules/.cache"))
    const files = [path.join(folder, "a.ts"), path.join(folder, "b.ts")]
    const program = ts.createProgram(files, config?.options ?? {})
    const unknown = ts.getPreEmitDiagnostics(program)
      .map(({ messageText }) =>
        ts.flattenDiagnosticMessageText(messageText, " ").match(/^Cannot find name '(\w+)'/)?.[1]
      )
    expect(unknown).toEqual(["process", "Buffer", "setTimeout", "fetch", "crypto", "performance"])
  })

  it("are all named in their tsconfig", () => {
    const { config } = ts.readConfigFile(path.join(root, "src/tsconfig.pure.json"), ts.sys.readFile)
    expect([...config.include].sort()).toEqual([...pure].sort())
  })
})
