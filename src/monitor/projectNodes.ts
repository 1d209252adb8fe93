/**
 * Nodes that all sessions of a project stay away from: each session writes its own file of them, a projection of its
 * journal, and reads those of the others, beside it in the state directory. So nobody waits for a lock, and nobody's file
 * outlives what it says: each node has its time.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import { nodeName } from "../backend/slurm/hostList.ts"
import type { NewEvent } from "../event/EventRecord.ts"
import type { EventData } from "../event/events.ts"
import { nodesDir } from "../journal/places.ts"
import type { SessionPlace } from "../port/Journal.ts"
import type { Session } from "../session/Session.ts"

const NodesFile = Schema.parseJson(Schema.Struct({
  project: Schema.String,
  session: Schema.String,
  nodes: Schema.Array(Schema.Struct({ node: Schema.String, until: Schema.String, reason: Schema.String }))
}))

/** What stands in the session's own file; null: there is nothing to say. */
export const nodesText = ({ excluded, planId, project }: Session): string | null => {
  const nodes = [...excluded.values()].filter(({ scope }) => scope === "project").map(({ node, reason, until }) => ({
    node,
    until,
    reason
  }))
  return nodes.length === 0 ? null : `${JSON.stringify({ project, session: planId, nodes }, null, 2)}\n`
}

const decode = Schema.decodeUnknownOption(NodesFile)

/** What is in a file of the directory; nothing if it cannot be read, is half a file or another project's. */
const nodesIn = (file: string, project: string): EventData<"ProjectNodesRead">["nodes"] => {
  try {
    const said = Option.getOrNull(decode(fs.readFileSync(file, "utf8")))
    if (said === null || said.project !== project) return []
    return said.nodes.filter(({ node }) => nodeName(node) === node).map((one) => ({ ...one, session: said.session }))
  } catch {
    // Its session has just taken it away.
    return []
  }
}

/** What other sessions of the project stay away from at `at` (ISO 8601 UTC), if that is not what the session knows. */
export const projectNodesFacts = (
  { planId, stateDir }: SessionPlace,
  { project, projectNodes }: Session,
  at: string
): ReadonlyArray<NewEvent<"ProjectNodesRead">> => {
  const dir = nodesDir(stateDir)
  if (!fs.existsSync(dir) && projectNodes.length === 0) return []
  const files = fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => name.endsWith(".json")).sort() : []
  const nodes = files.filter((name) => name !== `${planId}.json`)
    .flatMap((name) => nodesIn(path.join(dir, name), project))
    .filter(({ until }) => until > at)
  return JSON.stringify(nodes) === JSON.stringify(projectNodes) ? [] : [{ type: "ProjectNodesRead", data: { nodes } }]
}
