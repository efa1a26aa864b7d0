/** Requirements as tests that need no test runner. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import { fail } from "./assert.ts"
import type { Requirement } from "./Requirement.ts"

/** How the requirements of a suite are checked; every field has a default. */
export interface CheckOptions {
  /** Where the generated values begin; a new seed for each run unless given. The same seed generates the same values. */
  readonly seed?: string | number | undefined
  /**
   * Replays failures: the text after `Replay:` in the report of a failure, by the id of its requirement. The other
   * requirements are left out.
   */
  readonly replay?: Readonly<Record<string, string>> | undefined
  /** How many values each requirement is checked with; its own number unless given. */
  readonly runs?: number | undefined
  /** The ids of requirements to leave out. An id that the suite does not have is an error. */
  readonly skip?: ReadonlyArray<string> | undefined
}

/** The same, for requirements of your own. */
export interface RunOptions extends CheckOptions {
  /** `test`: time stands still unless a requirement moves it (`TestClock`). `live`: real time. `test` unless given. */
  readonly clock?: "test" | "live" | undefined
}

/** One requirement, ready to be checked. */
export interface RequirementTest {
  readonly id: string
  /** The id, the demand and its source: a name for a test. */
  readonly name: string
  /** Builds the layer and checks the requirement. Rejects with a report if it is not met. */
  readonly run: () => Promise<void>
}

/** What became of one requirement. */
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
 * Makes a test of each requirement, for a test runner other than vitest and `node:test`.
 *
 * Each test builds the layer for itself.
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
