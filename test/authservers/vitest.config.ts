import { defineConfig } from "vitest/config"
import { base } from "../vitest.config.ts"

const programs = "test/sign-in/programs.ts"

const project = (name: string, globalSetup: ReadonlyArray<string>) => ({
  extends: true as const,
  test: { name, include: [`test/authservers/${name}*.suite.ts`], globalSetup: [...globalSetup] }
})

// Apart from the other tests, because it needs Keycloak and Ory Hydra, which Maven and Go fetch. `--project keycloak` takes the former.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      project("keycloak", ["test/keycloak/start.ts", programs]),
      project("hydra", ["test/authservers/buildHydra.ts", programs])
    ]
  }
})
