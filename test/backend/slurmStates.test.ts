import { describe, expect, it } from "vitest"
import { knownStates, parseState } from "../../src/backend/slurm/states.ts"

describe("a state of SLURM's", () => {
  it.each([
    ["PENDING", "PENDING", "waiting", null],
    ["PD", "PENDING", "waiting", null],
    ["CONFIGURING", "CONFIGURING", "waiting", null],
    ["REQUEUED", "REQUEUED", "waiting", null],
    ["REQUEUE_HOLD", "REQUEUE_HOLD", "waiting", null],
    ["SPECIAL_EXIT", "SPECIAL_EXIT", "waiting", null],
    ["SE", "SPECIAL_EXIT", "waiting", null],
    ["R", "RUNNING", "running", null],
    ["S", "SUSPENDED", "running", null],
    ["ST", "STOPPED", "running", null],
    ["CG", "COMPLETING", "running", null],
    ["COMPLETI", "COMPLETING", "running", null],
    ["COMPLETED", "COMPLETED", "ended", "ok"],
    ["F", "FAILED", "ended", "failed"],
    ["CANCELLED by 1001", "CANCELLED", "ended", "cancelled"],
    ["CANCELLED+", "CANCELLED", "ended", "cancelled"],
    ["CA", "CANCELLED", "ended", "cancelled"],
    ["TO", "TIMEOUT", "ended", "timeout"],
    ["DL", "DEADLINE", "ended", "deadline"],
    ["NODE_FAIL", "NODE_FAIL", "ended", "node_failure"],
    ["NF", "NODE_FAIL", "ended", "node_failure"],
    ["BF", "BOOT_FAIL", "ended", "boot_failure"],
    ["OUT_OF_ME+", "OUT_OF_MEMORY", "ended", "memory"],
    ["OOM", "OUT_OF_MEMORY", "ended", "memory"],
    ["PR", "PREEMPTED", "ended", "preempted"],
    ["RV", "REVOKED", "ended", "cancelled"],
    [" running ", "RUNNING", "running", null]
  ])("%j is %s: %s, %s", (text, word, phase, end) => {
    expect(parseState(text)).toEqual({ word, phase, end })
  })

  it("of a later SLURM is kept as it is, and says neither that the job lives nor that it ended", () => {
    for (const text of ["HIBERNATING", "RE+", "COMP", "", "constructor", "toString"]) {
      expect(parseState(text)).toEqual({ word: text.toUpperCase(), phase: "unknown", end: null })
    }
  })

  it("has an end of a kind exactly if it ended, and reads itself", () => {
    for (const state of knownStates) {
      expect(parseState(state.word)).toEqual(state)
      expect(state.end !== null).toBe(state.phase === "ended")
      expect(state.phase).not.toBe("unknown")
    }
  })
})
