/** Rules of jobs whose `monitoring` section is not the plan's. */
import * as Schema from "effect/Schema"
import { Monitoring } from "../rule/Monitoring.ts"

type Encoded = typeof Monitoring.Encoded

const encode = Schema.encodeSync(Monitoring)

/** Each different section once, and for each of `sections` its position there; null where it is `shared`. */
export const ruleSets = (
  shared: Monitoring,
  sections: ReadonlyArray<Monitoring>
): { readonly sets: ReadonlyArray<Encoded>; readonly positions: ReadonlyArray<number | null> } => {
  // The job knows its log and its files by their paths, which would make each section one of its own.
  const rules = (section: Monitoring) =>
    encode({ ...section, log_path_template: shared.log_path_template, output_paths: shared.output_paths })
  const sets: Array<Encoded> = []
  const byText = new Map<string, number | null>([[JSON.stringify(rules(shared)), null]])
  const bySection = new Map<Monitoring, number | null>([[shared, null]])
  const position = (section: Monitoring): number | null => {
    const known = bySection.get(section)
    if (known !== undefined) return known
    const encoded = rules(section)
    const text = JSON.stringify(encoded)
    const place = byText.get(text)
    const found = place === undefined ? sets.push(encoded) - 1 : place
    byText.set(text, found)
    bySection.set(section, found)
    return found
  }
  return { positions: sections.map(position), sets }
}
