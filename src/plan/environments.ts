/** What jobs export, in layers of which a later one wins. */
import { environment } from "../backend/launch.ts"
import type { PointJob } from "./jobs.ts"
import { redactEnvironment } from "./redact.ts"

type Variables = Readonly<Record<string, string>>

/** The variables of each layer, in the order in which scripts export them. */
export interface Environment {
  /** `slurm.env`: shell text. */
  readonly slurm: Variables
  /** `backend.env`, and what the backend adds to it: data, of which references are filled in. */
  readonly backend: Variables
  /** `container.env`: shell text. */
  readonly container: Variables
}

/** Layers in the order in which they are exported. */
export const LAYERS = ["slurm", "backend", "container"] as const

/** What a job exports, secrets left out. */
export const environmentOf = ({ command, point: { loaded: { config } } }: PointJob): Environment => ({
  slurm: shown(config.slurm.env, () => environment(config.slurm.env)),
  backend: shown(command.env, () => command.env),
  container: shown(config.container.env, () => environment(config.container.env))
})

/** Sections are the same of most points of a sweep. */
const known = new WeakMap<object, Variables>()

const shown = (section: object, variables: () => Variables): Variables => {
  const made = known.get(section) ?? redactEnvironment(variables())
  known.set(section, made)
  return made
}

/** The variables that all environments have alike, and what some have besides, by the job's name. */
export const shareOut = (
  environments: ReadonlyMap<string, Environment>
): { readonly shared: Environment; readonly own: ReadonlyMap<string, Environment> } => {
  const all = [...environments.values()]
  const pick = (layers: (layer: typeof LAYERS[number]) => Variables): Environment => ({
    slurm: layers("slurm"),
    backend: layers("backend"),
    container: layers("container")
  })
  const shared = pick((layer) => {
    const [first = {}, ...others] = new Set(all.map((environment) => environment[layer]))
    return filtered(first, (name, value) => others.every((other) => other[name] === value))
  })
  const own = [...environments].flatMap(([job, environment]) => {
    const rest = pick((layer) => filtered(environment[layer], (name) => !Object.hasOwn(shared[layer], name)))
    return LAYERS.every((layer) => Object.keys(rest[layer]).length === 0) ? [] : [[job, rest] as const]
  })
  return { shared, own: new Map(own) }
}

const filtered = (variables: Variables, holds: (name: string, value: string) => boolean): Variables =>
  Object.fromEntries(Object.entries(variables).filter(([name, value]) => holds(name, value)))
