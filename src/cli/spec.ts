/** The command line: one table, from which the argv normaliser, the parser, the help pages and the types derive. */
import * as Either from "effect/Either"
import { count, format, hours, index, indices, since } from "./values.ts"

interface Flag {
  readonly kind: "flag"
  readonly help: string
}
interface Valued<A> {
  readonly kind: "valued"
  /** Stands for the value in help pages. */
  readonly value: string
  readonly help: string
  readonly read: (text: string) => Either.Either<A, string>
}
interface Repeated {
  readonly kind: "repeated"
  readonly value: string
  readonly help: string
}

const flag = (help: string): Flag => ({ kind: "flag", help })
const typed = <A>(value: string, read: Valued<A>["read"], help: string): Valued<A> => ({
  kind: "valued",
  value,
  help,
  read
})
const text = (value: string, help: string): Valued<string> => typed(value, Either.right, help)
const texts = (value: string, help: string): Repeated => ({ kind: "repeated", value, help })

/** Every option there is, by its long name. A name means the same in all commands. */
export const options = {
  "config-ref": text("NAME", "the config to compose, by its name below the config directory (default: autoexp)"),
  "config-dir": text("DIR", "where configs are (default: config)"),
  manifest: text("FILE", "a plan that was written before"),
  "plan-id": text("ID", "name of the plan and its session"),
  "array-subset": typed("LIST", indices, "only the points of these indices, as 0,3-5"),
  "dry-run": flag("show what would be done; write and submit nothing"),
  check: flag("only check that the config loads and the plan can be made"),
  "no-submit": flag("write the plan; submit nothing"),
  "no-monitor": flag("submit and leave; `autoexp monitor` attaches later"),
  "monitor-only": flag("watch what was submitted; submit nothing"),
  resume: text("SESSION", "go on with a session; with overrides, add the points that it lacks"),
  from: text("FILE", "plan from the recorded config of a job (its _provenance)"),
  yes: flag("submit without asking, whatever the plan may cost"),
  "allow-unknown-args": flag("pass arguments on that Megatron does not know, instead of refusing them"),
  "no-actions": flag("leave queued actions to `autoexp actions`"),
  session: text("ID", "a session: its plan id, the beginning of it, `last`, or the path of its file"),
  all: flag("all there are: sessions, or experiments besides the default config"),
  "include-completed": flag("finished sessions as well"),
  once: flag("one cycle, then end"),
  "observe-only": flag("decide and record everything; submit, cancel and run nothing"),
  set: texts("KEY=VALUE", "change a value of the session's `monitoring` section, for this and all later monitors"),
  takeover: flag("take the session from a monitor that is still alive"),
  force: flag("even if it is being watched, or there already"),
  event: texts("NAME", "only entries of this event (name or id)"),
  id: text("ID", "only the queue entry of this id"),
  drain: flag("until the queue is empty"),
  job: texts(
    "SELECTOR",
    "jobs: a name, `last`, indices as 0,3-5, state:failed, outcome:…, stage:decay*, name:glob, or `all`"
  ),
  columns: text("LIST", "only these columns, as name,state,step"),
  filter: texts("FILTER", "only rows of which that is so: column=text, column!=text, column<number"),
  node: texts("NODES", "nodes, as SLURM writes them: lrdn0337 or lrdn[0337,0417]"),
  hours: typed("N", hours, "for how long (default: 168, a week)"),
  project: flag("also for other sessions of the project whose state is kept in the same place"),
  reason: text("TEXT", "why, for the journal"),
  type: texts("TYPE", "only records of this type"),
  to: typed("SEQ|TIME", since, "up to this record or time, and show the state then"),
  step: flag("walk through it, fact by fact"),
  monitoring: text("REF", "rules: an option of the group `monitoring`, a config, or a YAML file"),
  log: texts("FILE", "a log to look through"),
  explain: typed("LINE", count, "why each rule does or does not match that line, counted from 1"),
  expect: texts("RULE", "fail unless this rule matches somewhere"),
  since: typed("SEQ|TIME", since, "from this record or time on"),
  lines: typed("N", count, "so many lines of the log's end (default: 40)"),
  attempt: typed("N", count, "the log of that attempt, counted from 1 (default: the latest)"),
  follow: flag("go on as new ones arrive"),
  sweep: text("FILE", "the sweep file (`sweep.json`) of a plan"),
  index: typed("N", index, "index of the sweep point"),
  dot: flag("as a graph for Graphviz"),
  "max-per-stage": typed("N", count, "at most so many jobs of each stage"),
  unresolved: flag("leave ${…} as it is written"),
  yaml: flag("as YAML"),
  origin: flag("where each value was set last: file, line and column, or override"),
  backend: text("NAME", "the folder below container/ (default: megatron)"),
  definition: text("NAME|FILE", "the definition: container/BACKEND/NAME.def.in, or a file (default: MegatronTraining)"),
  requirements: text("FILE", "what pip installs (default: container/BACKEND/requirements_latest.txt)"),
  output: text("PLACE", "where to write: a directory for images, else a file"),
  "base-image": text("IMAGE", "what the definition begins from: an image file, or a name that its Bootstrap takes"),
  "container-cmd": text("PROGRAM", "apptainer or singularity (default: container.runtime of the config)"),
  "append-date": flag("end the image's name with the time (UTC)"),
  user: flag("without fakeroot: unpack the base image, run %post inside, pack it again"),
  "keep-sandbox": flag("leave the unpacked image of --user where it is"),
  container: flag("check the plan against the Megatron inside the image, read now if it is not remembered"),
  image: text("FILE", "the image (default: container.image of the config)"),
  python: text("PROGRAM", "the image's Python (default: python)"),
  function: texts("MODULE:NAME", "what adds arguments to a parser (default: Megatron's own)"),
  verify: flag("check that every journal is as it was written, record by record"),
  format: typed("FORMAT", format, "table, csv, md or json"),
  smoke: flag("submit small jobs, interrupt the monitor, resume, and compare"),
  "state-dir": text("DIR", "where sessions are kept"),
  json: flag("print JSON"),
  debug: flag("more detail on errors"),
  help: flag("show this page")
} as const

