import type * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Requirement, requirement, type RequirementName } from "../Requirement.ts"
import type { Subject } from "./Subject.ts"

// Longer than any case takes: after this time, the awaited event will not happen.
const timeout = "20 seconds"

/** A requirement on clients that fails, instead of waiting forever, if an event does not happen. */
export const clientRequirement = <A extends Record<string, unknown>, E>(
  name: RequirementName,
  given: { readonly [K in keyof A]: Arbitrary.Arbitrary<A[K]> },
  holds: (value: A) => Effect.Effect<void, E, Subject | Scope.Scope>
): Requirement<Subject> => requirement(name, given, (value) => Effect.timeout(holds(value), timeout))
