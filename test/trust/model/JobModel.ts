/**
 * What must become of one job, told by what was done to it in the world: the manual's sentences about restarts, and nothing
 * of the code that they describe. All numbers are counted here anew, each as it falls due.
 */

/** How many restarts are allowed; null: any number. */
export interface Limits {
  readonly hang: number | null
  readonly crash: number | null
  readonly timeout: number | null
  readonly fingerprint: number | null
  readonly noProgress: number | null
  readonly total: number | null
  /** Whether there are lines by which progress can be known. */
  readonly progressIsTold: boolean
}

/** A line that a job prints. A hang is one after which it does nothing any more, and to which a rule answers at once. */
export type Line =
  | { readonly says: "iteration"; readonly n: number }
  | { readonly says: "saved"; readonly path: string }
  | { readonly says: "error" | "hang"; readonly what: string }
  | { readonly says: "nothing" }

/** How an attempt ends by itself, or by somebody who is neither the monitor nor its operator. */
export interface End {
  readonly state: "COMPLETED" | "FAILED" | "TIMEOUT" | "NODE_FAIL" | "OUT_OF_MEMORY" | "PREEMPTED" | "CANCELLED"
  readonly exitCode: number
}

export type Asked = "job_restart" | "job_cancel" | "job_ack" | "job_hold" | "job_release"

interface Used {
  readonly rules: ReadonlyMap<string, number>
  readonly failures: ReadonlyMap<string, number>
  readonly noProgress: number
  readonly total: number
}

const unused: Used = { rules: new Map(), failures: new Map(), noProgress: 0, total: 0 }

const more = (counts: ReadonlyMap<string, number>, key: string): ReadonlyMap<string, number> =>
  new Map(counts).set(key, (counts.get(key) ?? 0) + 1)

const isLeft = (limit: number | null, used: number): boolean => limit === null || used < limit

/** After so many losses in a row nobody tries any more. */
const lossesInARow = 5

export class JobModel {
  /** Present attempt. */
  attempt = 1
  /** Attempts that were handed to the scheduler: not those that it ran by itself. */
  submissions = 1
  /** Whether the present attempt is under way. */
  live = true
  /** Whether a restart waits for the job's release. */
  waiting = false
  held = false
  outcome: string | null = null
  attention = false
  /** Whether the scheduler is to refuse the next submission. */
  refusal = false
  /** Whether the scheduler runs an attempt again that the session knows as ended. */
  revived = false
  /** Whether the scheduler still knows the job's latest submission. */
  known = true
  /** Whether the attempt said that it does nothing any more. */
  hung = false
  /** Attempts, as submitted, that somebody of the session may cancel. */
  readonly cancels = new Set<number>()
  /** Number of the attempt that was submitted last. */
  submittedAs = 1

  private used = unused
  private readonly limits: Limits
  private best = -1
  /** Since the last submission: whether anything was printed, and anything new. */
  private printed = false
  private advanced = false
  private firstError: string | null = null
  private losses = 0
  /** Why the attempt is being ended, and what was used up before that was decided. */
  private leaving: {
    readonly by: "rule" | "operator" | "lost" | "cancel"
    readonly before: Used
    readonly losses: number
  } | null = null

  constructor(limits: Limits) {
    this.limits = limits
  }

  get isLeaving(): boolean {
    return this.leaving !== null
  }

  print(line: Line): void {
    this.printed = true
    if (line.says === "iteration" && line.n > this.best) {
      this.best = line.n
      this.advanced = true
    }
    if (line.says === "saved") this.advanced = true
    if (line.says !== "error" && line.says !== "hang") return
    const failure = `${line.says} ${line.what}`
    this.firstError ??= failure
    if (line.says === "error") return
    this.hung = true
    if (this.leaving === null && this.decide("hang", [failure, this.firstError])) this.cancels.add(this.submittedAs)
  }

  /** The best iteration so far. */
  get reached(): number {
    return this.best
  }

  end({ exitCode, state }: End): void {
    const { leaving } = this
    if (state === "COMPLETED") {
      this.undo()
      return this.finish("success")
    }
    if (exitCode === 93) {
      this.undo()
      return this.finish("failed")
    }
    if (leaving !== null) return this.proceed()
    if (state === "CANCELLED") return this.finish("cancelled")
    const told = `${state} ${exitCode}`
    const decided = state === "TIMEOUT"
      ? this.decide("timeout", [told])
      : this.decide("crash", [this.firstError ?? told])
    if (decided) this.proceed()
    else this.finish(state === "TIMEOUT" ? "timeout" : "failed")
  }