export type OptionName = keyof typeof options

/** One-letter names. */
export const shortNames: Readonly<Record<string, OptionName>> = { C: "config-dir", h: "help" }

/** Options that every command takes. */
export const common = ["state-dir", "json", "debug", "help"] as const satisfies ReadonlyArray<OptionName>

interface CommandSpec<Taken extends OptionName, Needed extends OptionName> {
  readonly help: string
  readonly options: ReadonlyArray<Taken>
  readonly required: ReadonlyArray<Needed>
  /**
   * What stands beside options: nothing, Hydra-style overrides, configs and overrides, exactly one name, or overrides and,
   * behind `--`, a command.
   */
  readonly operands: "none" | "overrides" | "configs" | "ID" | "command" | "jobs" | "SHELL"
}

const command = <Taken extends OptionName = never, Needed extends OptionName = never>(spec: {
  readonly help: string
  readonly options?: ReadonlyArray<Taken>
  readonly required?: ReadonlyArray<Needed>
  readonly operands?: "overrides" | "configs" | "ID" | "command" | "jobs" | "SHELL"
}): CommandSpec<Taken, Needed> => ({ options: [], required: [], operands: "none", ...spec })

const composing = ["config-ref", "config-dir"] as const
const planning = [
  ...composing,
  "manifest",
  "plan-id",
  "array-subset",
  "dry-run",
  "check",
  "no-submit",
  "no-monitor",
  "monitor-only",
  "resume",
  "from",
  "container",
  "image",
  "yes",
  "allow-unknown-args",
  "no-actions"
] as const
const queued = ["event", "id"] as const
const asking = ["job", "reason"] as const

