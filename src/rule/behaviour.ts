/**
 * What new sessions are decided by, recorded when they are opened. Whoever changes on purpose what follows from the same
 * facts raises it by one, and lets the decider ask `session.behaviour` there: older journals go on, and are decided again,
 * as they began.
 */
export const behaviour = 1

/** From here on, what asks for files says how often. */
export const filesHaveIntervals = 1
