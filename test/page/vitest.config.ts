import { defineConfig } from "vitest/config"
import { base } from "../vitest.config.ts"

// Apart from the other tests, because it needs a browser: Debian's `chromium` package.
export default defineConfig({
  ...base,
  test: { ...base.test, include: ["test/page/*.suite.ts"] }
})
