import type { Reporter, TestModule } from "vitest/node"

/** Ends the output with one line that says how it went: `N passed, N failed`. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    let passed = 0
    let failed = unhandledErrors.length
    for (const module of modules) {
      failed += module.errors().length
      for (const test of module.children.allTests()) {
        if (test.result().state === "passed") passed++
        else failed++
      }
    }
    // The last reporter's last word: the summary of the default reporter stands above it.
    process.stdout.write(`${passed} passed, ${failed} failed\n`)
  }
}
