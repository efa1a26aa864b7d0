import * as Arbitrary from "effect/Arbitrary"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

type Source<A> = Schema.Schema<A> | Arbitrary.Arbitrary<A>

/** The name of a requirement. */
export interface RequirementName {
  /** Short, unique in its suite, and permanent: `JWT-03`. */
  readonly id: string
  /** The requirement, with its keyword: `MUST reject an expired token`. */
  readonly title: string
  /** Where the requirement comes from: `RFC 7519, section 4.1.4`. */
  readonly source: string
  /** How many values are tried. Default: 25. */
  readonly runs?: number | undefined
}

/**
 * A requirement on a layer that provides `R`, as a property over generated values.
 *
 * A suite is a list of requirements: `suite` makes tests of them.
 */
export interface Requirement<R> extends RequirementName {
  /** Passes the values and the property to the runner that checks them. Only their types are hidden. */
  readonly property: <B>(
    use: <A, E>(values: Arbitrary.Arbitrary<A>, holds: (value: A) => Effect.Effect<void, E, R | Scope.Scope>) => B
  ) => B
}

/**
 * Builds a requirement.
 *
 * @param given the generated values, as schemas or arbitraries; `{}` if there is only one case
 * @param holds fails, or dies of an assertion, if the requirement is not met. It must clean up after itself, because it
 * runs many times with one layer
 */
export const requirement = <A extends Record<string, unknown>, E, R>(
  name: RequirementName,
  given: { readonly [K in keyof A]: Source<A[K]> },
  holds: (value: A) => Effect.Effect<void, E, R | Scope.Scope>
): Requirement<R> => {
  const sources: Array<[string, Source<unknown>]> = Object.entries(given)
  const values = Arbitrary.all(
    Object.fromEntries(
      sources.map(([key, source]) => [key, Arbitrary.isArbitrary(source) ? source : Arbitrary.schema(source)])
    )
  )
  return {
    ...name,
    // `Arbitrary.all` loses the type of each key's source; the record has exactly the keys and types of `given`.
    property: (use) => use(values as Arbitrary.Arbitrary<A>, holds)
  }
}
