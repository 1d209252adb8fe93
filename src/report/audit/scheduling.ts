/** What an audit tells of restarts, submissions, cancels, nodes and ends. */
import type { EventRecord } from "../../event/EventRecord.ts"
import { secondsBetween } from "../../event/time.ts"
import type { Books } from "./books.ts"

/** The job's restart that is open has led to the submission `slurm_id`. */
const restarted = (books: Books, job: string, slurm_id: string): void => {
  books.change(`restart ${job}`, () => ({ status: "done", slurm_id }))
  books.named.delete(`restart ${job}`)
}

/** Restarts, submissions, cancels and ends. */
export const noteScheduling = (books: Books, record: EventRecord): void => {
  const job = record.job ?? ""
  switch (record.type) {
    case "RestartDecided": {
      const { budgets, event, reason } = record.data
      books.open(record, { action: "RestartAction", status: "running", reason, budgets, event }, `restart ${job}`)
      return
    }
    case "RestartDropped":
      books.change(`restart ${job}`, () => ({ status: "skipped", reason: record.data.why }))
      books.named.delete(`restart ${job}`)
      return
    case "SubmissionIntended": {
      const { ahead, jobs, name, nonce, options, script } = record.data
      if (ahead === true) books.links.add(nonce)
      const reason = `${name}: ${jobs.length === 1 ? script : `${jobs.length} tasks of ${script}`}`
      const command = options.length === 0 ? null : [...options, script]
      books.open(record, { action: "submission", status: "running", reason, command }, nonce)
      return
    }
    case "JobSubmitted": {
      const { argv, nonce, slurm_id } = record.data
      const isLink = books.links.has(nonce)
      books.change(nonce, ({ at, command }) => ({
        status: "done",
        slurm_id,
        command: argv ?? command,
        duration_seconds: secondsBetween(at, record.at)
      }))
      if (!isLink) restarted(books, job, slurm_id)
      return
    }
    case "LinkTaken":
      return restarted(books, job, record.data.slurm_id)
    case "SubmissionRefused":
    case "SubmissionUnanswered":
      books.change(record.data.nonce, () => ({ error: record.data.message }))
      return
    case "SubmissionLost":
      books.change(record.data.nonce, () => ({ status: "failed" }))
      return
    case "CancelDecided": {
      const { slurm_id, why } = record.data
      books.open(record, { action: "cancel", status: "running", reason: why, slurm_id }, `cancel ${slurm_id} ${job}`)
      return
    }
    case "CancelAnswered":
      books.change(`cancel ${record.data.slurm_id} ${job}`, ({ at }) => ({
        status: "done",
        duration_seconds: secondsBetween(at, record.at)
      }))
      return
    case "LinkCancelDecided": {
      const { nonce, slurm_id, why } = record.data
      books.open(record, { action: "cancel", status: "running", reason: why, slurm_id }, `cancel ${nonce}`)
      return
    }
    case "LinkCancelAnswered":
      books.change(`cancel ${record.data.nonce}`, ({ at }) => ({
        status: "done",
        duration_seconds: secondsBetween(at, record.at)
      }))
      return
    case "NodesUpdated": {
      const { applied, message = "", nodes, slurm_id } = record.data
      const said = nodes.length === 0 ? "may wait for any node" : `waits for nodes other than ${nodes.join(", ")}`
      const reason = applied ? `job ${slurm_id} ${said}` : message
      books.open(record, { action: "update nodes", status: applied ? "done" : "refused", reason, slurm_id })
      return
    }
    case "EndDecided":
      books.open(record, { action: "end", status: "done", reason: record.data.why })
      return
    case "NodesExcluded": {
      const { event, nodes, reason, until } = record.data
      const said = `${nodes.join(", ")} until ${until}: ${reason}`
      books.open(record, { action: "exclude nodes", status: "done", reason: said, event: event ?? null })
      return
    }
    case "NodesReleased": {
      const { nodes, why } = record.data
      const reason = nodes.length === 0 ? why : `${nodes.join(", ")}: ${why}`
      books.open(record, { action: "release nodes", status: "done", reason })
    }
  }
}
