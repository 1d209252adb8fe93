import { defineConfig } from "vitest/config"

/** One cluster for all files, which therefore run one after the other. Started by `test/slurm/run`. */
export default defineConfig({
  test: {
    include: ["test/slurm/**/*.test.ts"],
    globalSetup: ["test/slurm/setup.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
})
