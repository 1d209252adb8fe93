/** What is told of an error, and with which exit code autoexp ends because of it: the one place that decides this. */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import type { ConfigError } from "../config/Problem.ts"
import type { ImageError } from "../container/ImageError.ts"
import type { UnreadableRecordError } from "../event/EventRecord.ts"
import type { ManifestError } from "../plan/Manifest.ts"
import type { PlanError } from "../plan/PlanError.ts"
import type { PlanIoError } from "../plan/PlannedFiles.ts"
import type { ContainerRuntimeError } from "../port/ContainerRuntime.ts"
import type { FollowUpFailedError } from "../port/FollowUps.ts"
import type {
  FencedError,
  JournalDamagedError,
  JournalIoError,
  NoJournalError,
  SessionHeldError
} from "../port/Journal.ts"
import type { SchedulerUnavailableError, SubmissionRefusedError } from "../port/Scheduler.ts"
import { clean } from "../report/width.ts"
import { caretLines, fileExcerpt } from "./excerpt.ts"
import type { SessionUnfinishedError } from "./SessionUnfinishedError.ts"
import type { UnknownNameError } from "./UnknownNameError.ts"
import type { UsageError } from "./UsageError.ts"

/** Every error that a command may end with. */
export type Failure =
  | UsageError
  | UnknownNameError
  | SessionUnfinishedError
  | ConfigError
  | PlanError
  | ManifestError
  | PlanIoError
  | NoJournalError
  | SessionHeldError
  | FencedError
  | JournalDamagedError
  | JournalIoError
  | UnreadableRecordError
  | SchedulerUnavailableError
  | SubmissionRefusedError
  | FollowUpFailedError
  | ImageError
  | ContainerRuntimeError

/** Exit code, and the word that names the kind of error in JSON. */
const kinds: { readonly [Tag in Failure["_tag"]]: readonly [exitCode: number, code: string] } = {
  UsageError: [2, "usage"],
  UnknownNameError: [2, "unknown"],
  SessionUnfinishedError: [1, "unfinished"],
  ConfigError: [2, "config"],
  PlanError: [2, "plan"],
  ManifestError: [2, "manifest"],
  PlanIoError: [2, "io"],
  NoJournalError: [2, "unknown"],
  SchedulerUnavailableError: [3, "scheduler"],
  SubmissionRefusedError: [3, "scheduler"],
  JournalDamagedError: [4, "journal_damaged"],
  UnreadableRecordError: [4, "journal_unreadable"],
  SessionHeldError: [5, "held"],
  FencedError: [5, "fenced"],
  JournalIoError: [1, "io"],
  FollowUpFailedError: [1, "follow_up"],
  ImageError: [2, "image"],
  ContainerRuntimeError: [3, "container"]
}

interface Problem {
  readonly message: string
  readonly file: string | null
  readonly line: number | null
  readonly column: number | null
  readonly suggestions: ReadonlyArray<string>
  /** The override that holds the mistake, and the column in its text. */
  readonly override?: { readonly text: string; readonly column: number } | null
  /** The configs whose defaults lists led to the file. */
  readonly chain?: ReadonlyArray<string>
}

const plain = (message: string, suggestions: ReadonlyArray<string> = []): Problem => ({
  message,
  file: null,
  line: null,
  column: null,
  suggestions
})

const problemsOf = (error: Failure): readonly [Problem, ...ReadonlyArray<Problem>] => {
  switch (error._tag) {
    case "ConfigError":
      return error.problems
    case "PlanError":
      return [{
        ...error,
        message: error.at === null ? error.message : `${error.at}: ${error.message}`,
        suggestions: []
      }]
    case "UsageError":
    case "UnknownNameError":
      return [plain(error.message, error.suggestions)]
    case "NoJournalError":
      return [plain(`there is no session ${error.planId} in ${error.stateDir}`)]
    case "SessionHeldError":
      return [plain(
        `session ${error.planId} is watched by process ${error.pid} on ${error.host} since ${error.since}; ` +
          "end that one, or take the session with --takeover"
      )]
    case "FencedError":
      return [
        plain(`session ${error.planId} was taken over by another process (epoch ${error.newest}); this one stops`)
      ]
    case "JournalDamagedError":
      return [{
        ...plain(
          error.seq === 1
            ? `${error.message}; no record stands before it, so that no repair can help: ${noRepair}`
            : `${error.message}; \`autoexp journal verify --session ID\` names every fault, ` +
              "`autoexp journal repair --session ID` cuts at the first and keeps the rest aside"
        ),
        file: error.path
      }]
    case "PlanIoError":
    case "ManifestError":
    case "JournalIoError":
      return [{ ...plain(error.message), file: error.path }]
    case "SchedulerUnavailableError":
      return [plain(`${error.command}: ${error.message}`)]
    case "ImageError":
      return [{ ...plain(error.message, error.suggestions), file: error.file, line: error.line }]
    case "ContainerRuntimeError":
      return [plain(`${error.runtime}: ${error.message}`)]
    case "FollowUpFailedError":
      return [plain(`follow-up ${error.planId}: ${error.message}`)]
    case "UnreadableRecordError":
    case "SubmissionRefusedError":
    case "SessionUnfinishedError":
      return [plain(error.message)]
  }
}

