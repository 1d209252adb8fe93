/** `autoexp session …`: what was planned, submitted and watched. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import { isMap } from "../../backend/Value.ts"
import * as FileJournal from "../../journal/FileJournal.ts"
import { glance } from "../../monitor/held.ts"
import { makePatientPublisher } from "../../monitor/publish.ts"
import { tellLeftOut } from "../../monitor/sessions.ts"
import { readManifest } from "../../plan/Manifest.ts"
import { redactConfig } from "../../plan/redact.ts"
import { Journal, type SessionPlace } from "../../port/Journal.ts"
import { stateStyle } from "../../report/live.ts"
import { sessionView } from "../../session/view.ts"
import type { Handler } from "../Handler.ts"
import { findSession, forgetSession } from "../place.ts"
import { printJson, printLines, printTable } from "../print.ts"
import { SessionUnfinishedError } from "../SessionUnfinishedError.ts"

/** Writes the session's files anew, unless a monitor holds it and does so itself. */
const publish = (place: SessionPlace, { head, session }: Effect.Effect.Success<ReturnType<typeof glance>>) =>
  Effect.gen(function*() {
    const holder = yield* (yield* Journal).holder(place)
    if (holder === null || holder.alive === "dead") yield* makePatientPublisher(place)(session, head)
  })

export const show: Handler<"session show"> = (given) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.operand, given["state-dir"])
    const seen = yield* glance(place)
    yield* tellLeftOut(seen.leftOut)
    yield* publish(place, seen)
    const view = sessionView(seen.session)
    if (given.json) return yield* Effect.as(printJson(view), 0)
    yield* printLines([
      `${view.plan_id}  ${view.project}  ${view.status}  created ${view.created}`,
      ...view.attention === null ? [] : [
        `needs attention: restarts pause: ${view.attention.reason}`,
        `  once that is mended: autoexp job ack --session ${view.plan_id} --all`
      ],
      ...view.excluded_nodes.length === 0 ? [] : [
        `jobs stay away from ${view.excluded_nodes.map(({ node }) => node).join(", ")}: ` +
        `autoexp nodes list --session ${view.plan_id}`
      ],
      ""
    ])
    yield* printTable(
      [
        { title: "JOB", value: ({ name }) => name },
        {
          title: "STATE",
          value: ({ outcome, state }) => outcome ?? state,
          style: ({ outcome, state }) => stateStyle(outcome ?? state)
        },
        { title: "ATTEMPTS", value: ({ attempts }) => attempts, right: true },
        { title: "SLURM", value: ({ slurm_id }) => slurm_id },
        { title: "SLURM STATE", value: ({ slurm_state }) => slurm_state },
        { title: "LAST EVENT", value: ({ last_event }) => last_event },
        {
          title: "WHY",
          value: ({ attention, waits_for, why }) =>
            attention !== null
              ? `needs attention: ${attention.reason}`
              : waits_for === null
              ? why
              : `waits for ${waits_for}`
        }
      ],
      view.jobs,
      "no jobs"
    )
    if (view.events.length > 0) {
      yield* printLines([""])
      yield* printTable(
        [
          { title: "EVENT", value: ({ name }) => name },
          { title: "JOB", value: ({ job }) => job },
          { title: "ATTEMPT", value: ({ attempt }) => attempt, right: true },
          { title: "COUNT", value: ({ count }) => count, right: true },
          { title: "STATUS", value: ({ status }) => status },
          { title: "LAST SEEN", value: ({ last_seen }) => last_seen }
        ],
        view.events,
        "no events"
      )
    }
    const { rules } = view
    yield* printLines([
      ...(rules.changed === null ? [] : [`rules changed ${rules.changed.since}: ${rules.changed.changed.join(", ")}`]),
      ...(rules.unreadable === null
        ? []
        : [`rules were edited, but cannot be read, so the old ones stay: ${rules.unreadable.message}`]),
      ...(view.observed ? ["only observed: nothing is submitted, cancelled or run"] : []),
      ...view.jobs.flatMap(({ name, would }) =>
        would.map(({ at, what, why }) => `${name}: ${at} would ${what === "act" ? "run" : what}: ${why}`)
      )
    ])
    yield* printLines(
      view.rules_off.map(({ rule, why }) => `rule ${rule} is switched off, its pattern is too slow: ${why}`)
    )
    const { done, failed, queued, running, skipped } = view.queue
    const rest = skipped === 0 ? "" : `, ${skipped} skipped`
    yield* printLines(["", `queue: ${queued} queued, ${running} running, ${done} done, ${failed} failed${rest}`])
    return 0
  }).pipe(Effect.provide(FileJournal.layer))

/** A session whose jobs may still run is not forgotten by accident: planned again, they would be started beside them. */
const refuseUnfinished = (place: SessionPlace) =>
  Effect.gen(function*() {
    const { session } = yield* glance(place)
    const open = [...session.jobs.values()].filter(({ outcome, state }) => outcome === null && state !== "planned")
    if (open.length === 0) return
    const names = open.slice(0, 5).map(({ plan }) => plan.name).join(", ")
    return yield* new SessionUnfinishedError({
      message: `session ${place.planId} has jobs that may still run: ${names}${open.length > 5 ? ", …" : ""}; ` +
        "let them end, or remove it with --force"
    })
  })

export const remove: Handler<"session remove"> = (given) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.operand, given["state-dir"])
    if (!given.force) yield* refuseUnfinished(place)
    yield* (yield* Journal).remove(place, { force: given.force })
    yield* forgetSession(place)
    yield* given.json
      ? printJson({ plan_id: place.planId, removed: true })
      : printLines([`removed session ${place.planId}`])
    return 0
  }).pipe(Effect.provide(FileJournal.layer))

/** The rules in force without their secrets; they are JSON, as all that is in a journal. */
const recorded = (rules: unknown): unknown => isMap(rules) ? redactConfig(rules) : rules

export const dumpConfig: Handler<"session dump-config"> = (given) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.operand, given["state-dir"])
    const { session } = yield* glance(place)
    const { config } = yield* readManifest(session.manifest)
    yield* printJson(session.rulesChanged === null ? config : { ...config, monitoring: recorded(session.rules) })
    return 0
  }).pipe(Effect.provide([FileJournal.layer, NodeFileSystem.layer]))
