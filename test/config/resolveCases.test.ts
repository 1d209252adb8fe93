import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { isMap, PyFloat, type Value, type ValueMap } from "../../src/backend/Value.ts"
import { compose } from "../../src/config/compose.ts"
import { decode } from "../../src/config/decode.ts"
import { Grounds } from "../../src/config/Grounds.ts"
import { holdsAt } from "../../src/config/holdsAt.ts"
import { failure, setsOf } from "../../src/config/point.ts"
import { expandSweep } from "../../src/sweep/expandSweep.ts"
import { phases } from "../../src/sweep/phases.ts"
import { Sweep } from "../../src/sweep/Sweep.ts"
import { typed } from "../conformance/typed.ts"
import { memoryFiles } from "./memory.ts"

interface Job {
  readonly index: number
  readonly config: ValueMap
}

interface Case {
  readonly name: string
  readonly mode: string
  readonly files: Record<string, string>
  readonly config_name: string
  readonly overrides: ReadonlyArray<string>
  readonly expected?: { readonly jobs: ReadonlyArray<Job> }
  readonly error?: { readonly kind: string }
  readonly types?: Record<string, string>
}

const recorded: ReadonlyArray<Case> = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, "../conformance/sweep/groups.json"), "utf8")
)

/** The jobs of a configuration of whatever keys, in order; or why there are none, in one sentence. */
const jobsOf = (given: Pick<Case, "files" | "config_name" | "overrides">): Either.Either<ReadonlyArray<Job>, string> =>
  Either.gen(function*() {
    const files = memoryFiles(given.files)
    const surroundings = { environment: {}, timestring: "", configDir: "/conf", read: files.read }
    const { overrides } = given
    const grounds = new Grounds({
      compose: (choices) => compose(files, given.config_name, overrides, surroundings, choices),
      isGroup: (group) => files.list(`/conf/${group}`) !== null,
      surroundings,
      sections: []
    })
    const { composition, ground } = yield* Either.mapLeft(grounds.of({}), (found) => failure(found).message)
    const wrong = [...composition.problems, ...ground.resolved.problems]
    if (wrong.length > 0) return yield* Either.left(failure(wrong).message)
    const sweep = yield* Either.mapLeft(
      decode(Sweep, ground.resolved.values["sweep"] ?? {}),
      (misfits) => misfits.map(({ message }) => message).join("\n")
    )
    const expansion = yield* Either.mapLeft(expandSweep(sweep), ({ at, message }) => `${at}: ${message}`)
    const stageOf = ({ parameters }: { readonly parameters: ValueMap }) => String(parameters["stage"] ?? "")
    const { needs, order } = yield* Either.mapLeft(phases(expansion, stageOf), ({ at, message }) => `${at}: ${message}`)
    const sets = setsOf(grounds, overrides)
    const views = new Map<number, ValueMap>()
    const jobs: Array<Job> = []
    for (const index of order) {
      const point = expansion.points.find((one) => one.index === index)
      if (point === undefined) continue
      const siblings = Object.fromEntries([...needs.get(index) ?? []].map(([name, at]) => [name, views.get(at) ?? {}]))
      const swept = Object.fromEntries(Object.entries(point.parameters).filter(([key]) => !sets(key)))
      const standing = yield* Either.mapLeft(
        grounds.at({ index, stage: stageOf(point), parameters: swept, siblings }),
        (found) => failure(found).message
      )
      const { parameters, resolved, setting, variation } = standing
      if (resolved.problems.length > 0) return yield* Either.left(failure(resolved.problems).message)
      const { sweep: _, ...config } = resolved.values
      const view = { ...taken(config, parameters), index, stage: stageOf(point) }
      views.set(index, view)
      const value = (name: string, text: Value) =>
        Either.mapLeft(variation.ground.valueAt(setting, text, name), failure)
      const kept = yield* Either.mapLeft(
        Either.all(point.filters.map((filter) => holdsAt({ value, parameters }, filter))),
        ({ message }) => message
      )
      const others = Object.fromEntries(
        Object.entries(parameters).filter(([key]) => !variation.ground.isConfigured(key) && !key.includes("/"))
      )
      if (!kept.includes(false)) jobs.push({ index, config: taken(config, others) })
    }
    if (jobs.length === 0) return yield* Either.left("the filter keeps no point")
    return jobs
  })

