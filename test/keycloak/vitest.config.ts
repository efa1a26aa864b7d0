import { defineConfig } from "vitest/config"
import { base } from "../vitest.config.ts"

// Apart from the other tests, because it needs Java 17 or newer, Maven and the distribution that Maven fetches.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/keycloak/*.suite.ts"],
    globalSetup: ["test/keycloak/start.ts"],
    testTimeout: 120_000,
    hookTimeout: 300_000
  }
})