/** Every command, by its words. */
export const commands = {
  run: command({ help: "plan, submit and monitor in one go", options: planning, operands: "overrides" }),
  plan: command({ help: "write scripts and manifest", options: planning, operands: "overrides" }),
  submit: command({
    help: "submit what the manifest's session has not submitted yet",
    options: ["dry-run", "no-monitor", "no-actions", "yes"],
    required: ["manifest"]
  }),
  monitor: command({
    help: "attach and watch; Ctrl-C detaches and never cancels",
    options: [
      "session",
      "manifest",
      "all",
      "include-completed",
      "once",
      "observe-only",
      "set",
      "takeover",
      "no-actions"
    ]
  }),
  "session list": command({ help: "the sessions there are" }),
  "session show": command({ help: "one session: jobs, events, queue", operands: "ID" }),
  "session remove": command({ help: "remove a session's files", options: ["force"], operands: "ID" }),
  "session dump-config": command({
    help: "the config a session was planned from, with the rules in force",
    operands: "ID"
  }),
  "queue list": command({ help: "queued actions", options: queued, required: ["session"] }),
  "queue show": command({
    help: "queued actions with all that is known of them",
    options: queued,
    required: ["session"]
  }),
  "queue retry": command({ help: "queue failed actions again", options: queued, required: ["session"] }),
  "queue remove": command({ help: "drop queued actions", options: queued, required: ["session"] }),
  status: command({
    help: "a row for each job: state, cause, progress, rate, GPU-hours, estimated end",
    options: ["session", "all", "format", "columns", "filter"],
    operands: "jobs"
  }),
  "job restart": command({
    help: "start a job once more; its budgets begin anew",
    options: asking,
    required: ["session"]
  }),
  "job retry": command({
    help: "start jobs once more that ended without success; as `job restart`, but nothing else is touched",
    options: asking,
    required: ["session"]
  }),
  "job cancel": command({ help: "end a job; nothing starts it again", options: asking, required: ["session"] }),
  "job ack": command({
    help: "a job (or all, and paused restarts) needs no attention any more; what restarts changed is undone",
    options: [...asking, "all"],
    required: ["session"]
  }),
  "job hold": command({ help: "submit a job no more until it is released", options: asking, required: ["session"] }),
  "job release": command({ help: "let a job that was held be submitted", options: asking, required: ["session"] }),
  "nodes list": command({ help: "nodes that jobs stay away from: why, and until when", required: ["session"] }),
  "nodes exclude": command({
    help: "keep all jobs away from nodes: those to be submitted, and those that wait in the queue",
    options: ["node", "hours", "project", "reason"],
    required: ["session"]
  }),
  "nodes release": command({
    help: "let jobs run there again; on all nodes if none is named",
    options: ["node", "reason"],
    required: ["session"]
  }),
  "job logs": command({
    help: "the end of a job's log, or what is added to it",
    options: ["job", "follow", "lines", "attempt"],
    required: ["session"]
  }),
  "job why": command({
    help: "why a job is where it is, in sentences: the same as `explain`",
    options: ["job"],
    required: ["session"]
  }),
  explain: command({
    help: "why a job is where it is: rules, conditions one by one, budgets, each with its evidence",
    options: ["job"],
    required: ["session"]
  }),
  replay: command({
    help:
      "decide again on what was recorded: the same, or where not; with --monitoring, what other rules would have done",
    options: ["to", "step", "monitoring", ...composing],
    required: ["session"],
    operands: "overrides"
  }),
  backtest: command({
    help: "where rules match in any log, and why not; no session needed",
    options: ["log", "explain", "expect", ...composing],
    required: ["monitoring"],
    operands: "overrides"
  }),
  actions: command({
    help: "the worker that executes queued actions",
    options: ["once", "drain", "follow"],
    required: ["session"]
  }),
  audit: command({
    help: "every action taken or skipped: by whom, why, and what came of it",
    options: ["session", "all", "verify", "format"]
  }),
  events: command({
    help: "the journal, for people",
    options: ["job", "type", "since", "follow"],
    required: ["session"]
  }),
  "journal verify": command({
    help: "check the files of a session's history, and name each fault",
    required: ["session"]
  }),
  "journal repair": command({
    help: "cut a damaged history at its first fault; what is cut off is kept aside",
    required: ["session"]
  }),
  "journal export": command({
    help: "the whole history as one stream of JSON lines",
    required: ["session"]
  }),
  "journal compact": command({ help: "merge and compress old files of a history", required: ["session"] }),
  "sweep show": command({
    help: "the points of the sweep, their stages, and what they would cost",
    options: [...composing, "dot", "max-per-stage"],
    operands: "overrides"
  }),
  "sweep-entry": command({
    help: "run one point of a sweep here, without a scheduler",
    options: ["dry-run"],
    required: ["sweep", "index"]
  }),
  "config show": command({
    help: "the composed config",
    options: [...composing, "unresolved", "yaml", "origin"],
    operands: "overrides"
  }),
  "config validate": command({
    help: "all mistakes of configs, and of the plans they lead to",
    options: [...composing, "all", "allow-unknown-args"],
    operands: "configs"
  }),
  "config diff": command({
    help: "what two configs, manifests or recorded configs differ in: A [overrides…] B [overrides…]",
    options: ["config-dir"],
    operands: "configs"
  }),
  "config schema": command({ help: "the JSON Schema of all configs, for editors" }),
  "container build": command({
    help: "build an image from a definition",
    options: [
      ...composing,
      "backend",
      "definition",
      "requirements",
      "output",
      "base-image",
      "container-cmd",
      "append-date",
      "force",
      "user",
      "keep-sandbox"
    ],
    operands: "overrides"
  }),
  "container probe": command({
    help: "what the Megatron inside an image takes as arguments",
    options: [...composing, "image", "container-cmd", "python", "function", "output"],
    operands: "overrides"
  }),
  "container run": command({
    help: "run a command inside the image",
    options: [...composing, "image", "container-cmd"],
    operands: "command"
  }),
  doctor: command({
    help: "what of this machine autoexp can use, and what is missing",
    options: ["smoke", ...composing],
    operands: "overrides"
  }),
  completion: command({
    help: "what bash, zsh or fish evaluates to complete commands, options, sessions, jobs and config groups",
    operands: "SHELL"
  }),
  complete: command({ help: "what may follow these words: what a shell asks at each Tab", operands: "command" })
} as const

