/**
 * What new sessions are decided by, recorded when they are opened. Whoever changes on purpose what follows from the same
 * facts raises it by one, and lets the decider ask `session.behaviour` there: older journals go on, and are decided again,
 * as they began.
 */
export const behaviour = 2

/** From here on, what asks for files says how often. */
export const filesHaveIntervals = 1

/** From here on, later lines of an attempt restart nothing while the budget of its first failure is spent. */
export const laterLinesFollow = 2