/** `config` with the parameters at their keys, since the predecessor's configurations take up any key. */
const taken = (config: ValueMap, parameters: ValueMap): ValueMap =>
  Object.entries(parameters).reduce<ValueMap>((map, [key, value]) => put(map, key.split("."), value), config)

const put = (map: ValueMap, [name = "", ...rest]: ReadonlyArray<string>, value: Value): ValueMap => {
  const inner = map[name] ?? {}
  return { ...map, [name]: rest.length === 0 ? value : put(isMap(inner) ? inner : {}, rest, value) }
}

interface Otherwise {
  readonly why: string
  /** What is told instead. */
  readonly error?: string
  /** The jobs there are instead, by what each differs in from the recorded one of that index, or from `base`. */
  readonly jobs?: ReadonlyArray<readonly [index: number, config: ValueMap]>
}

const base: ValueMap = {
  name: "exp",
  lr: new PyFloat(0.5),
  bs: 1,
  iters: 0,
  out: "exp/lr0.5_bs1_",
  stage: "",
  load: null
}

const paths =
  "the recorded tool expands it and then cannot resolve it, as it looks for points in the sweep by their paths"
const empty =
  "a sweep left empty by its filters is a mistake, where the recorded tool plans nothing and does not say so"

/** Where ours answers otherwise than what was recorded, what it answers (worked out by hand), and why. */
const otherwise: Record<string, Otherwise> = {
  grid_with_overrides: {
    why: "the command line wins over the sweep",
    jobs: [32, 64].map((bs, index) => [index, { lr: 9, bs, out: `other/lr9_bs${bs}_` }])
  },
  value_kinds: {
    why: "values keep their type: a text in brackets is no list, and an empty mapping is set like any other value",
    jobs: [[9, { v: "[a,b]" }], [12, { v: {} }]]
  },
  list_of_strings_with_specials: {
    why: "values are no overrides of a command line, so that no character is special",
    jobs: [[0, { v: ["a b", "c"] }], [1, { v: ["--x=1"] }]]
  },
  filter_false: { why: empty, error: "sweep.filter: the filters keep none of the sweep's 2 points" },
  filter_all_removed: { why: empty, error: "the filter keeps no point" },
  group_filter_ignored_on_list_groups: {
    why: "a filter counts at every level",
    error: "the filters keep none of the sweep's 2 points"
  },
  group_filter_in_list_of_groups: {
    why: paths,
    jobs: [1, 2, 3, 4].map((lr, index) => [index, { lr, out: `exp/lr${lr}_bs1_` }])
  },
  group_filter_path_mismatch: {
    why: paths,
    jobs: [[0, { lr: 1, bs: 1, out: "exp/lr1_bs1_" }], [1, { lr: 3, out: "exp/lr3_bs1_" }]]
  },
  stage_nested_config_groups: {
    why: paths,
    jobs: [
      [0, { lr: 1, stage: "stable", iters: 100, out: "exp/lr1_bs1_stable" }],
      [3, { lr: 2, stage: "stable", iters: 100, out: "exp/lr2_bs1_stable" }],
      [1, { lr: 1, bs: 4, stage: "decay", out: "exp/lr1_bs4_decay", load: "exp/lr1_bs1_stable" }],
      [2, { lr: 1, bs: 8, stage: "decay", out: "exp/lr1_bs8_decay", load: "exp/lr1_bs1_stable" }],
      [4, { lr: 2, bs: 4, stage: "decay", out: "exp/lr2_bs4_decay", load: "exp/lr2_bs1_stable" }],
      [5, { lr: 2, bs: 8, stage: "decay", out: "exp/lr2_bs8_decay", load: "exp/lr2_bs1_stable" }]
    ]
  },
  nested_groups_product_resolved: {
    why: paths,
    jobs: [[1, 3], [1, 4], [2, 3], [2, 4]].map(([lr = 0, bs = 0], index) => [
      index,
      { name: "c", lr, bs, out: `c/lr${lr}_bs${bs}_` }
    ])
  },
  nested_groups_list_resolved: {
    why: paths,
    jobs: [1, 2].map((lr, index) => [index, { lr, out: `exp/lr${lr}_bs1_` }])
  },
  top_list_of_two_groups_resolved: {
    why: paths,
    jobs: [1, 2].map((lr, index) => [index, { lr, out: `exp/lr${lr}_bs1_` }])
  }
}

