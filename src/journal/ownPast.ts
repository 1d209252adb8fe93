/** What a process knows of the epochs that it has held itself, although it may not have been able to write it down. */

export interface OwnPast {
  /** Lease files of epochs that it has let go. */
  readonly released: Set<string>
  /**
   * Bytes that it has acknowledged of the segments in which it failed to write more. After a failed fsync nobody can tell
   * by reading what of the rest is on disk; nothing was done because of it, so that it may be left out.
   */
  readonly acknowledged: Map<string, number>
}

export const makeOwnPast = (): OwnPast => ({ released: new Set(), acknowledged: new Map() })
