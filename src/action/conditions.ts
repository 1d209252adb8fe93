/** Every condition there is. A new one is a file in `conditions/` and a line in each list below. */
import * as Schema from "effect/Schema"
import * as AlwaysTrue from "./conditions/AlwaysTrueCondition.ts"
import * as Command from "./conditions/CommandCondition.ts"
import * as Composite from "./conditions/CompositeCondition.ts"
import * as Cooldown from "./conditions/CooldownCondition.ts"
import * as ElapsedTime from "./conditions/ElapsedTimeCondition.ts"
import * as Evidence from "./conditions/EvidenceCondition.ts"
import * as FileExists from "./conditions/FileExistsCondition.ts"
import * as GlobExists from "./conditions/GlobExistsCondition.ts"
import * as JobEnd from "./conditions/JobCondition.ts"
import * as MaxAttempts from "./conditions/MaxAttemptsCondition.ts"
import * as Metadata from "./conditions/MetadataCondition.ts"
import * as Progress from "./conditions/ProgressCondition.ts"
import type { Occasion, Verdict } from "./Verdict.ts"

const Simple = Schema.Union(
  AlwaysTrue.AlwaysTrueCondition,
  Command.CommandCondition,
  Cooldown.CooldownCondition,
  ElapsedTime.ElapsedTimeCondition,
  Evidence.EvidenceCondition,
  FileExists.FileExistsCondition,
  GlobExists.GlobExistsCondition,
  JobEnd.JobCondition,
  MaxAttempts.MaxAttemptsCondition,
  Metadata.MetadataCondition,
  Progress.ProgressCondition
)

interface CompositeCondition {
  readonly class_name: "CompositeCondition"
  readonly mode: "all" | "any"
  readonly conditions: ReadonlyArray<Condition>
}

type EncodedComposite = {
  readonly class_name: "CompositeCondition"
  readonly mode?: "all" | "any" | undefined
  readonly conditions: ReadonlyArray<EncodedCondition>
}

export type Condition = typeof Simple.Type | CompositeCondition
type EncodedCondition = typeof Simple.Encoded | EncodedComposite

export const Condition: Schema.Schema<Condition, EncodedCondition> = Schema.Union(
  ...Simple.members,
  Composite.compositeCondition(
    Schema.suspend((): Schema.Schema<Condition, EncodedCondition> => Condition).annotations({ identifier: "Condition" })
  )
).annotations({ identifier: "Condition" })

/** What the condition says on this occasion. */
export const judge = (condition: Condition, occasion: Occasion): Verdict => {
  switch (condition.class_name) {
    case "AlwaysTrueCondition":
      return AlwaysTrue.judge(condition, occasion)
    case "CommandCondition":
      return Command.judge(condition, occasion)
    case "CompositeCondition":
      return Composite.judge(condition.mode, condition.conditions.map((one) => judge(one, occasion)))
    case "CooldownCondition":
      return Cooldown.judge(condition, occasion)
    case "ElapsedTimeCondition":
      return ElapsedTime.judge(condition, occasion)
    case "EvidenceCondition":
      return Evidence.judge(condition, occasion)
    case "FileExistsCondition":
      return FileExists.judge(condition, occasion)
    case "GlobExistsCondition":
      return GlobExists.judge(condition, occasion)
    case "JobCondition":
      return JobEnd.judge(condition, occasion)
    case "MaxAttemptsCondition":
      return MaxAttempts.judge(condition, occasion)
    case "MetadataCondition":
      return Metadata.judge(condition, occasion)
    case "ProgressCondition":
      return Progress.judge(condition, occasion)
  }
}