/** What is told of mistakes that the recorded tool tells too. */
const told: Record<string, string> = {
  filter_not_bool: "sweep.filter: it must be true or false at each point",
  filter_missing_key: "In sweep.filter: ${nope} finds no \"nope\"",
  stage_unescaped_reference_fails:
    "/conf/config.yaml:16:32: In sweep.groups.1.configs.1.load: ${sibling.stable.out} has a value at a sweep's point " +
    "only; in `sweep` write $${sibling.stable.out}",
  stage_missing_sibling: "\"load\" of point 1 (stage b) refers to sibling.zzz",
  stage_cycle: "these need each other: point 0",
  stage_prefix_match: "\"load\" of point 1 (stage decay) refers to sibling.stable",
  stage_decay_with_params: "in `sweep` write $${sibling.stable.out}",
  config_group_parameter: "The choice for db changes nothing: no defaults list holds it"
}

const resolveCases = recorded.filter(({ mode }) => mode === "resolve")

describe("what was recorded of resolved sweeps", () => {
  it.each(resolveCases)("holds of $name", (given) => {
    const other = otherwise[given.name]
    const jobs = Either.getOrElse(jobsOf(given), (left) => left)
    const error = other === undefined ? told[given.name] : other.error
    if (error !== undefined) return expect(jobs).toContain(error)
    const before = given.expected?.jobs.map(({ config, index }, at) => ({
      index,
      config: typed(config, given.types ?? {}, `/jobs/${at}/config`)
    }))
    const changed = new Map(other?.jobs)
    const expected = before?.map(({ config, index }) => ({
      index,
      config: { ...(isMap(config) ? config : {}), ...changed.get(index) }
    }))
    expect(jobs).toEqual(
      expected ?? other?.jobs?.map(([index, config]) => ({ index, config: { ...base, index, ...config } }))
    )
  })

  it("is looked at under its own name, where ours differs", () => {
    const names = resolveCases.map(({ name }) => name)
    expect([...Object.keys(otherwise), ...Object.keys(told)].filter((name) => !names.includes(name))).toEqual([])
    const failing = resolveCases.filter(({ error }) => error !== undefined).map(({ name }) => name)
    expect(failing.filter((name) => !(name in told) && !(name in otherwise))).toEqual([])
  })
})

const deferring = (tag: string, more = ""): Pick<Case, "files" | "config_name" | "overrides"> => ({
  files: {
    "config.yaml": [
      "name: exp",
      "lr: 0.5",
      "sweep:",
      "  type: product",
      "  groups:",
      `    - params: {lr: [1, 2], tag: [${tag}]}`,
      more
    ].join("\n")
  },
  config_name: "config",
  overrides: []
})

const tags = (tag: string, more?: string): unknown =>
  Either.match(jobsOf(deferring(tag, more)), {
    onLeft: (message) => message,
    onRight: (jobs) => jobs.map(({ config }) => config["tag"])
  })

describe("$${…} in a sweep", () => {
  it("is of the point, wherever it stands, without any backslash", () => {
    expect(tags("'t-$${lr}'")).toEqual(["t-1", "t-2"])
    expect(tags("'$${lr}'")).toEqual([1, 2])
    expect(tags("x", "    - configs: [{tag: 'c-$${lr}'}]")).toEqual(["c-1", "c-2"])
    expect(tags("'$${index}-$${stage}.'")).toEqual(["0-.", "1-."])
  })

  it("takes what stands within its braces along, quotes and resolvers included", () => {
    expect(tags("\"$${oc.eval:'$${lr} * 10'}\"")).toEqual([10, 20])
    expect(tags("\"$${oc.eval:'${lr} * 10'}\"")).toEqual([10, 20])
  })

  it("stands beside what is resolved at once", () => {
    expect(tags("'${name}-${lr}-$${lr}'")).toEqual(["exp-0.5-1", "exp-0.5-2"])
  })

  it("may be a filter", () => {
    expect(tags("x", "  filter: \"$${oc.eval:'$${lr} > 1'}\"")).toEqual(["x"])
  })

  it("fails for a name that there is not, and says which", () => {
    expect(tags("'$${nope}'")).toContain("In tag: ${nope} finds no \"nope\"")
  })
})