/** What is left to do where not even the first record of a journal can be read. */
export const noRepair = "put the file back from a copy; its jobs are in the queue as they were"

const problemText = ({ column, file, line, message, suggestions }: Problem): string => {
  const where = file === null || line === null && message.includes(file)
    ? ""
    : `${[file, line, column].filter((part) => part !== null).join(":")}: `
  // Most messages say what would fit by themselves.
  const fits = suggestions.length === 0 || suggestions.some((suggestion) => message.includes(suggestion))
    ? ""
    : `; did you mean ${suggestions.map((suggestion) => `\`${suggestion}\``).join(" or ")}?`
  // Messages keep their own lines; names in them come from anywhere.
  return `autoexp: ${where}${message}${fits}\n`.split("\n").map(clean).join("\n")
}

/** What stands below a mistake's sentence: the place itself, and which configs led there. */
const placeText = ({ chain = [], column, file, line, override }: Problem): string => {
  const excerpt = override !== undefined && override !== null
    ? caretLines("", override.text, override.column)
    : file === null || line === null
    ? []
    : fileExcerpt(file, line, column ?? 1)
  const led = chain.length > 1 ? [`  defaults: ${chain.map(clean).join(" -> ")}`] : []
  return [...excerpt, ...led].map((text) => `${text}\n`).join("")
}

/** All mistakes, those with excerpts apart from each other; of several the number, since the first scrolled away. */
const problemsText = (problems: ReadonlyArray<Problem>): string => {
  const texts = problems.map((problem) => problemText(problem) + placeText(problem))
  const apart = texts.some((text) => text.includes("\n", text.indexOf("\n") + 1)) ? "\n" : ""
  return texts.join(apart) + (apart !== "" && texts.length > 1 ? `\nautoexp: ${texts.length} mistakes\n` : "")
}

/** How the end of a command is told: the exit code and what stands on standard error. */
export interface Told {
  readonly exitCode: number
  readonly text: string
}

const exitCodeOfDefect = 70

const tellOne = (error: Failure, json: boolean): Told => {
  const [exitCode, code] = kinds[error._tag]
  const problems = problemsOf(error)
  const [first] = problems
  const { column, file, line, message, suggestions } = first
  return {
    exitCode,
    text: json
      ? `${JSON.stringify({ error: { code, message, file, line, column, suggestions, problems } })}\n`
      : problemsText(problems)
  }
}

const tellDefect = (cause: Cause.Cause<Failure>, json: boolean, debug: boolean): Told => {
  const message = Chunk.toReadonlyArray(Cause.defects(cause)).map(String).join("; ") || Cause.pretty(cause)
  const hint = debug ? "" : "; run it again with --debug for details"
  return {
    exitCode: exitCodeOfDefect,
    text: json
      ? `${JSON.stringify({ error: { code: "defect", ...plain(message) } })}\n`
      : `autoexp: this should not have happened: ${message}${hint}\n`
  }
}

/** Tells of everything but an interruption alone, which says nothing. Stack traces only for `debug`. */
export const tell = (
  cause: Cause.Cause<Failure>,
  options: { readonly json: boolean; readonly debug: boolean }
): Told => {
  const failure = Cause.failureOption(cause)
  const told = failure._tag === "Some"
    ? tellOne(failure.value, options.json)
    : tellDefect(cause, options.json, options.debug)
  return options.debug ? { ...told, text: `${told.text}${Cause.pretty(cause, { renderErrorCause: true })}\n` } : told
}
