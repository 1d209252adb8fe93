/** What the options of every composing command ask for. */
import type { ConfigRequest } from "../config/load.ts"
import type { Given } from "./spec.ts"

/** The config that the options of every composing command choose. */
export const requestOf = (
  given: Pick<Given<"config show">, "config-dir" | "config-ref" | "operands">
): ConfigRequest => ({
  configDir: given["config-dir"] ?? "config",
  configRef: given["config-ref"] ?? "autoexp",
  overrides: given.operands
})
