import { layer } from "@effect/vitest"
import type * as Layer from "effect/Layer"
import type { Requirement } from "./Requirement.ts"

// A run on a busy machine must not fail for slowness.
const timeoutMillis = 120_000

/** How a suite runs. */
export interface SuiteOptions {
  /** `test`: time stands still unless a requirement moves it (`TestClock`). `live`: real time. `test` unless given. */
  readonly clock?: "test" | "live" | undefined
}

/** Registers one vitest test for each requirement, all on one build of the layer. */
export const suite = <R, E>(
  name: string,
  subject: Layer.Layer<R, E>,
  requirements: ReadonlyArray<Requirement<R>>,
  options: SuiteOptions = {}
): void => {
  layer(subject, { excludeTestServices: options.clock === "live" })(name, (it) => {
    for (const { id, property, runs = 25, source, title } of requirements) {
      property((values, holds) =>
        it.effect.prop(`${id} ${title} (${source})`, [values], ([value]) => holds(value), {
          timeout: timeoutMillis,
          arbitrary: { runs }
        })
      )
    }
  })
}
