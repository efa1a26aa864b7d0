import type * as Layer from "effect/Layer"
import type { Requirement } from "./Requirement.ts"
import { requirementTests, type RunOptions } from "./requirementTests.ts"

// A run must not fail because the machine is busy.
const timeout = 120_000

// vitest can be imported only in its own processes, and projects with another test runner do not install it.
const vitest = "VITEST" in process.env ? await import("vitest") : undefined

/** What the test runners have in common. */
interface TestRunner {
  readonly describe: (name: string, register: () => void) => unknown
  readonly it: (name: string, options: { readonly timeout: number }, test: () => Promise<void>) => unknown
}

/**
 * Registers one test for each requirement with the test runner that runs the file: vitest, or otherwise `node:test`.
 *
 * Use `requirementTests` for other test runners, and `checkRequirements` without any.
 */
export const suite = <R, E>(
  name: string,
  subject: Layer.Layer<R, E>,
  requirements: ReadonlyArray<Requirement<R>>,
  options: RunOptions = {}
): void => {
  const { describe, it }: TestRunner = vitest ?? process.getBuiltinModule("node:test")
  describe(name, () => {
    for (const { name, run } of requirementTests(subject, requirements, options)) it(name, { timeout }, () => run())
  })
}
