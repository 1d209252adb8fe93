/**
 * What both languages of sweeps come down to. A tree stands for points: as many as a product's parts have multiplied,
 * as many as a choice's alternatives have added up.
 */
import type { ValueMap } from "../backend/Value.ts"
import type { Filter } from "./filters.ts"
import type { ChoicePlace } from "./SweepPoint.ts"

/** More points than any scheduler takes: a slip in the sweep, told before it fills the memory. */
export const MAX_POINTS = 100_000

export type Tree = Leaf | Product | Choice | Group

/** One point, which sets these values. */
export interface Leaf {
  readonly kind: "leaf"
  readonly values: ValueMap
}

/** Every combination of the parts' points, of which the last varies fastest; where two set one key, the later wins. */
export interface Product {
  readonly kind: "product"
  readonly parts: ReadonlyArray<Tree>
  readonly size: number
}

/** The points of the first alternative, then those of the second, and so on. */
export interface Choice {
  readonly kind: "choice"
  /** Where in the config: the same for all that is said of one place. */
  readonly place: string
  /** What is varied here, if it is keys rather than whole configs or groups. */
  readonly keys: ReadonlyArray<string>
  readonly alternatives: ReadonlyArray<Tree>
  /** The number of the first alternative: more than 0 in a part of a choice. */
  readonly from: number
  readonly size: number
}

/** What is inside has these defaults, which no value of any group gives way to, and must pass these filters. */
export interface Group {
  readonly kind: "group"
  readonly defaults: ValueMap
  readonly filters: ReadonlyArray<Filter>
  readonly of: Tree
}

export const leaf = (values: ValueMap): Leaf => ({ kind: "leaf", values })
export const product = (parts: ReadonlyArray<Tree>): Product => ({
  kind: "product",
  parts,
  size: parts.reduce((size, part) => size * sizeOf(part), 1)
})
export const choice = (
  place: string,
  keys: ReadonlyArray<string>,
  alternatives: ReadonlyArray<Tree>,
  from = 0
): Choice => ({
  kind: "choice",
  place,
  keys,
  alternatives,
  from,
  size: alternatives.reduce((size, alternative) => size + sizeOf(alternative), 0)
})

/** How many points a tree stands for; maybe infinitely many more than there is room for. */
export const sizeOf = (tree: Tree): number => {
  if (tree.kind === "leaf") return 1
  return tree.kind === "group" ? sizeOf(tree.of) : tree.size
}

/** A tree of one point for each point of `tree`, in order. */
export const rowsOf = (tree: Tree): ReadonlyArray<Tree> => {
  switch (tree.kind) {
    case "leaf":
      return [tree]
    case "group":
      return rowsOf(tree.of).map((of) => ({ ...tree, of }))
    case "choice":
      return tree.alternatives.flatMap((alternative, which) =>
        rowsOf(alternative).map((row) => taken(tree, which, row))
      )
    case "product":
      return tree.parts
        .reduce<ReadonlyArray<ReadonlyArray<Tree>>>((rows, part) => {
          const more = rowsOf(part)
          return rows.flatMap((row) => more.map((one) => [...row, one]))
        }, [[]])
        .map(product)
  }
}

/** Of `choice` what follows where the alternative `which` is taken, and in it `of`. */
export const taken = ({ from, keys, place }: Choice, which: number, of: Tree): Choice =>
  choice(place, keys, [of], from + which)

/** `row`, as `rowsOf` gives it, with what it sets but not what was chosen to get there. */
export const withoutChoices = (row: Tree): Tree => {
  switch (row.kind) {
    case "leaf":
      return row
    case "group":
      return { ...row, of: withoutChoices(row.of) }
    case "choice":
      return product(row.alternatives.map(withoutChoices))
    case "product":
      return product(row.parts.map(withoutChoices))
  }
}

/** Whether any point of `tree` sets `stage`; `visited` is told this of each choice in it. */
export const setsStage = (tree: Tree, visited: (node: Choice, stage: boolean) => void = () => {}): boolean => {
  const inner = (nodes: ReadonlyArray<Tree>) => nodes.map((node) => setsStage(node, visited)).includes(true)
  switch (tree.kind) {
    case "leaf":
      return Object.hasOwn(tree.values, "stage")
    case "product":
      return inner(tree.parts)
    case "group":
      return inner([tree.of]) || Object.hasOwn(tree.defaults, "stage")
    case "choice": {
      const stage = inner(tree.alternatives)
      visited(tree, stage)
      return stage
    }
  }
}

/** All places of a tree at which something is chosen. */
export const placesOf = (tree: Tree): ReadonlyMap<string, ChoicePlace> => {
  const places = new Map<string, ChoicePlace>()
  setsStage(tree, ({ keys, place }, stage) => {
    places.set(place, { stage: stage || places.get(place)?.stage === true, keys })
  })
  return places
}

/** What a point is made of, in order: where a group begins, what a leaf sets, where the group ends. */
export type Step =
  | { readonly kind: "opens"; readonly group: Group }
  | Leaf
  | { readonly kind: "closes" }

/** The way to one point. It changes while the tree is walked: what is to stay is copied. */
export interface Way {
  readonly steps: ReadonlyArray<Step>
  readonly choices: ReadonlyMap<string, number>
}

const closes: Step = { kind: "closes" }

/** Tells `reached` of the way to each point of `tree`, in order. */
export const walk = (tree: Tree, reached: (way: Way) => void): void => {
  const steps: Array<Step> = []
  const choices = new Map<string, number>()
  const within = (step: Step, then: () => void): void => {
    steps.push(step)
    then()
    steps.pop()
  }
  const visit = (node: Tree, then: () => void): void => {
    switch (node.kind) {
      case "leaf":
        return within(node, then)
      case "product":
        return visitFrom(node.parts, 0, then)
      case "choice":
        for (const [which, alternative] of node.alternatives.entries()) {
          choices.set(node.place, node.from + which)
          visit(alternative, then)
        }
        choices.delete(node.place)
        return
      case "group":
        return within({ kind: "opens", group: node }, () => visit(node.of, () => within(closes, then)))
    }
  }
  /** The parts that leave no choice are passed in a loop, for they may be thousands; of others there are few. */
  const visitFrom = (parts: ReadonlyArray<Tree>, start: number, then: () => void): void => {
    const length = steps.length
    const passed: Array<string> = []
    let at = start
    for (let part = parts[at]; part !== undefined && sizeOf(part) === 1; part = parts[++at]) pass(part, passed)
    const next = parts[at]
    if (next === undefined) then()
    else visit(next, () => visitFrom(parts, at + 1, then))
    steps.length = length
    for (const place of passed) choices.delete(place)
  }
  const pass = (node: Tree, passed: Array<string>): void => {
    switch (node.kind) {
      case "leaf":
        steps.push(node)
        return
      case "product":
        for (const part of node.parts) pass(part, passed)
        return
      case "choice":
        passed.push(node.place)
        choices.set(node.place, node.from)
        for (const alternative of node.alternatives) pass(alternative, passed)
        return
      case "group":
        steps.push({ kind: "opens", group: node })
        pass(node.of, passed)
        steps.push(closes)
    }
  }
  visit(tree, () => reached({ steps, choices }))
}
