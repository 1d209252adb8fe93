/** The `groups` language of sweeps: groups in each other at will, multiplied, listed, lined up or drawn from. */
import * as Either from "effect/Either"
import { pyRepr } from "../backend/python.ts"
import { isMap, type Value } from "../backend/Value.ts"
import {
  type Checked,
  type Drawing,
  fail,
  type GroupParts,
  groupParts,
  type GroupType,
  isGroup,
  items,
  samplesOf
} from "./groupParts.ts"
import { pick, randomOf } from "./random.ts"
import { drawParams, readParams, readZip, sameLengths } from "./readParams.ts"
import {
  choice,
  leaf,
  MAX_POINTS,
  product,
  rowsOf,
  setsStage,
  sizeOf,
  taken,
  type Tree,
  withoutChoices
} from "./Tree.ts"

/** Told what is as it is written, but may not be what was meant. */
export type Note = (text: string) => void

/** The `groups` of what stands at `at`, put together as `type` says. */
export const readGroups = (
  groups: Value,
  at: string,
  type: GroupType | null,
  drawing: Drawing,
  note: Note
): Checked<Tree> => content({ at, kind: "groups", content: groups, type, defaults: {}, filters: [], drawing }, note)

/** The points of each of a list of `params`, one after the other. */
export const readGrids = (grids: Value, at: string, note: Note): Checked<Tree> =>
  Either.flatMap(items(grids, at), (list) =>
    Either.map(
      Either.all(list.map((grid, index) => readGrid(grid, `${at}[${index}]`, note))),
      (alternatives) => choice(at, [], alternatives)
    ))

const readGrid = (grid: Value, at: string, note: Note): Checked<Tree> =>
  isMap(grid) ? readParams(grid, at, note) : fail(at, `a grid is a mapping of keys to lists, not ${pyRepr(grid)}`)

const readGroup = (value: Value, at: string, outer: Drawing, note: Note): Checked<Tree> =>
  Either.flatMap(groupParts(value, at, outer), (parts) => readParts(parts, note))

const enclosed = ({ defaults, filters }: GroupParts, of: Tree): Tree =>
  filters.length === 0 && Object.keys(defaults).length === 0 ? of : { kind: "group", defaults, filters, of }

const readParts = (parts: GroupParts, note: Note): Checked<Tree> =>
  Either.map(content(parts, note), (tree) => enclosed(parts, tree))

const content = (parts: GroupParts, note: Note): Checked<Tree> => {
  const { at, content: value, drawing, kind, type } = parts
  const place = `${at}.${kind}`
  if (type === "random") return draw(parts, note)
  if (type === "zip" && (kind === "configs" || kind === "grids")) {
    return fail(`${at}.type`, `zip lines up params or groups, not ${kind}`)
  }
  switch (kind) {
    case "params":
      if (type === "zip") return readZip(value, place)
      if (type === "list") note(`${at}.type: list has no effect on params, which are multiplied`)
      return readParams(value, place, note)
    case "grids":
      return readGrids(value, place, note)
    case "configs":
      return Either.map(
        Either.flatMap(
          items(value, place),
          (list) => Either.all(list.map((item, index) => readConfig(item, `${place}[${index}]`, drawing, note)))
        ),
        (alternatives) => choice(place, [], alternatives)
      )
    case "groups":
      return Either.flatMap(items(value, place), (list) =>
        Either.flatMap(
          Either.all(list.map((item, index) => readGroup(item, `${place}[${index}]`, drawing, note))),
          (trees) => together(trees, type, place)
        ))
  }
}

const readConfig = (value: Value, at: string, drawing: Drawing, note: Note): Checked<Tree> => {
  if (!isMap(value)) return fail(at, `a config is a mapping of what a point sets, not ${pyRepr(value)}`)
  return isGroup(value) ? readGroup(value, at, drawing, note) : Either.right(leaf(value))
}

const together = (trees: ReadonlyArray<Tree>, type: GroupType | null, place: string): Checked<Tree> => {
  if (type === "list") return Either.right(choice(place, [], trees))
  if (type !== "zip") return Either.right(product(trees))
  return Either.gen(function*() {
    yield* sameLengths(trees.map((tree, index) => [`group ${index}`, sizeOf(tree)]), place)
    const staged = trees.map((tree) => setsStage(tree))
    const columns = yield* Either.all(
      trees.map((tree, index) =>
        Either.map(points(tree, place), (rows) =>
          // What goes with a stage is no choice of its own, or no two stages would be phases of one experiment.
          staged.includes(true) && staged[index] !== true ? rows.map(withoutChoices) : rows)
      )
    )
    return choice(
      place,
      [],
      (columns[0] ?? []).map((_, row) => product(columns.flatMap((column) => column.slice(row, row + 1))))
    )
  })
}

/** The points of `tree`, each as a tree. */
const points = (tree: Tree, at: string): Checked<ReadonlyArray<Tree>> => {
  const size = sizeOf(tree)
  return size > MAX_POINTS
    ? fail(at, `these are ${size} points, which is more than ${MAX_POINTS}`)
    : Either.right(rowsOf(tree))
}

/** As many points as `samples`, each drawn from what stands in the group. */
const draw = (parts: GroupParts, note: Note): Checked<Tree> =>
  Either.flatMap(
    samplesOf(parts),
    (samples) => Either.map(draws(parts, samples, note), (rows) => choice(parts.at, [], rows))
  )

const draws = (parts: GroupParts, samples: number, note: Note): Checked<ReadonlyArray<Tree>> => {
  const { at, content: value, drawing, kind, type } = parts
  const place = `${at}.${kind}`
  if (type === "zip") {
    return Either.flatMap(content(parts, note), (tree) =>
      Either.map(points(tree, place), (rows) => {
        const random = randomOf(`${drawing.seed} ${place}`)
        return Array.from({ length: samples }, () => rows[pick(random, rows)] ?? product([]))
      }))
  }
  if (kind === "params") return drawParams(value, place, drawing.seed, samples)
  return Either.gen(function*() {
    const list = yield* items(value, place)
    const columns: Array<ReadonlyArray<Tree>> = []
    for (const [index, item] of list.entries()) {
      columns.push(yield* drawItem(kind, item, `${place}[${index}]`, drawing, samples, note))
    }
    if (kind === "groups" && type !== "list") {
      return Array.from({ length: samples }, (_, sample) => product(columns.flatMap((column) => column[sample] ?? [])))
    }
    const whole = choice(place, [], [])
    const random = randomOf(`${drawing.seed} ${place}`)
    return Array.from({ length: samples }, (_, sample) => {
      const which = pick(random, columns)
      return taken(whole, which, columns[which]?.[sample] ?? product([]))
    })
  })
}

const drawItem = (
  kind: "configs" | "grids" | "groups",
  item: Value,
  at: string,
  drawing: Drawing,
  samples: number,
  note: Note
): Checked<ReadonlyArray<Tree>> => {
  if (kind === "grids" && isMap(item)) return drawParams(item, at, drawing.seed, samples)
  if (kind !== "groups" && !(isMap(item) && isGroup(item))) {
    return Either.map(
      kind === "configs" ? readConfig(item, at, drawing, note) : readGrid(item, at, note),
      (tree) => Array.from({ length: samples }, () => tree)
    )
  }
  return Either.flatMap(groupParts(item, at, drawing), (parts) =>
    parts.type === "random"
      ? fail(`${at}.type`, "this stands in a group of type: random already")
      : Either.map(draws(parts, samples, note), (rows) => rows.map((row) => enclosed(parts, row))))
}
