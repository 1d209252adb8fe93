/** Mistakes in rules that their schema cannot see: patterns, templates, names. */
import * as Either from "effect/Either"
import { type Action, type Binding, eventAction, isExecuted } from "../action/actions.ts"
import type { Condition } from "../action/conditions.ts"
import { didYouMean, nearest } from "../backend/nearest.ts"
import { countKeys } from "../session/declared.ts"
import { templateFields } from "../sweep/format.ts"
import { type LogEvent, modeOf, type Monitoring, terminationRule } from "./Monitoring.ts"
import { compilePattern, type Pattern } from "./pattern.ts"
import { bindingTemplates, conditionTemplates } from "./templates.ts"

/** A mistake, and the path within the `monitoring` section to the value that holds it. */
export interface RuleProblem {
  readonly path: ReadonlyArray<string | number>
  /** A sentence. */
  readonly message: string
  readonly suggestions: ReadonlyArray<string>
}

/** What templates about a job may name (`rule/metadata.ts`). */
const ofJob = [
  "job_id",
  "job_name",
  "output_dir",
  "output_paths",
  "log_path",
  "attempt",
  "plan_id",
  "project",
  "index",
  "stage",
  "parameters"
]

/** What every rule's templates may name (`rule/metadata.ts`, `rule/classify.ts`, `rule/silence.ts`). */
const always = [
  ...ofJob,
  "event_id",
  "event_name",
  "source",
  "source_path",
  "reason",
  "error_type",
  "exit_code",
  "signal",
  "nodes",
  "slurm_state",
  "subsystem",
  "stall_seconds",
  "stall_threshold_seconds",
  "step"
]

type Path = RuleProblem["path"]

const problem = (path: Path, message: string, suggestions: ReadonlyArray<string> = []): RuleProblem => ({
  path,
  message,
  suggestions
})

/** Mistakes in the template at `path`: it cannot be read, or names something that is not `known`. */
export const lintTemplate = (
  path: Path,
  template: string,
  known: ReadonlySet<string>
): ReadonlyArray<RuleProblem> =>
  Either.match(templateFields(template), {
    onLeft: (
      { column, message }
    ) => [problem(path, `The template "${template}" is wrong at column ${column}: ${message}`)],
    onRight: (fields) =>
      fields.filter(({ root, text }) => !known.has(root) && !known.has(text)).map(({ column, text }) =>
        problem(
          path,
          `The template "${template}" names "${text}" at column ${column}, which is unknown; ${
            didYouMean(text, known)
          }`,
          nearest(text, known)
        )
      )
  })

/** Mistakes in the templates of a job's start, cancel or finish conditions; `names` are known besides the usual ones. */
export const lintConditions = (
  path: Path,
  conditions: ReadonlyArray<Condition>,
  names: Iterable<string>
): ReadonlyArray<RuleProblem> => {
  const known = [...names]
  return conditions.flatMap((condition, index) => lintCondition([...path, index], condition, known))
}

/** The same of one condition. */
export const lintCondition = (
  path: Path,
  condition: Condition,
  names: Iterable<string>
): ReadonlyArray<RuleProblem> => {
  const known = new Set([...ofJob, ...names])
  return conditionTemplates(condition, path).flatMap(([at, text]) => lintTemplate(at, text, known))
}

const lintBindings = (
  bindings: ReadonlyArray<typeof Binding.Type>,
  path: Path,
  known: ReadonlySet<string>,
  own: ReadonlySet<string>
): ReadonlyArray<RuleProblem> =>
  bindings.flatMap((binding, index) => {
    const at = [...path, "actions", index]
    const { action } = eventAction(binding)
    const inner = binding.class_name === "EventAction" ? [...at, "action"] : at
    return [
      ...bindingTemplates(binding, at).flatMap(([place, text]) => lintTemplate(place, text, known)),
      ...(action.class_name === "CheckpointRollbackAction"
        ? lintTemplate([...inner, "checkpoint_dir"], action.checkpoint_dir, own)
        : []),
      ...lintShell(action, inner),
      ...lintRetries(eventAction(binding), at)
    ]
  })

/** Only what waits in the queue is tried again, and by the queue's worker alone. */
const lintRetries = (
  { action, backoff_seconds, max_attempts, mode }: ReturnType<typeof eventAction>,
  path: Path
): ReadonlyArray<RuleProblem> => {
  const at = [...path, "max_attempts"]
  if (max_attempts < 1) return [problem(at, "An action is tried at least once: max_attempts is 1 or more.")]
  if (backoff_seconds < 0) return [problem([...path, "backoff_seconds"], "No time is before now: it is 0 or more.")]
  if (max_attempts === 1) return []
  if (mode === "inline") return [problem(at, "Only a queued action is tried again; say `mode: queue`.")]
  return isExecuted(action)
    ? []
    : [problem(at, `A ${action.class_name} cannot be tried again: it is done when it is decided.`)]
}

/** Only who asks for a shell gets one. */
const lintShell = (action: Action, path: Path): ReadonlyArray<RuleProblem> =>
  action.class_name === "RunCommandAction" && typeof action.command === "string" && !action.shell
    ? [
      problem(
        [...path, "command"],
        "A command is a list of arguments; for a text that a shell reads, say `shell: true`."
      )
    ]
    : []

