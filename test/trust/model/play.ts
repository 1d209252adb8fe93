/** Lets a course of acts happen in the world and in the model, and holds the two against each other whenever all is quiet. */
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import { type Act, jobs, type Said } from "./acts.ts"
import { type End, JobModel, type Limits, type Line } from "./JobModel.ts"
import { everything, opened } from "./opened.ts"
import { makeStage, type Stage } from "./stage.ts"
import { judge, type Printed } from "./verdict.ts"

const Published = Schema.Struct({
  jobs: Schema.Array(Schema.Struct({
    name: Schema.String,
    outcome: Schema.NullOr(Schema.String),
    attempts: Schema.Int,
    attention: Schema.NullOr(Schema.Unknown),
    held: Schema.NullOr(Schema.Unknown)
  }))
})

const stateText = (
  name: string,
  { attempt, attention, held, outcome, submissions }: Pick<
    JobModel,
    "attempt" | "attention" | "held" | "outcome" | "submissions"
  >
): string =>
  `  ${name}: attempt ${attempt}, ${submissions} submissions, ${outcome ?? "goes on"}` +
  `${held ? ", held" : ""}${attention ? ", needs attention" : ""}`

class Play {
  readonly models = new Map<string, JobModel>()
  readonly refused: Array<string> = []
  readonly printed: Array<Printed> = []
  /** Jobs to which nothing more may happen until all is quiet, and those whose log has grown since it was. */
  private readonly busy = new Set<string>()
  private readonly unread = new Set<string>()
  private readonly open = new Set<string>()
  private readonly requests: Array<() => void> = []
  private omitted = false
  private lines = 0
  private readonly stage: Stage

  constructor(stage: Stage, limits: Limits) {
    this.stage = stage
    for (const name of everything) this.models.set(name, new JobModel(limits))
  }

  of(job: string): JobModel {
    const model = this.models.get(job)
    if (model === undefined) throw new Error(`no job ${job}`)
    return model
  }

  /** All comes to rest, and is as the model says. */
  async calm(): Promise<void> {
    await this.stage.calm()
    for (const [job, model] of this.models) {
      model.settle()
      if (!model.refusal) this.stage.refusing.delete(job)
    }
    this.busy.clear()
    this.unread.clear()
    this.omitted = false
    const submitted = (await this.stage.ledger()).filter(({ what }) => what === "submit").map(({ name }) => name)
    const { jobs } = Schema.decodeUnknownSync(Published)(this.stage.published())
    const told = jobs.map(({ attempts, attention, held, name, outcome }) =>
      stateText(name, {
        outcome,
        attempt: this.of(name).revived ? this.of(name).attempt : attempts,
        attention: attention !== null,
        held: held !== null,
        submissions: submitted.filter((one) => one.startsWith(`${name}.`)).length
      })
    )
    const wanted = [...this.models].map(([name, model]) => stateText(name, model))
    if (told.join() !== wanted.join()) throw new Error(["it is", ...told, "and should be", ...wanted].join("\n"))
    expect(this.stage.twice).toEqual([])
  }

  private async ready(job: string): Promise<JobModel> {
    if (this.busy.has(job) || this.unread.has(job)) await this.calm()
    return this.of(job)
  }

  private lineOf(job: string, said: Said): { readonly line: Line; readonly text: string } {
    const model = this.of(job)
    const number = this.lines += 1
    switch (said.says) {
      case "iteration": {
        const n = Math.max(0, model.reached + said.ahead)
        return { line: { says: "iteration", n }, text: `step: iteration ${n}` }
      }
      case "saved": {
        const path = `/ckpt/${job}/${number}`
        return { line: { says: "saved", path }, text: `saved ${path}` }
      }
      case "nothing":
        return { line: { says: "nothing" }, text: `line ${number}` }
      case "error":
      case "hang":
        return {
          line: said,
          text: `${said.says.toUpperCase()} ${said.what} at 0x${number.toString(16)} of rank ${number}`
        }
    }
  }

  /** Text of the lines, which the model has taken note of. */
  private say(job: string, lines: ReadonlyArray<Said>): string {
    const model = this.of(job)
    return lines.map((said) => {
      // What does nothing any more goes no further.
      const fits: Said = model.hung && said.says !== "error" && said.says !== "hang" ? { says: "nothing" } : said
      const { line, text } = this.lineOf(job, fits)
      model.print(line)
      this.printed.push({ job, line })
      return `${text}\n`
    }).join("")
  }

  private async fileOf(job: string): Promise<string> {
    if (job !== "a") return `/out/${job}/log`
    const latest = (await this.stage.ledger()).findLast(({ name, what }) => what === "submit" && name.startsWith("a."))
    return `/out/a/slurm-${latest?.id ?? ""}.out`
  }

  private async write(job: string, text: string): Promise<void> {
    if (text === "") return
    const file = await this.fileOf(job)
    await this.stage.print(file, this.open.has(file) ? `\n${text}` : text)
    this.open.delete(file)
  }

  /** Whether the submission that the model knows of was cancelled: the next one may be under way already. */
  private async wasCancelled(job: string): Promise<boolean> {
    const name = `${job}.${this.of(job).submittedAs}.`
    return (await this.stage.ledger()).some((entry) => entry.what === "cancel" && entry.name.startsWith(name))
  }

