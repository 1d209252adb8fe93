import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They need a SLURM and an Apptainer: `npm run test:slurm`, `npm run test:apptainer`.
    exclude: ["test/slurm/**", "test/apptainer/**"],
    testTimeout: 30_000,
    hookTimeout: 30_000
  }
})
