/** Names of jobs: what users, directories and the scheduler call a sweep point. */
import * as Either from "effect/Either"
import { pyRepr } from "../backend/python.ts"
import type { ValueMap } from "../backend/Value.ts"
import { formatTemplate } from "./format.ts"
import { SweepError, type SweepPoint } from "./SweepPoint.ts"

/** With attempt and nonce a name must fit into the 255 bytes that SLURM's accounting keeps: what it cuts is the nonce. */
const MAX_BYTES = 200

const utf8Bytes = (text: string): number => {
  let bytes = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return bytes
}

/** A point and the project it is of, which a sweep may set like any other value. */
export interface ProjectPoint extends Pick<SweepPoint, "index" | "parameters"> {
  readonly project: string
  /** The phase that the point is; empty or left out for none. */
  readonly stage?: string
}

/**
 * What a template of a point may name: `project`, `index`, `stage` and the point's parameters, dotted ones also with
 * `___` for each dot. Values keep their type, so that `{index:03}` and `{lr:.0e}` work.
 */
export const nameVariables = (point: ProjectPoint): ValueMap => ({
  project: point.project,
  index: point.index,
  stage: point.stage ?? "",
  ...Object.fromEntries(
    Object.entries(point.parameters).map(([key, value]) => [key.replaceAll(".", "___"), value])
  ),
  ...point.parameters
})

/** Why `name` cannot name a job, plan or project, which becomes a file and a scheduler's job; null if it can. */
export const unsafeName = (name: string): string | null => {
  if (name.trim() === "") return "it is empty"
  if (name === ".") return "it names a directory"
  if (name.startsWith("-")) return "it begins with a dash"
  if (utf8Bytes(name) > MAX_BYTES) return `it has more than ${MAX_BYTES} bytes`
  const wrong = /\/|\.\.|\\|\p{Cc}|[\u2028\u2029]/u.exec(name)?.[0]
  return wrong === undefined ? null : `it holds ${/^[/.\\]/.test(wrong) ? `"${wrong}"` : "a control character"}`
}

/** The job name of a point, by `template`; an unsafe name is an error. */
export const jobName = (template: string, point: ProjectPoint): Either.Either<string, SweepError> =>
  Either.gen(function*() {
    const name = yield* Either.orElse(
      formatTemplate(template, nameVariables(point)),
      ({ column, message }) => wrongName(`column ${column}: ${message}`)
    )
    const unsafe = unsafeName(name)
    return unsafe === null ? name : yield* wrongName(`${pyRepr(name)} of ${show(point)} cannot name a job: ${unsafe}`)
  })

/** An error if two of the named points share a name. */
export const distinctNames = (
  named: Iterable<{ readonly name: string; readonly point: ProjectPoint }>
): Either.Either<void, SweepError> => {
  const owners = new Map<string, ProjectPoint>()
  for (const { name, point } of named) {
    const other = owners.get(name)
    if (other !== undefined) {
      return wrongName(
        `${show(other)} and ${show(point)} are both named "${name}"; add what they differ in, or {index}`
      )
    }
    owners.set(name, point)
  }
  return Either.void
}

/** The job name of each point, by `template`; an unsafe name, or one that two points share, is an error. */
export const jobNames = (
  template: string,
  points: ReadonlyArray<ProjectPoint>
): Either.Either<ReadonlyArray<string>, SweepError> =>
  Either.gen(function*() {
    const names = yield* Either.all(points.map((point) => jobName(template, point)))
    yield* distinctNames(points.map((point, at) => ({ name: names[at] ?? "", point })))
    return names
  })

const wrongName = (message: string) => Either.left(new SweepError({ at: "sweep.name_template", message }))

const show = ({ index, parameters }: ProjectPoint): string =>
  `point ${index} (${Object.entries(parameters).map(([key, value]) => `${key}=${pyRepr(value)}`).join(", ")})`
