import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { isBuiltin } from "node:module"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const root = path.resolve(import.meta.dirname, "../..")
const dist = path.join(root, "dist")
const version: unknown = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")).version

describe("the built program", () => {
  it("tells its version without loading anything else", async () => {
    const alone = fs.mkdtempSync(path.join(os.tmpdir(), "version-"))
    try {
      fs.copyFileSync(path.join(dist, "autoexp.js"), path.join(alone, "autoexp.mjs"))
      const { stdout } = await promisify(execFile)(process.execPath, [path.join(alone, "autoexp.mjs"), "--version"])
      expect(stdout).toBe(`${version}\n`)
    } finally {
      fs.rmSync(alone, { recursive: true })
    }
  })

  it("needs no package at run time", () => {
    const files = fs.readdirSync(dist).filter((file) => file.endsWith(".js"))
    const imported = files.flatMap((file) =>
      ts.preProcessFile(fs.readFileSync(path.join(dist, file), "utf8"), true, true).importedFiles.map((to) =>
        to.fileName
      )
    )
    expect(imported).toContain("node:module")
    expect(imported.filter((to) => !isBuiltin(to) && !to.startsWith("./"))).toEqual([])
  })

  it("passes on the licences of what is in it", () => {
    const text = fs.readFileSync(path.join(dist, "THIRD_PARTY_LICENSES"), "utf8")
    for (const name of ["effect", "@effect/cli", "yaml"]) {
      expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|ISC)\\)$`, "m"))
    }
  })
})

describe("the lock file", () => {
  it("holds for every registry and every platform", () => {
    const lock = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8"))
    const packages: ReadonlyArray<[string, { readonly resolved?: string }]> = Object.entries(lock.packages)
    expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
    expect(
      packages.map(([name]) => name).filter((name) => /esbuild-(linux|darwin)|@esbuild\/|@rollup\/rollup-/.test(name))
    ).toEqual([])
  })
})
