import type * as Layer from "effect/Layer"
import type { Requirement } from "./Requirement.ts"
import { requirementTests, type RunOptions } from "./requirementTests.ts"

// A run on a busy machine must not fail because it is slow.
const timeout = 120_000

// vitest can be imported only where it runs, and projects with another test runner do not have it.
const vitest = "VITEST" in process.env ? await import("vitest") : undefined

/** What the test runners have in common. */
interface TestRunner {
  readonly describe: (name: string, register: () => void) => unknown
  readonly it: (name: string, options: { readonly timeout: number }, test: () => Promise<void>) => unknown
}

/**
 * Registers one test for each requirement with the test runner that runs the file: vitest, or else `node:test`.
 *
 * Use `requirementTests` for other test runners, and `checkRequirements` for none.
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
