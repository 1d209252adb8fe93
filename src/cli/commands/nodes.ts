/** `autoexp nodes …`: nodes that a session's jobs stay away from. */
import * as Effect from "effect/Effect"
import { expandHosts } from "../../backend/slurm/hostList.ts"
import type { Request } from "../../event/Request.ts"
import * as FileJournal from "../../journal/FileJournal.ts"
import { glance } from "../../monitor/held.ts"
import { ask } from "../../monitor/sessions.ts"
import { excludedView } from "../../session/nodes.ts"
import type { Handler } from "../Handler.ts"
import { findSession } from "../place.ts"
import { printJson, printLines, printTable } from "../print.ts"
import type { Given } from "../spec.ts"
import { usage } from "../UsageError.ts"

/** How long an operator's word counts if nothing is said of that. */
const usualHours = 168

export const list: Handler<"nodes list"> = (given) =>
  Effect.gen(function*() {
    const { session } = yield* glance(yield* findSession(given.session, given["state-dir"]))
    const nodes = excludedView(session)
    if (given.json) return yield* Effect.as(printJson(nodes), 0)
    yield* printTable(
      [
        { title: "NODE", value: ({ node }) => node },
        { title: "UNTIL", value: ({ until }) => until },
        { title: "FOR", value: ({ scope }) => `the ${scope}` },
        {
          title: "BY",
          value: ({ by, job, session }) => session !== null ? `session ${session}` : job === null ? by : `job ${job}`
        },
        { title: "WHY", value: ({ reason }) => reason }
      ],
      nodes,
      "no nodes"
    )
    if (session.massFailure !== null) yield* printLines([`${session.massFailure.since}: ${session.massFailure.why}`])
    return 0
  }).pipe(Effect.provide(FileJournal.layer))

/** Refused before anything is asked if a name is none. */
const checked = (texts: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const stray = texts.find((text) => expandHosts(text) === null)
    return stray === undefined
      ? expandHosts(texts.join(",")) ?? []
      : yield* usage(`"${stray}" names no nodes; write them as SLURM does: lrdn0337 or lrdn[0337,0417]`)
  })

const put = (
  given: Pick<Given<"nodes release">, "session" | "state-dir" | "json">,
  request: Extract<Request, { readonly kind: "nodes_exclude" | "nodes_release" }>,
  done: string
) =>
  Effect.gen(function*() {
    const answer = yield* ask(yield* findSession(given.session, given["state-dir"]), request)
    yield* given.json
      ? printJson({ nodes: request.nodes, ...answer })
      : printLines([answer.accepted ? done : `refused: ${answer.why}`])
    return answer.accepted ? 0 : 1
  })

export const exclude: Handler<"nodes exclude"> = (given) =>
  Effect.gen(function*() {
    if (given.node.length === 0) return yield* usage("name the nodes by --node")
    const nodes = yield* checked(given.node)
    const hours = given.hours ?? usualHours
    return yield* put(given, {
      kind: "nodes_exclude",
      nodes,
      seconds: hours * 3600,
      scope: given.project ? "project" : "session",
      reason: given.reason ?? ""
    }, `jobs stay away from ${nodes.join(", ")} for ${hours} hours`)
  }).pipe(Effect.provide(FileJournal.layer))

export const release: Handler<"nodes release"> = (given) =>
  Effect.gen(function*() {
    const nodes = yield* checked(given.node)
    const all = nodes.length === 0 ? "all nodes" : nodes.join(", ")
    return yield* put(
      given,
      { kind: "nodes_release", nodes, reason: given.reason ?? "" },
      `jobs may run on ${all} again`
    )
  }).pipe(Effect.provide(FileJournal.layer))
