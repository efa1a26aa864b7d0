import { defineConfig } from "vitest/config"
import { base } from "../vitest.config.ts"

// Apart from the other tests, because npm fetches several versions of Node, and the newest Effect.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/versions/*.suite.ts"],
    testTimeout: 240_000,
    hookTimeout: 600_000
  }
})