  /** What was decided about an attempt that lived has had time to come about. */
  settle(): void {
    if (this.leaving === null || this.waiting || !this.live) return
    if (this.leaving.by === "cancel") this.finish("cancelled")
    else this.proceed()
  }

  requeue(): void {
    this.attempt += 1
    this.firstError = null
    this.hung = false
  }

  /** The scheduler does not know the attempt any more. */
  lose(): void {
    this.losses += 1
    this.known = false
    if (this.limits.progressIsTold && this.advanced) this.used = { ...unused, total: this.used.total }
    if (this.losses < lossesInARow) {
      this.leaving = { by: "lost", before: this.used, losses: this.losses }
      return this.proceed()
    }
    this.attention = true
    this.finish("abandoned")
  }

  /** Whether the request is granted. */
  ask(asked: Asked): boolean {
    switch (asked) {
      case "job_hold":
        if (this.outcome !== null || this.held) return false
        this.held = true
        return true
      case "job_release":
        if (!this.held) return false
        this.held = false
        if (this.waiting) this.go()
        return true
      case "job_ack": {
        const was = this.attention
        this.attention = false
        return was
      }
      case "job_cancel":
        if (this.outcome !== null) return false
        if (this.waiting) {
          this.finish("cancelled")
          return true
        }
        this.leaving = { by: "cancel", before: this.used, losses: this.losses }
        this.cancels.add(this.submittedAs)
        return true
      case "job_restart": {
        if (this.waiting) return false
        this.used = unused
        this.best = -1
        this.advanced = false
        this.printed = false
        this.attention = false
        this.held = false
        this.leaving = { by: "operator", before: unused, losses: this.losses }
        this.losses = 0
        if (this.outcome === null) this.cancels.add(this.submittedAs)
        else {
          this.outcome = null
          this.go()
        }
        return true
      }
    }
  }

  /** Whether the rule restarts the job after that failure, and after the one that this may have followed from. */
  private decide(rule: "hang" | "crash" | "timeout", failures: ReadonlyArray<string>): boolean {
    const { limits } = this
    const before = this.used
    const progress = limits.progressIsTold && (this.printed || this.advanced) ? this.advanced : null
    const used = progress === true ? { ...unused, total: before.total } : before
    const allowed = isLeft(limits[rule], used.rules.get(rule) ?? 0) &&
      failures.every((failure) => isLeft(limits.fingerprint, used.failures.get(failure) ?? 0)) &&
      (progress !== false || isLeft(limits.noProgress, used.noProgress)) &&
      isLeft(limits.total, used.total)
    if (!allowed) {
      this.attention = true
      return false
    }
    this.used = {
      rules: more(used.rules, rule),
      failures: more(used.failures, failures[0] ?? ""),
      noProgress: used.noProgress + (progress === false ? 1 : 0),
      total: used.total + 1
    }
    this.leaving = { by: "rule", before, losses: this.losses }
    this.losses = 0
    return true
  }

  private undo(): void {
    if (this.leaving !== null) {
      this.used = this.leaving.before
      this.losses = this.leaving.losses
    }
    this.leaving = null
  }

  private finish(outcome: string): void {
    this.leaving = null
    this.live = false
    this.waiting = false
    this.outcome = outcome
    if (outcome === "success") this.attention = false
  }

  private proceed(): void {
    this.live = false
    if (this.held) this.waiting = true
    else this.go()
  }

  /** The next attempt begins. */
  private go(): void {
    this.waiting = false
    if (this.revived) {
      // The scheduler was quicker: it runs the job again by itself.
      this.undo()
      this.revived = false
      this.live = true
      return this.requeue()
    }
    this.attempt += 1
    this.leaving = null
    this.firstError = null
    this.hung = false
    this.advanced = false
    this.printed = false
    if (this.refusal) {
      this.refusal = false
      this.known = false
      return this.finish("failed")
    }
    this.known = true
    this.submissions += 1
    this.submittedAs = this.attempt
    this.live = true
  }
}
