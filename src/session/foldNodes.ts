/** What records make of the nodes that jobs stay away from. */
import { expandHosts } from "../backend/slurm/hostList.ts"
import type { EventRecord } from "../event/EventRecord.ts"
import { changeJob } from "./change.ts"
import { updateLink } from "./foldLink.ts"
import { eventKey, type Session } from "./Session.ts"

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export const foldNodes = (
  session: Mutable<Session>,
  record: EventRecord<"NodesExcluded" | "NodesReleased" | "NodesUpdated" | "ProjectNodesRead">
): void => {
  switch (record.type) {
    case "NodesExcluded": {
      const { by, evicted, nodes, reason, scope, until } = record.data
      const ran = new Set(expandHosts(session.jobs.get(record.job ?? "")?.nodes ?? "") ?? [])
      for (const node of evicted) session.excluded.delete(node)
      for (const node of nodes) {
        // What was named last is the youngest: the oldest is let back first.
        session.excluded.delete(node)
        session.excluded.set(node, {
          node,
          since: record.at,
          until,
          reason,
          by,
          scope,
          job: record.job ?? null,
          seen: ran.has(node),
          seq: record.seq
        })
        if (by === "rule") session.named.set(node, record.at)
        else session.unknownNodes.delete(node)
      }
      if (by === "rule") session.massFailure = null
      const key = eventKey(record.job ?? "", record.attempt ?? 0, record.data.event ?? "")
      const raised = session.events.get(key)
      if (raised !== undefined) {
        session.events.set(key, {
          ...raised,
          status: "done",
          acted: { ...raised.acted, ExcludeNodesAction: record.at }
        })
      }
      break
    }
    case "NodesReleased": {
      const { mass, nodes, unknown, why } = record.data
      for (const node of nodes) {
        session.excluded.delete(node)
        if (unknown === true) session.unknownNodes.add(node)
      }
      if (mass === true) {
        session.massFailure = { since: record.at, why }
        session.named.clear()
      }
      break
    }
    case "NodesUpdated":
      updateLink(session, record)
      changeJob(session, record, ({ excluded, nonce }) => ({
        excluded: nonce === record.data.nonce ? record.data.nodes : excluded
      }))
      break
    case "ProjectNodesRead":
      session.projectNodes = record.data.nodes
      break
  }
}
