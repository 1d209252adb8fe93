// Preloaded into autoexp (NODE_OPTIONS=--import): stops the process by SIGSTOP at one chosen moment, once; it goes on from
// there when it is continued. AUTOEXP_STOP_PLAN names the session; AUTOEXP_STOP_AT is `<where> <what> <n>`, where it says
//   before|torn|after <type> <n>   of the n-th record of the type that this process writes to the journal: no byte of its
//                                  batch from it on is written, half of its line is, or it is durable and not acknowledged
//   before sbatch <n>              the n-th submission is about to be accepted by the local cluster, all checks are passed
//   before publish <n>             the session's file is about to be written for the n-th time
import { Buffer } from "node:buffer"
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"

const plan = process.env.AUTOEXP_STOP_PLAN
const [where, what, nth] = (process.env.AUTOEXP_STOP_AT ?? "").split(" ")

if (plan !== undefined && what !== undefined) {
  let seen = 0
  /** Whether this is the moment; it comes once. */
  const isNow = () => (seen += 1) === Number(nth)
  const stop = () => process.kill(process.pid, "SIGSTOP")

  const { renameSync } = fs
  fs.renameSync = (from, to) => {
    if (what === "sbatch" && /\/jobs\/\d+$/.test(to) && isNow()) stop()
    return renameSync(from, to)
  }
  const { writeFile } = fs.promises
  fs.promises.writeFile = (file, ...rest) => {
    if (what === "publish" && String(file).includes(`/${plan}.json.`) && isNow()) stop()
    return writeFile(file, ...rest)
  }
  syncBuiltinESMExports()

  const probe = await fs.promises.open("/dev/null", "r")
  const prototype = Object.getPrototypeOf(probe)
  await probe.close()
  const { write } = prototype
  prototype.write = async function(...args) {
    const [bytes] = args
    const isJournal = Buffer.isBuffer(bytes) && bytes.subarray(0, 6).toString() === "{\"v\":1" &&
      fs.readlinkSync(`/proc/self/fd/${this.fd}`).includes(`/${plan}.events.`)
    if (!isJournal) return write.apply(this, args)
    let end = 0
    for (const line of bytes.toString("utf8").split("\n").slice(0, -1)) {
      const start = end
      end += Buffer.byteLength(line) + 1
      if (!line.includes(`"type":"${what}"`) || !isNow()) continue
      const kept = where === "after" ? end : where === "torn" ? Math.floor((start + end) / 2) : start
      if (kept > 0) await write.call(this, bytes.subarray(0, kept))
      await this.datasync()
      stop()
      if (kept < bytes.length) await write.call(this, bytes.subarray(kept))
      return { bytesWritten: bytes.length, buffer: bytes }
    }
    return write.apply(this, args)
  }
}
