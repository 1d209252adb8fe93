/** Texts of rules with `{name}` templates in them, rendered once. */
import * as Either from "effect/Either"
import type { ValueMap } from "../backend/Value.ts"
import { formatTemplate, type TemplateError } from "../sweep/format.ts"

/** `template` by Python's `str.format` over the metadata; an unknown name is an error. */
export const render = (template: string, metadata: ValueMap): Either.Either<string, TemplateError> =>
  formatTemplate(template, metadata)

/** All of `templates`, or the first error. */
export const renderAll = (
  templates: ReadonlyArray<string>,
  metadata: ValueMap
): Either.Either<ReadonlyArray<string>, TemplateError> =>
  Either.all(templates.map((template) => render(template, metadata)))