  async happen(act: Act): Promise<void> {
    const { stage } = this
    switch (act.act) {
      case "print": {
        const model = this.busy.has(act.job) ? await this.ready(act.job) : this.of(act.job)
        if (!model.live || model.isLeaving) return
        const text = this.say(act.job, act.lines)
        this.unread.add(act.job)
        const file = await this.fileOf(act.job)
        const cuts = act.pieces.cuts.map((cut) => Math.floor(cut * text.length / 1000)).sort((x, y) => x - y)
        for (const [index, cut] of [...cuts, text.length].entries()) {
          const piece = text.slice(cuts[index - 1] ?? 0, cut)
          if (index === 0) await this.write(act.job, piece)
          else await stage.print(file, piece)
          if (act.pieces.slowly) await stage.pass()
        }
        return
      }
      case "end": {
        // Who reads a line and the code 93 at once finds no budget spent: no restart was to be.
        const readsFirst = act.end.state === "CANCELLED" || act.end.exitCode === 93 && this.of(act.job).attention
        const model = this.busy.has(act.job) || readsFirst ? await this.ready(act.job) : this.of(act.job)
        if (!model.live) return
        if (model.isLeaving && await this.wasCancelled(act.job)) return
        if (model.isLeaving && act.end.state === "CANCELLED") return
        const text = model.isLeaving || act.end.state === "CANCELLED" ? "" : this.say(act.job, act.lines)
        const torn = act.torn && text !== ""
        await this.write(act.job, torn ? text.slice(0, -1) : text)
        if (torn) this.open.add(await this.fileOf(act.job))
        return this.end(act.job, act.end)
      }
      case "requeue": {
        const model = await this.ready(act.job)
        if (!model.live) return
        const before = stage.now()
        await stage.set(act.job, model.submittedAs, { state: "PENDING" })
        if (!act.unseen) await stage.calm()
        // Who sees nothing but that it runs knows it by its later start.
        if (act.unseen) await stage.pass()
        if (stage.now() <= before) await stage.calm()
        await stage.set(act.job, model.submittedAs, { state: "RUNNING" })
        model.requeue()
        return this.calm()
      }
      case "revive": {
        const model = await this.ready(act.job)
        if (!model.known || model.live || model.revived) return
        stage.jump(31)
        await stage.set(act.job, model.submittedAs, { state: "RUNNING" })
        model.revived = true
        return
      }
      case "forget": {
        const model = await this.ready(act.job)
        if (!model.live) return
        await stage.forget(act.job, model.submittedAs)
        model.lose()
        this.busy.add(act.job)
        return
      }
      case "refuse": {
        const model = await this.ready(act.job)
        if (model.revived) return
        model.refusal = true
        stage.refusing.add(act.job)
        return
      }
      case "omit": {
        // An end that is asked about once more is confirmed by an answer without the job: it is forgotten, as is usual.
        const model = this.busy.has(act.job) ? await this.ready(act.job) : this.of(act.job)
        if (this.omitted || !model.live) return
        this.omitted = true
        stage.omit(act.job)
        return
      }
      case "ask": {
        const model = await this.ready(act.job)
        // What runs again unknown to the session cannot be cancelled by it.
        if (model.revived && act.asked === "job_cancel") return
        const id = `request-${this.requests.length}`
        const request = { kind: act.asked, job: act.job, reason: "" }
        if (!model.ask(act.asked)) this.refused.push(id)
        this.requests.push(() => stage.request(id, request))
        stage.request(id, request)
        this.busy.add(act.job)
        return
      }
      case "again":
        await this.calm()
        return this.requests[act.which]?.()
      case "failQueries":
        return stage.failQueries(act.count)
      case "loseAnswer":
        return stage.loseAnswer()
      case "failSubmit":
        return stage.failSubmit()
      case "die":
        return stage.die(act.after, act.as, act.absent)
      case "jump":
        return stage.jump(act.seconds)
      case "pass":
        for (let tick = 0; tick < act.ticks; tick += 1) await stage.pass()
    }
  }

  private async end(job: string, { exitCode, state }: End): Promise<void> {
    const model = this.of(job)
    await this.stage.set(job, model.submittedAs, { state, exitCode })
    model.end({ state, exitCode })
    this.busy.add(job)
  }

  /** Lets all jobs go and complete, the last one last. */
  async finish(): Promise<void> {
    await this.calm()
    for (const job of jobs) {
      if (this.of(job).held) await this.happen({ act: "ask", job, asked: "job_release" })
    }
    await this.calm()
    for (const job of everything) {
      if (this.of(job).live) await this.end(job, { state: "COMPLETED", exitCode: 0 })
    }
    await this.stage.calm()
    await this.calm()
    expect(this.stage.hasEnded()).toBe(true)
  }
}

/** Fails with what is not as the model says. */
export const play = async (limits: Limits, acts: ReadonlyArray<Act>): Promise<void> => {
  const stage = await makeStage(opened(limits))
  try {
    const it = new Play(stage, limits)
    await it.calm()
    for (const act of acts) await it.happen(act)
    await it.finish()
    await judge(stage, it)
  } finally {
    await stage.leave()
  }
}
