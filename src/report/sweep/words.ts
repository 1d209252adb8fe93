/** Numbers and values of a sweep as people read them. */
import { floatRepr } from "../../backend/python.ts"
import { showLine } from "../../config/show.ts"
import type { StageSize } from "../../plan/gpuHours.ts"
import { width } from "../width.ts"

const whole = new Intl.NumberFormat("en-US")
const tenths = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 })

/** `1,234`. */
export const numberText = (count: number): string => whole.format(count)

/** `1 job`, `1,234 jobs`. */
export const counted = (count: number, noun: string): string => `${numberText(count)} ${noun}${count === 1 ? "" : "s"}`

/** `12.5`, with a `+` for jobs that may use more; `-` for none. */
export const hoursText = ({ gpuHours, unlimited }: StageSize): string =>
  unlimited > 0 ? `${tenths.format(gpuHours)}+` : gpuHours === 0 ? "-" : tenths.format(gpuHours)

/** `4 nodes, at most 12.5 GPU-hours`; of chains with how many links they may have, all of which are counted. */
export const sizeText = (size: StageSize): string => {
  const { gpuHours, links, nodes, unlimited } = size
  const hours = unlimited > 0
    ? `${tenths.format(gpuHours)} GPU-hours and ${counted(unlimited, "job")} without a time limit`
    : gpuHours === 0
    ? "no GPUs"
    : `at most ${tenths.format(gpuHours)} GPU-hours`
  return `${counted(nodes, "node")}, ${hours}${links === 0 ? "" : ` in ${counted(links, "link")}`}`
}

/** A parameter's value, which is plain JSON: numbers as they stand in names, texts as they are. */
export const valueText = (value: unknown): string => {
  if (typeof value === "string") return value === "" ? "\"\"" : value
  if (typeof value === "number") return Number.isInteger(value) ? `${value}` : floatRepr(value)
  return value === undefined ? "-" : showLine(value)
}

/** The words behind `indent`, in lines of at most `columns`; further lines stand deeper. */
export const wrapped = (indent: string, text: string, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = indent
  for (const word of text.split(" ")) {
    const longer = line.trim() === "" ? `${line}${word}` : `${line} ${word}`
    if (width(longer) > columns && line.trim() !== "") {
      lines.push(line)
      line = `${indent}  ${word}`
    } else line = longer
  }
  return [...lines, line]
}
