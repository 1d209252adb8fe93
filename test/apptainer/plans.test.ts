/** Plans of jobs that run inside a real image: checked against the parser there, submitted and watched from outside. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type Demo, makeDemo } from "../e2e/demo.ts"
import { bin, inside, makeImages } from "./images.ts"

let images = ""
beforeAll(() => {
  images = makeImages()
})
afterAll(() => fs.rmSync(images, { recursive: true }))

/** A Megatron of our own: what its parser takes, and a training that says what reached it. */
const megatron = {
  "src/megatron/training/arguments.py": [
    "def add_megatron_arguments(parser):",
    "    parser.add_argument(\"--num-layers\", type=int)",
    "    parser.add_argument(\"--of-our-own\", type=str)",
    "    return parser",
    ""
  ].join("\n"),
  "src/train.py": [
    "#!/usr/bin/env python",
    "import os, sys, time",
    "seen = {name: os.environ.get(name) for name in [\"FROM_SLURM\", \"FROM_BACKEND\", \"FROM_CONTAINER\", \"OF_HOST\"]}",
    "print(sys.argv[1:], seen, os.path.exists(\"/.singularity.d\"), flush=True)",
    "time.sleep(1)",
    ""
  ].join("\n")
}

const autoexp = (demo: Demo): string => `
project: { name: tiny, base_output_dir: ${demo.folder}/output, monitoring_state_dir: ${demo.folder}/monitor }
sweep: {}
slurm:
  array: false
  template_path: job.sbatch
  env: { FROM_SLURM: "$(echo on the node)" }
  client: { class_name: LocalClient }
container:
  image: null
  runtime: apptainer
  bind: []
  env: { FROM_CONTAINER: "x,y=z", PATH: "$PATH:${demo.folder}/src", PYTHONPATH: ${demo.folder}/src }
monitoring: { poll_interval_seconds: 0.3, log_settle_seconds: 0.3 }
backend:
  class_name: MegatronBackend
  launcher_script: ${demo.folder}/src/train.py
  check_consistency: false
  env: { FROM_BACKEND: "a b" }
  megatron: { num_layers: 2, of_our_own: "it's" }
`

const template = "#!/bin/bash\n{sbatch_directives}\n{env_exports}\n{launcher_cmd}\n"

it("checks against the image, submits without watching, and watches without submitting", async () => {
  const demo = makeDemo({ "config/job.sbatch": template, ...megatron })
  try {
    fs.writeFileSync(path.join(demo.folder, "config/autoexp.yaml"), autoexp(demo))
    fs.writeFileSync(path.join(demo.folder, "src/megatron/__init__.py"), "")
    fs.chmodSync(path.join(demo.folder, "src/train.py"), 0o755)
    fs.symlinkSync("/usr/bin/python3", path.join(demo.folder, "src/python"))
    fs.copyFileSync(path.join(images, "tiny.sif"), path.join(demo.folder, "tiny.sif"))
    const options = inside(path.join(demo.folder, "tiny.sif"), demo.folder)
    const environment = { PATH: `${bin}:${process.env["PATH"]}`, OF_HOST: "leaks" }
    const run = (...args: ReadonlyArray<string>) => demo.run(["run", ...args], environment)

    const wrong = await run("--container", "--no-submit", ...options, "+backend.megatron.of_our_owm=1")
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/Megatron of tiny\.sif has no argument "of_our_owm"[^]*of_our_own/)
    ])

    const made = await run("--container", "--no-submit", "--plan-id", "p", ...options)
    expect(made.code, made.stderr).toBe(0)
    expect(fs.existsSync(demo.stateDir)).toBe(false)
    const manifest = path.join(demo.folder, "output/manifests/p.json")

    const submitted = await run("--manifest", manifest, "--no-monitor")
    expect(submitted.code, submitted.stderr).toBe(0)
    expect(demo.journal("p").map(({ type }) => type)).not.toContain("JobFinished")

    const watched = await run("--manifest", manifest, "--monitor-only")
    const log = fs.readFileSync(path.join(demo.folder, "output/tiny_0/current.log"), "utf8")
    expect(watched.code, watched.stderr + log).toBe(0)
    expect(demo.journal("p").filter(({ type }) => type === "SubmissionIntended")).toHaveLength(1)
    expect(log).toContain(
      "['--num-layers', '2', '--of-our-own', \"it's\"] " +
        "{'FROM_SLURM': 'on the node', 'FROM_BACKEND': 'a b', 'FROM_CONTAINER': 'x,y=z', 'OF_HOST': 'leaks'} True"
    )
  } finally {
    await demo.remove()
  }
})
