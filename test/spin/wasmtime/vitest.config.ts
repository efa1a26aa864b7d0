import { defineConfig } from "vitest/config"
import { base } from "../../vitest.config.ts"

// Apart from the other tests, because it needs `wasmtime` on the PATH: `cargo install wasmtime-cli --locked`.
export default defineConfig({
  ...base,
  test: { ...base.test, include: ["test/spin/wasmtime/*.suite.ts"], testTimeout: 120_000, hookTimeout: 300_000 }
})
