/** Starts the cluster that all files share. Nothing stops it: it ends with the namespace that `run` made. */
import { start } from "./support/cluster.ts"

export const setup = (): Promise<void> => start()