const lintGroups = (rule: LogEvent, { groups }: Pattern, path: Path): ReadonlyArray<RuleProblem> => {
  const known = [...groups.filter((name) => !name.startsWith("$")), "match"]
  const named = [
    ...Object.entries(rule.extract_groups).map(([name, group]) => ["extract_groups", name, group] as const),
    ...Object.entries(rule.progress ?? {}).map(([count, group]) => ["progress", count, group] as const)
  ]
  return named.flatMap(([section, name, group]) => {
    if (group === undefined) return []
    const at = [...path, section, name]
    if (typeof group === "number") {
      return group >= 0 && group <= groups.length
        ? []
        : [problem(at, `The pattern has no group ${group}; it has ${groups.length}.`)]
    }
    if (known.includes(group)) return []
    return [problem(at, `The pattern has no group "${group}"; ${didYouMean(group, known)}`, nearest(group, known))]
  })
}

const lintPattern = (rule: LogEvent, path: Path): ReadonlyArray<RuleProblem> => {
  if (rule.progress !== null && rule.pattern_type !== "regex") {
    const message =
      `The log event "${rule.name}" looks for no groups, and so cannot tell of progress; it takes a regex.`
    return [problem([...path, "progress"], message)]
  }
  if (rule.pattern_type === "inactivity" || rule.pattern_type === "published") return []
  if (rule.pattern === "") return [problem([...path, "pattern"], `The log event "${rule.name}" needs a pattern.`)]
  if (rule.pattern_type === "substring") return []
  return Either.match(compilePattern(rule.pattern), {
    onLeft: ({ column, message }) => [
      problem([...path, "pattern"], `The pattern "${rule.pattern}" is wrong at column ${column}: ${message}`)
    ],
    onRight: (pattern) => lintGroups(rule, pattern, path)
  })
}

/** Without a state that ends something, nobody knows what a cancelled job is to end as. */
const lintCancel = ({ cancel, name, state }: LogEvent, path: Path): ReadonlyArray<RuleProblem> =>
  cancel && modeOf(state) === null
    ? [problem(
      [...path, "cancel"],
      `The log event "${name}" cancels its job; give it the state that the job ends as: SuccessState, CrashState, ` +
        "TimeoutState or StalledState."
    )]
    : []

const lintTermination = ({ log_events, termination_string: text }: Monitoring): ReadonlyArray<RuleProblem> => [
  ...(text !== null && /[\r\n]/.test(text)
    ? [problem(["termination_string"], "The termination_string holds a line break, which no line of a log does.")]
    : []),
  ...(text === null ? [] : log_events).flatMap(({ name }, index) =>
    name === terminationRule
      ? [
        problem(["log_events", index, "name"], `The name "${name}" is that of the termination_string; choose another.`)
      ]
      : []
  )
]

/** What events are published with, by their names; null: by a name that is not known yet. */
const published = ({ log_events, state_events }: Monitoring) =>
  [...log_events, ...state_events].flatMap(({ actions }) =>
    actions.flatMap((bound) => {
      const { action } = eventAction(bound)
      return action.class_name === "PublishEventAction"
        ? [{
          event: /[{}]/.test(action.event_name) ? null : action.event_name,
          keys: [...Object.keys(action.metadata), ...Object.keys(action.payload)]
        }]
        : []
    })
  )

const lintNames = (rules: ReadonlyArray<{ readonly name: string }>, section: string): ReadonlyArray<RuleProblem> =>
  rules.flatMap(({ name }, index) =>
    rules.findIndex((rule) => rule.name === name) === index
      ? []
      : [problem([section, index, "name"], `There are two ${section} named "${name}"; give each a name of its own.`)]
  )

/**
 * All mistakes of the rules: patterns that do not compile, groups that a pattern lacks, log events without effect, names
 * used twice, templates that cannot be read or that name something unknown. `names` are known besides the usual ones:
 * the sweep's parameters.
 */
export const lintRules = (monitoring: Monitoring, names: Iterable<string>): ReadonlyArray<RuleProblem> => {
  const parameters = [...names]
  const common = [...always, ...parameters]
  const own = new Set([...ofJob, ...parameters])
  const ownNames = (rule: LogEvent) => [
    ...Object.keys(rule.metadata),
    ...Object.keys(rule.extract_groups),
    ...countKeys(rule).map(([, name]) => name)
  ]
  // What log events found is evidence, which state events see too.
  const evidence = monitoring.log_events.flatMap(ownNames)
  const given = published(monitoring)
  const handed = (name: string) =>
    given.filter(({ event }) => event === null || event === name).flatMap(({ keys }) => keys)
  return [
    ...lintTermination(monitoring),
    ...lintNames(monitoring.log_events, "log_events"),
    ...lintNames(monitoring.state_events, "state_events"),
    ...monitoring.log_events.flatMap((rule, index) => {
      const path = ["log_events", index]
      const idle = rule.state === null && rule.actions.length === 0 && Object.keys(rule.metadata).length === 0 &&
        countKeys(rule).length === 0
      return [
        ...lintPattern(rule, path),
        ...(idle
          ? [
            problem(path, `The log event "${rule.name}" has no effect: give it a state, metadata, actions or progress.`)
          ]
          : []),
        ...lintCancel(rule, path),
        ...lintBindings(rule.actions, path, new Set([...common, ...ownNames(rule), ...handed(rule.name)]), own)
      ]
    }),
    ...monitoring.state_events.flatMap((rule, index) =>
      lintBindings(
        rule.actions,
        ["state_events", index],
        new Set([...common, ...Object.keys(rule.metadata), ...evidence, ...handed(rule.name)]),
        own
      )
    )
  ]
}
