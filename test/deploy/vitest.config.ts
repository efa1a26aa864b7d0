import { defineConfig } from "vitest/config"
import { base } from "../vitest.config.ts"

// Apart from the other tests, because it needs Python, Go, buildah, bubblewrap and systemd, and fetches validators.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/deploy/*.suite.ts"],
    testTimeout: 900_000,
    hookTimeout: 900_000
  }
})
