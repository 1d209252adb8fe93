import * as Schema from "effect/Schema"

/** A definition, image or place that cannot be used as it was asked for; nothing was built. Lines are 1-based. */
export class ImageError extends Schema.TaggedError<ImageError>()("ImageError", {
  message: Schema.String,
  file: Schema.NullOr(Schema.String),
  line: Schema.NullOr(Schema.Int),
  suggestions: Schema.Array(Schema.String)
}) {
  static of(
    message: string,
    { file = null, line = null, suggestions = [] }: {
      readonly file?: string | null
      readonly line?: number | null
      readonly suggestions?: ReadonlyArray<string>
    } = {}
  ): ImageError {
    return new ImageError({ message, file, line, suggestions })
  }
}
