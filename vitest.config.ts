import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They need a SLURM: `npm run test:slurm`.
    exclude: ["test/slurm/**"],
    testTimeout: 30_000,
    hookTimeout: 30_000
  }
})
