/** Settled words -> typed options, by `@effect/cli`. */
import * as Args from "@effect/cli/Args"
import * as CliConfig from "@effect/cli/CliConfig"
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Terminal from "@effect/platform/Terminal"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Record from "effect/Record"
import { stripVTControlCharacters } from "node:util"
import { mark, type Normalised } from "./normalise.ts"
import { type CommandName, commandSpec, type Given, type OptionName, options, optionsOf } from "./spec.ts"
import { usage, type UsageError } from "./UsageError.ts"

const unmark = (value: string): string => value.slice(mark.length)

const optionFor = (name: OptionName, required: boolean): Options.Options<unknown> => {
  const spec = options[name]
  if (spec.kind === "flag") return Options.boolean(name)
  if (spec.kind === "repeated") return Options.map(Options.repeated(Options.text(name)), (values) => values.map(unmark))
  const one = Options.mapEffect(
    Options.text(name),
    (text) =>
      Effect.mapError<unknown, string, never, ValidationError.ValidationError>(
        spec.read(unmark(text)),
        (message) => ValidationError.invalidValue(HelpDoc.p(`--${name}: ${message}`))
      )
  )
  return required ? one : Options.withDefault(one, null)
}

const descriptor = (name: CommandName) => {
  const { required } = commandSpec(name)
  const taken = Record.fromIterableWith(
    optionsOf(name),
    (option) => [option, optionFor(option, required.includes(option))]
  )
  return CommandDescriptor.make(name, Options.all(taken), Args.repeated(Args.text({ name: "operand" })))
}

const plain = (error: ValidationError.ValidationError): UsageError =>
  usage(stripVTControlCharacters(HelpDoc.toAnsiText(error.error)).replace(/\s+/g, " ").trim())

// It asks for these only for prompts and for options that name files, of which there are none.
const unused = Layer.mergeAll(
  FileSystem.layerNoop({}),
  Path.layer,
  Layer.succeed(
    Terminal.Terminal,
    Terminal.Terminal.of({
      columns: Effect.succeed(80),
      rows: Effect.succeed(24),
      isTTY: Effect.succeed(false),
      readInput: Effect.dieMessage("no prompts"),
      readLine: Effect.dieMessage("no prompts"),
      display: () => Effect.void
    })
  )
)

/** What the command was given, typed as its table entry says. */
export const parse = (
  { argv, command, name, operands }: Extract<Normalised, { readonly kind: "command" }>
): Effect.Effect<Given<CommandName>, UsageError> =>
  CommandDescriptor.parse(
    descriptor(name),
    [name, ...argv],
    CliConfig.make({ isCaseSensitive: true, autoCorrectLimit: 0 })
  ).pipe(
    Effect.mapError(plain),
    Effect.flatMap((directive) =>
      directive._tag === "UserDefined" && directive.leftover.length === 0
        ? Effect.succeed(directive.value.options)
        : Effect.dieMessage(`${[name, ...argv].join(" ")} was understood as something else`)
    ),
    Effect.map((given) => ({ ...given, operands, operand: operands[0] ?? "", command }) as Given<CommandName>),
    Effect.provide(unused)
  )
