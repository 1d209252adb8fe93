/** How long a log of 100 MB takes under the rules for production. Called with the project's directory. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import { layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"
import { logFacts, tailBytes } from "../../src/monitor/logFacts.ts"
import { positionOf } from "../../src/monitor/readLogs.ts"
import { makeDetector } from "../../src/rule/detect.ts"
import type { LogPosition } from "../../src/session/entries.ts"

const configDir = path.join(process.argv[2] ?? ".", "config")
const request = { configDir, configRef: "autoexp", overrides: ["monitoring=megatron_production"] }
const { config: { monitoring } } = Effect.runSync(Effect.provide(load(request), layer))
const detect = Either.getOrThrow(makeDetector(monitoring))

const step = (iteration: number): ReadonlyArray<string> => [
  ` [2026-03-14 09:26:53.589793] iteration ${
    String(iteration).padStart(8)
  }/   20000 | consumed samples:       307200 |` +
  " elapsed time per iteration (ms): 843.2 | throughput per GPU (TFLOP/s/GPU): 412.7 | learning rate: 2.400000E-04 |" +
  " global batch size:   256 | lm loss: 2.731000E+00 | loss scale: 1.0 | grad norm: 0.412 |" +
  " number of skipped iterations:   0 | number of nan iterations:   0 |",
  "[Rank 0] (after 2 iterations) memory (MB) | allocated: 8123.44 | max allocated: 20110.02 | reserved: 21000.00",
  "    forward-compute ................................: (123.44, 130.02)",
  "    backward-compute ...............................: (223.44, 230.02)",
  "gpu07:41233:41877 [3] NCCL INFO Channel 00/0 : 3[3] -> 4[0] [send] via NET/IB/0/GDRDMA"
]
const part = Buffer.from(Array.from({ length: 2000 }, (_, index) => step(index).join("\n")).join("\n") + "\n")
const log = Buffer.concat(Array.from({ length: Math.ceil(100e6 / part.length) }, () => part))
/** The same with a character in every hundredth line that is not ASCII. */
const foreign = Buffer.from(log)
for (let at = 1; at < foreign.length; at += 13_000) foreign.write("é", at)

/** Seconds of CPU time, and matches. */
const read = (bytes: Buffer): readonly [seconds: number, matches: number] => {
  const before = process.cpuUsage()
  let known: LogPosition | undefined
  let matches = 0
  for (let from = 0; from < bytes.length;) {
    const start = Math.max(0, from - tailBytes)
    const facts = logFacts({
      about: { job: "a", attempt: 1, path: "/log" },
      known,
      anew: null,
      chunk: {
        identity: "f",
        size: bytes.length,
        modified: 0,
        bytes: bytes.subarray(start, from + 256 * 1024),
        head: bytes.subarray(0, 1024)
      },
      start,
      atEnd: false,
      final: from + 256 * 1024 >= bytes.length,
      detect,
      off: new Set()
    })
    for (const fact of facts) {
      if (fact.type !== "LogRead") continue
      known = positionOf(fact)
      matches += fact.data.matches.length
    }
    from = known?.offset ?? bytes.length
  }
  const { system, user } = process.cpuUsage(before)
  return [(system + user) / 1e6, matches]
}

for (const [what, bytes] of [["ASCII", log], ["mixed", foreign]] as const) {
  const [seconds, matches] = [1, 2, 3].map(() => read(bytes)).sort(([a], [b]) => a - b)[1] ?? [NaN, 0]
  console.log(
    `100 MB of log (${what}), ${detect.length} patterns, ${matches} matches`.padEnd(64) +
      ` ${seconds.toFixed(2).padStart(9)} s   of 5 s (${(seconds / 5).toFixed(2)})`
  )
}
