// Preloaded into autoexp (NODE_OPTIONS=--import): ends the process by SIGKILL at one chosen record of one journal.
// AUTOEXP_DIE_PLAN names the session; AUTOEXP_DIE_AT is `<where> <type> <n>`: at the n-th record of the type that this
// process writes (`*`: any type); `after` it is durable, `before` any byte of its batch from it on, or `torn` in the middle of its line.
import { Buffer } from "node:buffer"
import { readlinkSync } from "node:fs"
import { open } from "node:fs/promises"

const plan = process.env.AUTOEXP_DIE_PLAN
const [where, type, nth] = (process.env.AUTOEXP_DIE_AT ?? "").split(" ")

if (plan !== undefined && where !== undefined && type !== undefined) {
  const probe = await open("/dev/null", "r")
  const prototype = Object.getPrototypeOf(probe)
  await probe.close()
  const { write } = prototype
  let seen = 0
  prototype.write = async function(...args) {
    const [bytes] = args
    const isJournal = Buffer.isBuffer(bytes) && bytes.subarray(0, 6).toString() === "{\"v\":1" &&
      readlinkSync(`/proc/self/fd/${this.fd}`).includes(`/${plan}.events.`)
    if (!isJournal) return write.apply(this, args)
    let end = 0
    for (const line of bytes.toString("utf8").split("\n").slice(0, -1)) {
      const start = end
      end += Buffer.byteLength(line) + 1
      if (type !== "*" && !line.includes(`"type":"${type}"`)) continue
      seen += 1
      if (seen < Number(nth)) continue
      const kept = where === "after" ? end : where === "torn" ? Math.floor((start + end) / 2) : start
      if (kept > 0) await write.call(this, bytes.subarray(0, kept))
      await this.datasync()
      process.kill(process.pid, "SIGKILL")
      await new Promise(() => {})
    }
    return write.apply(this, args)
  }
}
