/**
 * The points at which a monitor may die. What it leaves behind changes by its operations on the disk and its effects
 * alone: to die right after one is to die before the next.
 */
import { type Death, dies, type Faults } from "./memoryDisk.ts"
import type { Effects } from "./script.ts"

/** Without what differs from one run to the next in the name of a file. */
const nameOf = (file: string): string => file.replace(/[0-9a-f-]{36}/, "new").replace(/\.\d+\.tmp$/, ".tmp")

export interface Points {
  readonly effects: Effects
  readonly faults: Faults
  /** The points that were passed, for people. */
  readonly passed: ReadonlyArray<string>
}

/**
 * Counts the points, and dies at those of these positions, from 0. By a crash: before each operation and each effect,
 * after each effect, and in the middle of what is written. By a power cut: where more has become durable.
 */
export const makePoints = (death: Death, deaths: ReadonlyArray<number> = []): Points => {
  const passed: Array<string> = []
  const pass = (point: string): boolean => {
    passed.push(point)
    return deaths.includes(passed.length - 1)
  }
  return {
    passed,
    effects: {
      before: (effect) => pass(`before ${effect}`),
      after: (effect) => pass(`after ${effect}`)
    },
    faults: {
      before: (operation, file, bytes) => {
        if (death === "power cut") return null
        if (pass(`before ${operation} ${nameOf(file)}`)) return dies
        if (bytes === null || bytes.length < 2) return null
        const inTheMiddle = { fails: "dies", bytes: bytes.length >> 1 }
        return pass(`in the middle of ${operation} ${nameOf(file)}`) ? inTheMiddle : null
      },
      after: (operation, file) => {
        if (death === "crash" || (operation !== "fsync" && operation !== "sync names")) return null
        return pass(`after ${operation} ${nameOf(file)}`) ? dies : null
      }
    }
  }
}
