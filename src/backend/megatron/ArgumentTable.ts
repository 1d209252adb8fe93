/** What a Megatron's argument parser takes: facts that come in as a value, shipped or read from an image. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

const optional = <A>(schema: Schema.Schema<A>) => Schema.optionalWith(Schema.NullOr(schema), { default: () => null })

/** One argument of the parser, in the words of Python's argparse. Several may share a `dest`. */
export const Argument = Schema.Struct({
  /** The name that configs use. */
  dest: Schema.NonEmptyString,
  /** The spellings, of which the first is written; of `boolean_optional` the second one is the negative. */
  flags: Schema.NonEmptyArray(Schema.NonEmptyString),
  action: Schema.optionalWith(Schema.Literal("store", "store_true", "store_false", "boolean_optional"), {
    default: () => "store"
  }),
  /** `int`, `float`, `str`, `bool`, or `other:` and the name of a function. */
  type: Schema.optionalWith(Schema.String, { default: () => "bool" }),
  nargs: optional(Schema.Union(Schema.Literal("+", "*", "?"), Schema.Int)),
  choices: optional(Schema.Array(Schema.NullOr(Schema.Union(Schema.String, Schema.Number)))),
  /** Null also where it has no JSON. */
  default: Schema.optionalWith(Schema.Unknown, { default: () => null }),
  /** The environment variable that gives the default. */
  default_from_env: optional(Schema.String),
  /** The Python package without which there is no such argument. */
  conditional: optional(Schema.String)
})
export type Argument = typeof Argument.Type

/** All arguments of one parser. */
export interface ArgumentTable {
  /** What configs and messages call it: `core_r0.13.0`, `main`, or what an image is called. */
  readonly name: string
  /** Whether it is Megatron core 0.13 or older, whose rules differ. */
  readonly isOld: boolean
  /** In the parser's order. */
  readonly arguments: ReadonlyArray<Argument>
  /** The same by `dest`. */
  readonly byDest: ReadonlyMap<string, ReadonlyArray<Argument>>
  /** The same by each of their flags. */
  readonly byFlag: ReadonlyMap<string, Argument>
}

/** The parsers against which a plan can be checked: the first stands for a config that names none. */
export type ArgumentTables = readonly [ArgumentTable, ...ReadonlyArray<ArgumentTable>]

const decodeArguments = Schema.decodeUnknownEither(Schema.parseJson(Schema.Array(Argument)))

/** The table of a parser with these arguments. `version`: its megatron-core version, such as `0.13.1`. */
export const tableOf = (name: string, version: string, all: ReadonlyArray<Argument>): ArgumentTable => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  const byDest = new Map<string, ReadonlyArray<Argument>>()
  for (const argument of all) byDest.set(argument.dest, [...byDest.get(argument.dest) ?? [], argument])
  return {
    name,
    isOld: major === 0 && minor <= 13,
    arguments: all,
    byDest,
    byFlag: new Map(all.flatMap((argument) => argument.flags.map((flag) => [flag, argument] as const)))
  }
}

/** The same of arguments that stand in `json` (a list of {@link Argument}). On the left a sentence. */
export const argumentTable = (name: string, version: string, json: string): Either.Either<ArgumentTable, string> =>
  Either.mapBoth(decodeArguments(json), {
    onLeft: ({ message }) => `the arguments of Megatron ${name} cannot be read: ${message}`,
    onRight: (all) => tableOf(name, version, all)
  })
