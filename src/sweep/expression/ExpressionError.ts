/** What is wrong with an expression, and where. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

/** An expression that cannot be read or has no value. `column` counts characters from 1; `message` is a sentence. */
export class ExpressionError extends Schema.TaggedError<ExpressionError>()("ExpressionError", {
  column: Schema.Int,
  message: Schema.String
}) {}

/** The error at an offset of the text; `what` is a sentence without its full stop. */
export const failAt = (offset: number, what: string): Either.Either<never, ExpressionError> =>
  Either.left(new ExpressionError({ column: offset + 1, message: `${what}${/[.?]$/.test(what) ? "" : "."}` }))
