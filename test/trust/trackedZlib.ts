/**
 * The real `node:zlib`, which says when it is at work: its threads take real time, of which a virtual clock knows nothing.
 *
 *   vi.mock("node:zlib", () => import("./trackedZlib.ts"))
 */
import { createRequire } from "node:module"
import type { Transform } from "node:stream"
import type zlib from "node:zlib"

const real: typeof zlib = createRequire(import.meta.url)("node:zlib")

const working = new Set<Transform>()

/** Whether bytes are being compressed or decompressed now. */
export const isAtWork = (): boolean => working.size > 0

const tracked = <A extends Transform>(stream: A): A => {
  const transform = stream._transform.bind(stream)
  stream._transform = (chunk, encoding, done) => {
    working.add(stream)
    transform(chunk, encoding, (...answer) => {
      working.delete(stream)
      done(...answer)
    })
  }
  return stream.on("close", () => working.delete(stream))
}

export const createGzip = () => tracked(real.createGzip())
export const createGunzip = () => tracked(real.createGunzip())
