/** Every action there is. A new one is a file in `actions/` and a line in each list below. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Int, Number, type ValueMap } from "../backend/Value.ts"
import { OnInterrupt } from "../event/terms.ts"
import type { TemplateError } from "../sweep/format.ts"
import { AppendToFileAction } from "./actions/AppendToFileAction.ts"
import { CancelAction } from "./actions/CancelAction.ts"
import { CheckpointRollbackAction } from "./actions/CheckpointRollbackAction.ts"
import { ExcludeNodesAction } from "./actions/ExcludeNodesAction.ts"
import { FinishAction } from "./actions/FinishAction.ts"
import { LogAction } from "./actions/LogAction.ts"
import { NewJobAction } from "./actions/NewJobAction.ts"
import { PublishEventAction } from "./actions/PublishEventAction.ts"
import { RestartAction } from "./actions/RestartAction.ts"
import { RunAutoexpAction } from "./actions/RunAutoexpAction.ts"
import { RunCommandAction } from "./actions/RunCommandAction.ts"
import { Condition } from "./conditions.ts"
import { render, renderAll, renderMap, renderShell } from "./render.ts"

export const Action = Schema.Union(
  AppendToFileAction,
  CancelAction,
  CheckpointRollbackAction,
  ExcludeNodesAction,
  FinishAction,
  LogAction,
  NewJobAction,
  PublishEventAction,
  RestartAction,
  RunAutoexpAction,
  RunCommandAction
).annotations({ identifier: "Action" })
export type Action = typeof Action.Type

/** Whether there is something to execute, which may wait in the queue and fail; all else is done when it is decided. */
export const isExecuted = ({ class_name }: Pick<Action, "class_name">): boolean =>
  ["AppendToFileAction", "NewJobAction", "RunAutoexpAction", "RunCommandAction"].includes(class_name)

/**
 * Whether it may be executed twice. A follow-up's plan has its id of its action, and so has a checkpoint put aside its
 * name; a line stands in its file once.
 */
export const mayRepeat = (action: Readonly<Record<string, unknown>>): boolean =>
  ["CheckpointRollbackAction", "NewJobAction", "RunAutoexpAction"].includes(String(action["class_name"])) ||
  action["class_name"] === "AppendToFileAction" && action["dedup"] !== false

/** An action with how and when: `inline` acts in the monitor's cycle, `queue` leaves it to the worker. */
export const EventAction = Schema.Struct({
  class_name: Schema.Literal("EventAction"),
  mode: Schema.optionalWith(Schema.Literal("inline", "queue"), { default: () => "inline" as const }),
  conditions: Schema.optionalWith(Schema.Array(Condition), { default: () => [] }),
  action: Action,
  /** How often a queued action that fails is tried in all. */
  max_attempts: Schema.optionalWith(Int, { default: () => 1 }),
  /** Seconds from the first failure to the second attempt; each later wait is twice as long, one hour at most. */
  backoff_seconds: Schema.optionalWith(Number, { default: () => 30 }),
  /** When who executes it dies: `retry` does it again, `fail` gives it up; null: `retry` for follow-ups, else `fail`. */
  on_interrupt: Schema.optionalWith(Schema.NullOr(OnInterrupt), { default: () => null })
})

/** What a rule binds to its event: an `EventAction`, or a bare action, which means inline and unconditionally. */
export const Binding = Schema.Union(EventAction, ...Action.members).annotations({ identifier: "Binding" })

/** The binding with its mode and conditions written out. */
export const eventAction = (binding: typeof Binding.Type): typeof EventAction.Type =>
  binding.class_name === "EventAction"
    ? binding
    : {
      class_name: "EventAction",
      mode: "inline",
      conditions: [],
      action: binding,
      max_attempts: 1,
      backoff_seconds: 0,
      on_interrupt: null
    }

/**
 * The action with every text of it rendered, which happens once: when it is decided. `own`: the job's own values, without
 * any that a log tells.
 */
export const renderAction = (action: Action, metadata: ValueMap, own: ValueMap): Either.Either<Action, TemplateError> =>
  Either.gen(function*() {
    switch (action.class_name) {
      case "AppendToFileAction":
        return {
          ...action,
          path: yield* render(action.path, metadata),
          content: yield* render(action.content, metadata)
        }
      case "NewJobAction": {
        const { command, name } = action.job_config
        const argv = typeof command === "string" ? [command] : command
        const [program = "", ...rest] = yield* renderAll(argv, metadata)
        return {
          ...action,
          job_config: {
            ...action.job_config,
            name: yield* render(name, metadata),
            command: typeof command === "string" ? program : [program, ...rest] as const
          }
        }
      }
      case "CheckpointRollbackAction":
        return {
          ...action,
          checkpoint_dir: yield* render(action.checkpoint_dir, own),
          checkpoint: yield* render(action.checkpoint, metadata),
          reason: yield* render(action.reason, metadata)
        }
      case "ExcludeNodesAction":
        return {
          ...action,
          nodes: yield* render(action.nodes, metadata),
          reason: yield* render(action.reason, metadata)
        }
      case "LogAction":
      case "LogMessageAction":
        return { ...action, message: yield* render(action.message, metadata) }
      case "PublishEventAction":
        return {
          ...action,
          event_name: yield* render(action.event_name, metadata),
          metadata: yield* renderMap(action.metadata, metadata),
          payload: yield* renderMap(action.payload, metadata)
        }
      case "CancelAction":
      case "FinishAction":
      case "RestartAction":
        return { ...action, reason: yield* render(action.reason, metadata) }
      case "RunAutoexpAction":
        return {
          ...action,
          config_path: yield* render(action.config_path, metadata),
          overrides: yield* renderAll(action.overrides, metadata)
        }
      case "RunCommandAction": {
        const cwd = action.cwd === null ? null : yield* render(action.cwd, metadata)
        if (action.shell) {
          const line = typeof action.command === "string" ? action.command : action.command.join(" ")
          const { env, text } = yield* renderShell(line, metadata)
          return { ...action, command: ["sh", "-c", text] as const, env, cwd }
        }
        const [program, ...rest] = typeof action.command === "string" ? [action.command] as const : action.command
        return {
          ...action,
          command: [yield* render(program, metadata), ...yield* renderAll(rest, metadata)] as const,
          cwd
        }
      }
    }
  })
