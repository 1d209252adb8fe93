/** Which points are phases of one experiment, what each needs of the others, and the order that follows. */

/** What points need of each other. */
export interface Phases {
  /** By the index of a point: the index of its sibling of each stage that its parameters refer to. */
  readonly needs: ReadonlyMap<number, ReadonlyMap<string, number>>
  /**
   * Indices of all points that are jobs, or that jobs need: those without needs first, then generation by generation.
   * A point that a filter has left out is among them only if another needs it.
   */
  readonly order: ReadonlyArray<number>
}
