/** Values into a Schema; what does not fit becomes sentences with the path to the value. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { didYouMean, nearest } from "../backend/nearest.ts"
import { pyRepr } from "../backend/python.ts"
import { isList, isMap, type Value } from "../backend/Value.ts"

export type Path = ReadonlyArray<string | number>

/** A value that does not fit. */
export interface Misfit {
  readonly path: Path
  readonly kind: "unknown_key" | "missing_key" | "unknown_class" | "wrong_type"
  /** A sentence. */
  readonly message: string
  readonly suggestions: ReadonlyArray<string>
}

/** `monitoring.log_events[0].name`. */
export const pathText = (path: Path): string =>
  path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("")

const inner = (ast: AST.AST): AST.AST => {
  if (AST.isTransformation(ast)) return inner(ast.from)
  if (AST.isSuspend(ast)) return inner(ast.f())
  return AST.isRefinement(ast) ? inner(ast.from) : ast
}

const keysOf = (ast: AST.AST): ReadonlyArray<string> => {
  const plain = inner(ast)
  if (AST.isTypeLiteral(plain)) return plain.propertySignatures.map(({ name }) => String(name))
  return AST.isUnion(plain) ? [...new Set(plain.types.flatMap(keysOf))] : []
}

const literalsOf = (ast: AST.AST): ReadonlyArray<string> => {
  const plain = inner(ast)
  if (AST.isLiteral(plain)) return typeof plain.literal === "string" ? [plain.literal] : []
  return AST.isUnion(plain) ? plain.types.flatMap(literalsOf) : []
}

const named: Record<string, string> = {
  int: "a whole number",
  number: "a number",
  text: "a text",
  string: "a text",
  NonEmptyString: "a text that is not empty",
  boolean: "true or false",
  Value: "a value",
  float: "a number",
  mapping: "a mapping",
  null: "null"
}

/** What the schema wants, in words. */
const wanted = (ast: AST.AST): string => {
  const identifier = AST.getIdentifierAnnotation(ast)
  if (identifier._tag === "Some" && identifier.value in named) return named[identifier.value] ?? ""
  const literals = literalsOf(ast)
  const plain = inner(ast)
  if (literals.length > 0 && AST.isUnion(plain) && literals.length === plain.types.length) {
    return `one of ${literals.join(", ")}`
  }
  if (AST.isLiteral(plain)) return plain.literal === null ? "null" : JSON.stringify(plain.literal)
  if (AST.isTypeLiteral(plain)) return "a mapping"
  if (AST.isTupleType(plain)) return plain.elements.length > 0 ? "a list that is not empty" : "a list"
  if (AST.isUnion(plain)) {
    return [...new Set(plain.types.filter((type) => !AST.isUndefinedKeyword(type)).map(wanted))].join(" or ")
  }
  return named[String(plain)] ?? String(plain)
}

const given = (value: unknown): string => {
  const shown = pyRepr(value as Value)
  if (value === undefined) return "nothing"
  if (isMap(value)) return "a mapping"
  if (isList(value as Value)) return "a list"
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown
}

const where = (path: Path): string => (path.length === 0 ? "the configuration" : pathText(path))

const unknownKey = (path: Path, parent: AST.AST): Misfit => {
  const key = String(path.at(-1))
  const known = keysOf(parent)
  return {
    path,
    kind: "unknown_key",
    message: `Unknown key "${key}" in ${where(path.slice(0, -1))}; ${didYouMean(key, known)}`,
    suggestions: nearest(key, known)
  }
}

const wrongWord = (path: Path, words: ReadonlyArray<string>, actual: string): Misfit => ({
  path,
  kind: path.at(-1) === "class_name" ? "unknown_class" : "wrong_type",
  message: `${pathText(path)} cannot be "${actual}"; ${didYouMean(actual, words)}`,
  suggestions: nearest(actual, words)
})

