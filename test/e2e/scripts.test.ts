import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"

let demo: Demo
beforeEach(() => void (demo = makeDemo()))
afterEach(() => demo.remove())

const nasty = "a  b 'c' \"d\" \\$HOME $(id) `id` \\ * ; & | < > ( ) # ! ~\n\ttwo"
const seen = nasty.replace("\\$HOME", "$HOME")

/** Two points that print what reaches them; the first start of each fails. */
const config = (slurm: Readonly<Record<string, unknown>>) => ({
  project: { name: "it's nasty", base_output_dir: "out put", monitoring_state_dir: "monitor" },
  sweep: { axes: { kind: ["x y", "z"] }, name_template: "job_{index}" },
  slurm: {
    template_path: path.join(demo.folder, "template.sbatch"),
    log_dir: "logs of arrays/deep",
    launcher_cmd: "{{env_exports}}",
    env: { FROM_SLURM: "$(echo \"on  node\")" },
    client: { class_name: "LocalClient" },
    ...slurm
  },
  scheduler: { settle_seconds: 3 },
  monitoring: {
    poll_interval_seconds: 0.3,
    log_settle_seconds: 0.3,
    log_path_template: "{output_dir}/logs/deep/%j.out",
    state_events: [{ name: "crash", actions: [{ class_name: "RestartAction", max_restarts: 1 }] }]
  },
  backend: {
    class_name: "CommandBackend",
    command: [
      ...[
        "bash",
        "-c",
        "printf '<%s>' \"$@\" \"\\$DATA\" \"\\$OWN\"; [ \"$AUTOEXP_ATTEMPT\" = 2 ]",
        "sh"
      ],
      ...["{data}", "$FROM_SLURM", "{output_dir}"]
    ],
    env: { DATA: "{data}", OWN: "{kind}/$DATA" }
  }
})

const template = `#!/bin/bash
{sbatch_directives}

{env_exports}
# srun of some sites passes no environment on.
env -i PATH="\${PATH}" AUTOEXP_ATTEMPT="$AUTOEXP_ATTEMPT" bash -c '{launcher_cmd}'
`

const logs = (dir: string): ReadonlyArray<string> =>
  fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => /\.(?:out|log)$/.test(name)).sort() : []

describe.each([["one job a point", false], ["one array", true]])("scripts of %s", (_, array) => {
  it(
    "W-11, W-12, W-35, W-36, W-37: bring environment and arguments to the program, in the planned directory, with one log an attempt",
    async () => {
      fs.writeFileSync(path.join(demo.folder, "template.sbatch"), template)
      const text = JSON.stringify(config({ array }), null, 2).replaceAll("{data}", JSON.stringify(nasty).slice(1, -1))
      fs.mkdirSync(path.join(demo.folder, "config"))
      fs.writeFileSync(path.join(demo.folder, "config", "nasty.json"), text)
      const { code, stderr } = await demo.run([
        ...["run", "--json", "--plan-id", "nasty", "--config-ref", path.join(demo.folder, "config", "nasty.json")]
      ])
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" })
      const out = path.join(demo.folder, "out put")
      for (const [index, kind] of ["x y", "z"].entries()) {
        const home = path.join(out, `job_${index}`)
        const folder = array ? path.join(demo.folder, "logs of arrays/deep") : path.join(home, "logs/deep")
        const own = logs(folder).filter((name) => !array || name.endsWith(`_${index}.log`))
        expect(own).toHaveLength(2)
        const current = fs.realpathSync(path.join(home, "current.log"))
        expect(path.dirname(current)).toBe(folder)
        const texts = own.map((name) => fs.readFileSync(path.join(folder, name), "utf8"))
        for (const text of texts) {
          expect(text).toContain(`<${seen}><on  node><${home}><--kind><${kind}><${seen}><${kind}/${seen}>`)
        }
        expect(fs.readdirSync(home).filter((name) => name.startsWith(".current"))).toEqual([])
      }
      expect(fs.readdirSync(out).filter((name) => name.startsWith("job_"))).toEqual(["job_0", "job_1"])
      const linked = demo.journal("nasty").filter(({ type }) => type === "JobSubmitted").map(({ data }) =>
        data["log_path"]
      )
      expect(new Set(linked).size).toBe(4)
    },
    120_000
  )
})
