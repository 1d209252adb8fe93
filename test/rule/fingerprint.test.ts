import { describe, expect, it } from "vitest"
import { fingerprint } from "../../src/rule/fingerprint.ts"

describe("a failure's fingerprint", () => {
  it.each([
    [
      "[rank3]:[E1123 03:12:07.114 ProcessGroupNCCL.cpp:629] [Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=4711, Timeout(ms)=600000)",
      "[rank11]:[E1124 14:02:55.001 ProcessGroupNCCL.cpp:629] [Rank 11] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=99, Timeout(ms)=600000)"
    ],
    [
      "2026-11-23 03:12:07,114 node nid001234 failed: exit 134",
      "2026-12-01 23:59:59,001 node nid004321 failed: exit 134"
    ],
    [
      "File \"/scratch/ada/run1/train.py\", line 12: bad 0x7f00ab12",
      "File \"/work/bob/x/train.py\", line 99: bad 0xdeadbeef"
    ],
    ["Connection closed by peer [10.0.0.1]:4711", "Connection closed by peer [192.168.7.23]:99"],
    ["\u001b[31mValueError: shape 12x13\u001b[0m", "ValueError:  shape 7x9"]
  ])("is the same whatever rank, host, path or time: %s", (one, other) => {
    expect(fingerprint(one)).toBe(fingerprint(other))
    expect(fingerprint(fingerprint(one))).toBe(fingerprint(one))
  })

  it("tells different failures apart", () => {
    const lines = [
      "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
      "torch.distributed.DistBackendError: NCCL error in: x.cpp:12",
      "RuntimeError: CUDA error: device-side assert triggered",
      "ValueError: bad shape"
    ]
    expect(new Set(lines.map(fingerprint)).size).toBe(lines.length)
  })

  it("is short, and takes no time over a hostile line", () => {
    for (const line of ["/a".repeat(50_000), "a1".repeat(50_000), "1.".repeat(50_000), "node ".repeat(20_000)]) {
      expect(fingerprint(line).length).toBeLessThanOrEqual(160)
    }
  })
})
