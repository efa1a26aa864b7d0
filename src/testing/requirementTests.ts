/** Requirements as tests that need no test runner. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import { fail } from "./assert.ts"
import type { Requirement } from "./Requirement.ts"

/** How the requirements of a suite are checked. Every option has a default. */
export interface CheckOptions {
  /** The seed of the generated values. Default: a new seed for each run. The same seed generates the same values. */
  readonly seed?: string | number | undefined
  /**
   * Replays failures: the text after `Replay:` in the report of a failure, by the id of its requirement. Other
   * requirements are left out.
   */
  readonly replay?: Readonly<Record<string, string>> | undefined
  /** How many values each requirement is checked with. Default: its own number. */
  readonly runs?: number | undefined
  /** The ids of requirements to leave out. An unknown id is an error. */
  readonly skip?: ReadonlyArray<string> | undefined
}

/** The same, for your own requirements. */
export interface RunOptions extends CheckOptions {
  /** `test`: time stands still unless a requirement adjusts it (`TestClock`). `live`: real time. Default: `test`. */
  readonly clock?: "test" | "live" | undefined
}

/** A requirement that is ready to be checked. */
export interface RequirementTest {
  readonly id: string
  /** The id, the title and the source, as the name of a test. */
  readonly name: string
  /** Builds the layer and checks the requirement. Rejects with a report if it is not met. */
  readonly run: () => Promise<void>
}

/** The result of one requirement. */
export interface RequirementResult {
  readonly id: string
  readonly name: string
  /** The report of the failure; `undefined` if the requirement is met. */
  readonly failure: string | undefined
}

const testEnvironment = Layer.mergeAll(TestConsole.layer, TestClock.layer())

const check = <R>({ id, property, runs }: Requirement<R>, options: CheckOptions) =>
  property((values, holds) =>
    Arbitrary.checkEffect(
      values,
      (value) =>
        // With the whole cause as its error, because assertions are defects.
        Effect.suspend(() => holds(value)).pipe(Effect.scoped, Effect.as(true), Effect.sandbox),
      { runs: options.runs ?? runs ?? 25, seed: options.seed, replay: options.replay?.[id] }
    ).pipe(Effect.map((result) => Arbitrary.formatCheckFailure(result)))
  )

const selected = <R>(
  requirements: ReadonlyArray<Requirement<R>>,
  { replay, skip = [] }: CheckOptions
): ReadonlyArray<Requirement<R>> => {
  const replayed = Object.keys(replay ?? {})
  const unknown = [...skip, ...replayed].filter((id) => !requirements.some((requirement) => requirement.id === id))
  if (unknown.length > 0) fail(`the suite has no requirement ${unknown.join(", ")}`)
  return requirements.filter(({ id }) => !skip.includes(id) && (replay === undefined || replayed.includes(id)))
}

/**
 * Builds a test for each requirement, for a test runner other than vitest and `node:test`.
 *
 * Each test builds its own layer.
 */
export const requirementTests = <R, E>(
  subject: Layer.Layer<R, E>,
  requirements: ReadonlyArray<Requirement<R>>,
  options: RunOptions = {}
): ReadonlyArray<RequirementTest> => {
  const environment = options.clock === "live" ? subject : Layer.provideMerge(subject, testEnvironment)
  return selected(requirements, options).map((requirement) => ({
    id: requirement.id,
    name: `${requirement.id} ${requirement.title} (${requirement.source})`,
    run: async () => {
      const failure = await Effect.runPromise(Effect.provide(check(requirement, options), environment))
      if (failure !== undefined) fail(failure)
    }
  }))
}

/** Checks the requirements one after the other, without a test runner. */
export const checkRequirements = async <R, E>(
  subject: Layer.Layer<R, E>,
  requirements: ReadonlyArray<Requirement<R>>,
  options: RunOptions = {}
): Promise<ReadonlyArray<RequirementResult>> => {
  const results: Array<RequirementResult> = []
  for (const { id, name, run } of requirementTests(subject, requirements, options)) {
    results.push({
      id,
      name,
      failure: await run().then(
        () => undefined,
        (error: unknown) => error instanceof Error ? error.message : `${error}`
      )
    })
  }
  return results
}
