/**
 * What new sessions are decided by, recorded when they are opened. Whoever changes on purpose what follows from the same
 * facts raises it by one, and lets the decider ask `session.behaviour` there: older journals go on, and are decided again,
 * as they began.
 */
export const behaviour = 9

/** From here on, what asks for files says how often. */
export const filesHaveIntervals = 1

/** From here on, later lines of an attempt restart nothing while the budget of its first failure is spent. */
export const laterLinesFollow = 2

/** From here on, a site's limits are waited out with a back-off, by one submission at a time, and lost ones are not given up. */
export const limitsAreWaitedOut = 3

/** From here on, what rules declare as progress decides about stalls and budgets. */
export const progressCounts = 4

/** From here on, a restart is dropped whose conditions on evidence the settled log of the ended attempt fails. */
export const settledLogDecides = 5

/** From here on, a job that ends in success needs no attention any more. */
export const successRecovers = 5

/** From here on, a restart by hand says that it releases a job which is held. */
export const restartReleases = 5
/** From here on, progress of an attempt that the scheduler lost gives budgets back, as that of any other. */
export const lostProgressCounts = 6

/** From here on, conditions on evidence are heard within others too, and once more when a restart has waited for the rest. */
export const evidenceIsHeardAgain = 7

/** From here on, texts of rules hold floats as Python prints them. */
export const floatsPrintAsPythons = 8

/** From here on, an event of a line says which file that stands in. */
export const sourcesAreTold = 8
