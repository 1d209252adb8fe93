/** Whether the image that a plan's jobs run in is there: found here, not by the first job after a night in the queue. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Manifest } from "./Manifest.ts"

const decodeImage = Schema.decodeUnknownOption(Schema.Struct({ container: Schema.Struct({ image: Schema.String }) }))
const decodeClient = Schema.decodeUnknownOption(Schema.Struct({ class_name: Schema.String }))

/** The image, as an absolute path, if it is not there; null also where only nodes can tell, or no job really runs. */
export const missingImage = ({ config, cwd, scheduler }: Manifest): string | null => {
  const client = Option.getOrNull(decodeClient(scheduler.client))?.class_name
  const image = Option.getOrNull(decodeImage(config))?.container.image ?? null
  if (image === null || image.includes("$") || client === "FakeClient" || cwd === null) return null
  const file = path.resolve(cwd, image)
  return fs.existsSync(file) ? null : file
}
