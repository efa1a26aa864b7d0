import type { Reporter, TestCase, TestModule } from "vitest/node"

const seconds = (millis: number): string => `${(millis / 1000).toFixed(1).padStart(7)} s`

const slowest = <A>(all: ReadonlyArray<A>, millis: (one: A) => number, name: (one: A) => string): string =>
  all.toSorted((one, other) => millis(other) - millis(one)).slice(0, 10)
    .map((one) => `${seconds(millis(one))}  ${name(one)}\n`).join("")

/** From this number of tests on, it helps to know which ones took the time. */
const many = 200

/**
 * Ends the output with one line with the result: `N passed, N failed`. Before it, after a long run, come the slowest
 * tests and files by name.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    const tests: Array<TestCase> = []
    let failed = unhandledErrors.length
    for (const module of modules) {
      failed += module.errors().length
      tests.push(...module.children.allTests())
    }
    const passed = tests.filter((test) => test.result().state === "passed").length
    failed += tests.length - passed
    if (tests.length >= many) {
      const files = modules.map((module) => {
        const { collectDuration, duration } = module.diagnostic()
        return { name: `${module.project.name}  ${module.relativeModuleId}`, millis: collectDuration + duration }
      })
      process.stdout.write(
        `Slowest tests\n${
          slowest(tests, (test) =>
            test.diagnostic()?.duration ?? 0, (test) =>
            `${test.project.name}  ${test.module.relativeModuleId} > ${test.fullName}`)
        }Slowest files\n${slowest(files, ({ millis }) => millis, ({ name }) => name)}`
      )
    }
    // Again at the end, by name: the beginning of a long output may have been cut off.
    for (const test of tests) {
      const { errors, state } = test.result()
      if (state !== "failed") continue
      const [first] = errors
      process.stdout.write(`failed: ${test.project.name}  ${test.module.relativeModuleId} > ${test.fullName}\n`)
      // What a test throws need not have a message, contrary to its type.
      process.stdout.write(`  ${String(first?.message).slice(0, 2_000).replaceAll("\n", "\n  ")}\n`)
    }
    // It is printed after the summary of the default reporter.
    process.stdout.write(`${passed} passed, ${failed} failed\n`)
  }
}
