/** Every condition there is. A new one is a file in `conditions/` and a line in each list below. */
import * as Schema from "effect/Schema"
import * as AlwaysTrue from "./conditions/AlwaysTrueCondition.ts"
import * as Command from "./conditions/CommandCondition.ts"
import * as FileExists from "./conditions/FileExistsCondition.ts"
import * as JobEnd from "./conditions/JobCondition.ts"
import * as MaxAttempts from "./conditions/MaxAttemptsCondition.ts"
import * as Metadata from "./conditions/MetadataCondition.ts"
import type { Occasion, Verdict } from "./Verdict.ts"

export const Condition = Schema.Union(
  AlwaysTrue.AlwaysTrueCondition,
  Command.CommandCondition,
  FileExists.FileExistsCondition,
  JobEnd.JobCondition,
  MaxAttempts.MaxAttemptsCondition,
  Metadata.MetadataCondition
).annotations({ identifier: "Condition" })
export type Condition = typeof Condition.Type

/** What the condition says on this occasion. */
export const judge = (condition: Condition, occasion: Occasion): Verdict => {
  switch (condition.class_name) {
    case "AlwaysTrueCondition":
      return AlwaysTrue.judge(condition, occasion)
    case "CommandCondition":
      return Command.judge(condition, occasion)
    case "FileExistsCondition":
      return FileExists.judge(condition, occasion)
    case "JobCondition":
      return JobEnd.judge(condition, occasion)
    case "MaxAttemptsCondition":
      return MaxAttempts.judge(condition, occasion)
    case "MetadataCondition":
      return Metadata.judge(condition, occasion)
  }
}
