import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Requirement } from "../../src/testing/Requirement.ts"

/**
 * The ids of the requirements that the provided services do not meet: the result of a suite for a broken layer.
 *
 * It tries the same values in each run, while the suites themselves draw anew: a change of a suite or of a layer may
 * make a test of defects fail, luck may not. The suites are still to find a defect with any seed but one in a million.
 */
export const violations = <R>(requirements: ReadonlyArray<Requirement<R>>) =>
  Effect.map(
    Effect.forEach(requirements, ({ id, property, runs = 25 }) =>
      property((values, holds) =>
        Arbitrary.checkEffect(
          values,
          (value) => Effect.suspend(() => holds(value)).pipe(Effect.scoped, Effect.exit, Effect.map(Exit.isSuccess)),
          // The first failing value is enough.
          { runs, maxShrinks: 0, seed: id }
        )
      ).pipe(Effect.map((result) => result._tag === "Passed" ? [] : [id]))),
    (ids) => ids.flat()
  )