const wrongType = (path: Path, ast: AST.AST, actual: unknown, message?: string): Misfit => {
  const literals = literalsOf(ast)
  if (literals.length > 0 && typeof actual === "string") return wrongWord(path, literals, actual)
  const why = message === undefined ? "" : ` (${message})`
  return {
    path,
    kind: "wrong_type",
    message: `${where(path)} must be ${wanted(ast)}, not ${given(actual)}${why}.`,
    suggestions: []
  }
}

const isArray = <A>(value: A | ReadonlyArray<A>): value is ReadonlyArray<A> => Array.isArray(value)

const misfits = (issue: ParseResult.ParseIssue, path: Path, parent: AST.AST): ReadonlyArray<Misfit> => {
  switch (issue._tag) {
    case "Pointer": {
      const more = isArray<PropertyKey>(issue.path) ? issue.path : [issue.path]
      return misfits(
        issue.issue,
        [...path, ...more.map((part) => (typeof part === "number" ? part : String(part)))],
        parent
      )
    }
    case "Unexpected":
      return [unknownKey(path, parent)]
    case "Missing":
      return [{
        path,
        kind: "missing_key",
        message: `"${String(path.at(-1))}" is missing in ${where(path.slice(0, -1))}.`,
        suggestions: []
      }]
    case "Composite": {
      const issues: ReadonlyArray<ParseResult.ParseIssue> = isArray(issue.issues) ? issue.issues : [issue.issues]
      if (!AST.isUnion(issue.ast)) return issues.flatMap((one) => misfits(one, path, issue.ast))
      return unionMisfits(issues, path, issue.ast, issue.actual)
    }
    case "Transformation":
    case "Refinement":
      return issue.issue._tag === "Type" && issue.kind !== "Encoded" && issue.kind !== "From"
        ? [wrongType(path, issue.ast, issue.actual, issue.issue.message)]
        : misfits(issue.issue, path, AST.isTransformation(issue.ast) ? issue.ast.from : issue.ast)
    case "Type":
    case "Forbidden":
      return [wrongType(path, issue.ast, issue.actual, issue._tag === "Type" ? issue.message : undefined)]
  }
}

const options = { errors: "all", onExcessProperty: "error" } as const

/** The words that a union's member takes as `class_name`. */
const classesOf = (ast: AST.AST): ReadonlyArray<string> => {
  const plain = inner(ast)
  if (AST.isUnion(plain)) return plain.types.flatMap(classesOf)
  if (!AST.isTypeLiteral(plain)) return []
  return plain.propertySignatures.filter(({ name }) => name === "class_name").flatMap(({ type }) => literalsOf(type))
}

/** Of a union's members the one of the value's class is meant, else the one that came furthest. */
const unionMisfits = (
  issues: ReadonlyArray<ParseResult.ParseIssue>,
  path: Path,
  ast: AST.Union,
  actual: unknown
): ReadonlyArray<Misfit> => {
  const className = isMap(actual) ? actual["class_name"] : undefined
  const classes = classesOf(ast)
  if (typeof className === "string" && classes.length > 0) {
    const meant = ast.types.find((member) => classesOf(member).includes(className))
    if (meant === undefined) return [wrongWord([...path, "class_name"], classes, className)]
    const decoded = ParseResult.decodeUnknownEither(Schema.make(meant), options)(actual)
    return Either.isLeft(decoded) ? misfits(decoded.left, path, meant) : []
  }
  const members = issues.map((issue) => misfits(issue, path, ast))
  const deep = members.filter((member) => member.some((misfit) => misfit.path.length > path.length))
  return deep[0] ?? [wrongType(path, ast, actual)]
}

/** `value` as the schema has it, keys it does not know refused; on the left every misfit. */
export const decode = <A, I>(
  schema: Schema.Schema<A, I>,
  value: Value
): Either.Either<A, ReadonlyArray<Misfit>> =>
  Either.mapLeft(
    ParseResult.decodeUnknownEither(schema, options)(value),
    (issue) => misfits(issue, [], schema.ast)
  )
