/** The texts of rules that are rendered, each with its path within the `monitoring` section. */
import { type Action, type Binding, eventAction } from "../action/actions.ts"
import type { Condition } from "../action/conditions.ts"
import { isList, isMap, type Value } from "../backend/Value.ts"

type Path = ReadonlyArray<string | number>

type Texts = ReadonlyArray<readonly [Path, string]>

const each = (path: Path, texts: ReadonlyArray<string>): Texts => texts.map((text, index) => [[...path, index], text])

/** The texts within a value, with their paths. */
const textsIn = (value: Value, path: Path): Texts =>
  typeof value === "string"
    ? [[path, value]]
    : isList(value)
    ? value.flatMap((item, index) => textsIn(item, [...path, index]))
    : isMap(value)
    ? Object.entries(value).flatMap(([key, item]) => textsIn(item, [...path, key]))
    : []

/** The texts of an action that are rendered, with their paths. */
const templatesOf = (action: Action, path: Path): Texts => {
  switch (action.class_name) {
    case "CheckpointRollbackAction":
      return [
        [[...path, "checkpoint"], action.checkpoint],
        [[...path, "reason"], action.reason]
      ]
    case "ExcludeNodesAction":
      return [[[...path, "nodes"], action.nodes], [[...path, "reason"], action.reason]]
    case "LogAction":
    case "LogMessageAction":
      return [[[...path, "message"], action.message]]
    case "PublishEventAction":
      return [
        [[...path, "event_name"], action.event_name],
        ...textsIn(action.metadata, [...path, "metadata"]),
        ...textsIn(action.payload, [...path, "payload"])
      ]
    case "CancelAction":
    case "FinishAction":
    case "RestartAction":
      return [[[...path, "reason"], action.reason]]
    case "AppendToFileAction":
      return [[[...path, "path"], action.path], [[...path, "content"], action.content]]
    case "NewJobAction": {
      const at = [...path, "job_config"]
      const { command, name } = action.job_config
      return [
        [[...at, "name"], name],
        ...(typeof command === "string"
          ? [[[...at, "command"], command] as const]
          : each([...at, "command"], command))
      ]
    }
    case "RunAutoexpAction":
      return [[[...path, "config_path"], action.config_path], ...each([...path, "overrides"], action.overrides)]
    case "RunCommandAction":
      return [
        ...(typeof action.command === "string"
          ? [[[...path, "command"], action.command] as const]
          : each([...path, "command"], action.command)),
        ...(action.cwd === null ? [] : [[[...path, "cwd"], action.cwd] as const])
      ]
  }
}

/** The texts of a condition that are rendered, with their paths. */
export const conditionTemplates = (condition: Condition, path: Path): Texts => {
  switch (condition.class_name) {
    case "FileExistsCondition":
      return [[[...path, "path"], condition.path]]
    case "CommandCondition": {
      const { command, cwd } = condition
      return [
        ...(typeof command === "string"
          ? [[[...path, "command"], command] as const]
          : each([...path, "command"], command)),
        ...(cwd === null ? [] : [[[...path, "cwd"], cwd] as const])
      ]
    }
    case "ShellCommandCondition":
      return [
        [[...path, "command"], condition.command],
        ...(condition.cwd === null ? [] : [[[...path, "cwd"], condition.cwd] as const])
      ]
    case "FileContentCondition":
      return [[[...path, "path"], condition.path]]
    case "LogPatternCondition":
      return [[[...path, "log_path"], condition.log_path]]
    case "GlobExistsCondition":
      return [[[...path, "pattern"], condition.pattern]]
    case "JobStateCondition":
      return condition.job === null ? [] : [[[...path, "job"], condition.job]]
    case "SlurmStateCondition":
      return [[[...path, "job_name"], condition.job_name]]
    case "NotCondition":
      return conditionTemplates(condition.condition, [...path, "condition"])
    case "AndCondition":
    case "OrCondition":
    case "CompositeCondition":
      return condition.conditions.flatMap((one, index) => conditionTemplates(one, [...path, "conditions", index]))
    default:
      return []
  }
}

/** Those of a binding, the directory of a rollback excepted, which no log says. */
export const bindingTemplates = (binding: typeof Binding.Type, path: Path): Texts => {
  const { action, conditions } = eventAction(binding)
  const asked = conditions.flatMap((condition, index) => conditionTemplates(condition, [...path, "conditions", index]))
  return [...asked, ...templatesOf(action, binding.class_name === "EventAction" ? [...path, "action"] : path)]
}
