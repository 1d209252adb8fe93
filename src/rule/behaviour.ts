/**
 * What new sessions are decided by, recorded when they are opened. Whoever changes on purpose what follows from the same
 * facts raises it by one, and lets the decider ask `session.behaviour` there: older journals go on, and are decided again,
 * as they began.
 */
export const behaviour = 4

/** From here on, what asks for files says how often. */
export const filesHaveIntervals = 1

/** From here on, later lines of an attempt restart nothing while the budget of its first failure is spent. */
export const laterLinesFollow = 2

/** From here on, a site's limits are waited out with a back-off, by one submission at a time, and lost ones are not given up. */
export const limitsAreWaitedOut = 3

/** From here on, what rules declare as progress decides about stalls and budgets. */
export const progressCounts = 4
