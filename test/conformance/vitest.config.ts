import { defineConfig } from "vitest/config"
import { base } from "../vitest.config.ts"

// Apart from the other tests, because the runner is fetched from the npm registry.
export default defineConfig({
  test: { ...base.test, include: ["test/conformance/*.suite.ts"], testTimeout: 300_000, silent: false }
})