export type CommandName = keyof typeof commands

/** What groups of commands are about. */
export const groups: Readonly<Record<string, string>> = {
  session: "what was planned, submitted and watched",
  queue: "the action queue of a session",
  job: "what an operator decides of a job, and its log",
  nodes: "nodes that a session's jobs stay away from",
  journal: "the files that a session's history stands in",
  sweep: "the points that a config spans",
  config: "the composed config",
  container: "images: building them, asking them, running commands in them"
}

type ValueOf<Name extends OptionName> = (typeof options)[Name] extends Flag ? boolean
  : (typeof options)[Name] extends Repeated ? ReadonlyArray<string>
  : (typeof options)[Name] extends Valued<infer A> ? A
  : never
type Optional<Name extends OptionName> = (typeof options)[Name] extends Valued<unknown> ? null : never

/** What a command was given: options by their names (null or empty if absent), operands, and the first of these. */
export type Given<Name extends CommandName> = (typeof commands)[Name] extends CommandSpec<infer Taken, infer Needed> ?
    & { readonly [O in Taken | (typeof common)[number]]: ValueOf<O> | Optional<O> }
    & { readonly [O in Needed]: ValueOf<O> }
    & {
      readonly operands: ReadonlyArray<string>
      readonly operand: string
      /** What stood behind `--`, where a command takes one. */
      readonly command: ReadonlyArray<string>
    }
  : never

/** All options a command takes, the common ones last. */
export const optionsOf = (name: CommandName): ReadonlyArray<OptionName> => {
  const { options: taken, required }: CommandSpec<OptionName, OptionName> = commands[name]
  return [...required, ...taken, ...common]
}

export const commandSpec = (name: CommandName): CommandSpec<OptionName, OptionName> => commands[name]
export const commandNames: ReadonlyArray<CommandName> = Object.keys(commands).filter(isCommandName)

/** Whether these words name a command. */
export function isCommandName(words: string): words is CommandName {
  return Object.hasOwn(commands, words)
}
/** Whether a command takes an option of this name. */
export const isOptionName = (name: string): name is OptionName => Object.hasOwn(options, name)
