import { defineConfig } from "vitest/config"
import { base } from "../vitest.config.ts"

// Apart from the other tests, because it needs Keycloak and Ory Hydra, which Maven and Go fetch.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/authservers/*.suite.ts"],
    globalSetup: ["test/keycloak/start.ts", "test/authservers/buildHydra.ts"],
    testTimeout: 120_000,
    hookTimeout: 300_000
  }
})
