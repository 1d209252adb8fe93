/** Submissions of which only the beginning of their nonces is known, as after a repair of the journal. */
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { clear, without } from "./support/cluster.ts"
import { until } from "./support/commands.ts"
import { makeJobs } from "./support/jobs.ts"

let jobs = makeJobs()
beforeEach(async () => {
  jobs = makeJobs()
  await jobs.lookup("nobody")
})
afterEach(async () => {
  await clear()
  await jobs.remove()
})

/** The beginning that the nonces of no other test have. */
const since = new Date(Date.now() - 3_600_000).toISOString()
const entropyOf = (name: string): string => name.slice(name.lastIndexOf(".") + 1)
const askSearch = (...entropies: ReadonlyArray<string>) => jobs.ask((scheduler) => scheduler.search(entropies, since))
const search = (...entropies: ReadonlyArray<string>) => jobs.answer((scheduler) => scheduler.search(entropies, since))

describe("a search", () => {
  it("finds what waits, runs and has ended, each task of an array, and nothing of others", async () => {
    const live = await jobs.submit("sleep 300")
    const ended = await jobs.submit("true")
    const tasks = await jobs.submitArray("sleep 300", [1, 3])
    const other = await jobs.submit("sleep 300")
    const wanted = [live, ended, ...tasks].map(({ name }) => entropyOf(name))
    const known = await until("the end of the short job", async () => {
      const found = await search(...wanted)
      return found.some(({ name, state }) => name === ended.name && state === "COMPLETED") ? found : null
    })
    expect(new Set(known.map(({ name }) => name))).toEqual(new Set([live, ended, ...tasks].map(({ name }) => name)))
    expect(known.some(({ name }) => name === other.name)).toBe(false)
    expect(await search("nobodysnonce")).toEqual([])
  })

  it.each([["slurmctld", "stop"], ["slurmctld", "hang"], ["slurmdbd", "stop"]] as const)(
    "is not answered while %s cannot be asked (%s): nothing found is never told of what was not looked at",
    async (daemon, how) => {
      const { name } = await jobs.submit("sleep 300")
      await without(daemon, how, async () => {
        expect(await askSearch(entropyOf(name))).toMatchObject({ left: { _tag: "SchedulerUnavailableError" } })
      })
    }
  )
})
