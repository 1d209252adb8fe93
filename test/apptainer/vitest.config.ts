import { defineConfig } from "vitest/config"

/** Images of one folder, made once. Started by `test/apptainer/run`. */
export default defineConfig({
  test: {
    include: ["test/apptainer/**/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
})
