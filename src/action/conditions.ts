/** Every condition there is. A new one is a file in `conditions/` and a line in each list below. */
import * as Schema from "effect/Schema"
import * as AlwaysTrue from "./conditions/AlwaysTrueCondition.ts"
import { listedCondition } from "./conditions/AndOrCondition.ts"
import * as Command from "./conditions/CommandCondition.ts"
import { compositeCondition, judge as judgeComposite } from "./conditions/CompositeCondition.ts"
import * as Cooldown from "./conditions/CooldownCondition.ts"
import * as ElapsedTime from "./conditions/ElapsedTimeCondition.ts"
import * as Evidence from "./conditions/EvidenceCondition.ts"
import * as FileContent from "./conditions/FileContentCondition.ts"
import * as FileExists from "./conditions/FileExistsCondition.ts"
import * as GlobExists from "./conditions/GlobExistsCondition.ts"
import * as JobEnd from "./conditions/JobCondition.ts"
import * as JobState from "./conditions/JobStateCondition.ts"
import * as LogPattern from "./conditions/LogPatternCondition.ts"
import * as MaxAttempts from "./conditions/MaxAttemptsCondition.ts"
import * as Metadata from "./conditions/MetadataCondition.ts"
import { notCondition, opposite } from "./conditions/NotCondition.ts"
import * as Progress from "./conditions/ProgressCondition.ts"
import * as ShellCommand from "./conditions/ShellCommandCondition.ts"
import * as SlurmState from "./conditions/SlurmStateCondition.ts"
import * as Timeout from "./conditions/TimeoutCondition.ts"
import type { Occasion, Verdict } from "./Verdict.ts"

/**
 * What a condition has said once it says again of that job, be it asked anew before a restart or because of a later event:
 * `persistent_pass` that it passed, `persistent_fail` that it failed. Those within a composite are asked anew.
 */
const Latches = Schema.Struct({
  persistent_pass: Schema.optional(Schema.Boolean),
  persistent_fail: Schema.optional(Schema.Boolean)
})
type Latches = typeof Latches.Type

const Simple = Schema.Union(
  AlwaysTrue.AlwaysTrueCondition,
  Command.CommandCondition,
  Cooldown.CooldownCondition,
  ElapsedTime.ElapsedTimeCondition,
  Evidence.EvidenceCondition,
  FileContent.FileContentCondition,
  FileExists.FileExistsCondition,
  GlobExists.GlobExistsCondition,
  JobEnd.JobCondition,
  JobState.JobStateCondition,
  LogPattern.LogPatternCondition,
  MaxAttempts.MaxAttemptsCondition,
  Metadata.MetadataCondition,
  Progress.ProgressCondition,
  ShellCommand.ShellCommandCondition,
  SlurmState.SlurmStateCondition,
  Timeout.TimeoutCondition
)

interface Composite extends Latches {
  readonly class_name: "CompositeCondition"
  readonly mode: "all" | "any"
  readonly conditions: ReadonlyArray<Condition>
}

interface Listed extends Latches {
  readonly class_name: "AndCondition" | "OrCondition"
  readonly conditions: ReadonlyArray<Condition>
}

interface Not extends Latches {
  readonly class_name: "NotCondition"
  readonly condition: Condition
}

type EncodedComposite = Latches & {
  readonly class_name: "CompositeCondition"
  readonly mode?: "all" | "any" | undefined
  readonly conditions: ReadonlyArray<EncodedCondition>
}

type EncodedListed = Latches & {
  readonly class_name: "AndCondition" | "OrCondition"
  readonly conditions: ReadonlyArray<EncodedCondition>
}

type EncodedNot = Latches & {
  readonly class_name: "NotCondition"
  readonly condition: EncodedCondition
}

export type Condition = (typeof Simple.Type & Latches) | Composite | Listed | Not
type EncodedCondition = (typeof Simple.Encoded & Latches) | EncodedComposite | EncodedListed | EncodedNot

const member = Schema.suspend((): Schema.Schema<Condition, EncodedCondition> => Condition).annotations({
  identifier: "Condition"
})

export const Condition: Schema.Schema<Condition, EncodedCondition> = Schema.Union(
  Schema.extend(Simple, Latches),
  Schema.extend(compositeCondition(member), Latches),
  Schema.extend(listedCondition(member), Latches),
  Schema.extend(notCondition(member), Latches)
).annotations({ identifier: "Condition" })

/** What the condition says on this occasion. */
export const judge = (condition: Condition, occasion: Occasion): Verdict => {
  switch (condition.class_name) {
    case "AlwaysTrueCondition":
      return AlwaysTrue.judge(condition, occasion)
    case "CommandCondition":
      return Command.judge(condition, occasion)
    case "CompositeCondition":
      return judgeComposite(condition.mode, condition.conditions.map((one) => judge(one, occasion)))
    case "AndCondition":
      return judgeComposite("all", condition.conditions.map((one) => judge(one, occasion)))
    case "OrCondition":
      return judgeComposite("any", condition.conditions.map((one) => judge(one, occasion)))
    case "NotCondition":
      return judgeNot(condition.condition, occasion)
    case "CooldownCondition":
      return Cooldown.judge(condition, occasion)
    case "ElapsedTimeCondition":
      return ElapsedTime.judge(condition, occasion)
    case "EvidenceCondition":
      return Evidence.judge(condition, occasion)
    case "FileContentCondition":
      return FileContent.judge(condition, occasion)
    case "FileExistsCondition":
      return FileExists.judge(condition, occasion)
    case "GlobExistsCondition":
      return GlobExists.judge(condition, occasion)
    case "JobCondition":
      return JobEnd.judge(condition, occasion)
    case "JobStateCondition":
      return JobState.judge(condition, occasion)
    case "LogPatternCondition":
      return LogPattern.judge(condition, occasion)
    case "MaxAttemptsCondition":
      return MaxAttempts.judge(condition, occasion)
    case "MetadataCondition":
      return Metadata.judge(condition, occasion)
    case "ProgressCondition":
      return Progress.judge(condition, occasion)
    case "ShellCommandCondition":
      return ShellCommand.judge(condition, occasion)
    case "SlurmStateCondition":
      return SlurmState.judge(condition, occasion)
    case "TimeoutCondition":
      return Timeout.judge(condition, occasion)
  }
}

/** The opposite of the condition: of several, the others of their opposites. */
const judgeNot = (condition: Condition, occasion: Occasion): Verdict => {
  const opposites = (those: ReadonlyArray<Condition>) => those.map((one) => judgeNot(one, occasion))
  switch (condition.class_name) {
    case "NotCondition":
      return judge(condition.condition, occasion)
    case "AndCondition":
      return judgeComposite("any", opposites(condition.conditions))
    case "OrCondition":
      return judgeComposite("all", opposites(condition.conditions))
    case "CompositeCondition":
      return judgeComposite(condition.mode === "all" ? "any" : "all", opposites(condition.conditions))
    default:
      return opposite(judge(condition, occasion))
  }
}
