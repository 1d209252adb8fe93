/** What must hold of a whole session, whatever has happened: by the cluster's own books, and in its journal. */
import * as Either from "effect/Either"
import { expect } from "vitest"
import { replay } from "../../../src/replay/replay.ts"
import { readings } from "../judge.ts"
import type { JobModel, Line } from "./JobModel.ts"
import type { Stage } from "./stage.ts"

/** A line that a job printed. */
export interface Printed {
  readonly job: string
  readonly line: Line
}

const shortName = (name: string): string => name.split(".").slice(0, 2).join(".")

const twiceIn = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name, at) => names.indexOf(name) !== at)

export const judge = async (stage: Stage, { models, printed, refused }: {
  readonly models: ReadonlyMap<string, JobModel>
  readonly printed: ReadonlyArray<Printed>
  readonly refused: ReadonlyArray<string>
}): Promise<void> => {
  const ledger = await stage.ledger()
  const submitted = ledger.filter(({ what }) => what === "submit").map(({ name }) => shortName(name))
  expect(twiceIn(submitted)).toEqual([])
  const cancelled = ledger.filter(({ what }) => what === "cancel").map(({ name }) => shortName(name))
  const mayBe = [...models].flatMap(([job, { cancels }]) => [...cancels].map((attempt) => `${job}.${attempt}`))
  expect(cancelled.filter((name) => !mayBe.includes(name))).toEqual([])

  const { checked, records, session } = await stage.journal()
  expect(checked).toMatchObject({ ok: true, records: records.length })
  expect(Either.getOrThrow(replay(records))).toMatchObject({ identical: true, divergence: null })

  readings({ records })
  for (const name of ["error", "hang", "saved"]) {
    const raised = records.flatMap((record) =>
      record.type === "EventRaised" && record.data.name === name ? [record.job ?? ""] : []
    )
    const said = printed.filter(({ line }) => line.says === name).map(({ job }) => job)
    expect([name, raised.sort()]).toEqual([name, said.sort()])
  }

  const paths = printed.flatMap(({ line }) => line.says === "saved" ? [line.path] : [])
  const run = stage.logs.commands.map((argv) => argv.join(" "))
  expect(twiceIn(run)).toEqual([])
  const entries = [...session.queue.values()]
  expect(entries.map(({ action }) => action.command)).toEqual(paths.map(() => expect.any(Array)))
  const done = entries.filter(({ status }) => status === "done").flatMap(({ action: { command } }) =>
    Array.isArray(command) ? [command.join(" ")] : []
  )
  expect(done.filter((command) => !run.includes(command))).toEqual([])
  expect(entries.filter(({ status }) => status !== "done" && status !== "failed")).toEqual([])

  const refusals = records.flatMap((record) => record.type === "RequestRefused" ? [record.data.request_id] : [])
  expect(refusals.filter((id) => !id.startsWith("claim") && !id.startsWith("result"))).toEqual(refused)

  const decided = records.flatMap((record) =>
    record.type === "RestartDecided" ? [`${record.job ?? ""} at ${record.at}`] : []
  )
  expect(twiceIn(decided)).toEqual([])
}
