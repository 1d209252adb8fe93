/** Answers of a real SLURM 22.05.8, captured as the scheduler asks for them. */
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"

/** The captured output of that name. */
export const fixture = (name: string): string =>
  fs.readFileSync(fileURLToPath(new URL(`../fixtures/${name}.txt`, import.meta.url)), "utf8")
