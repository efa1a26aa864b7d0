import * as Arbitrary from "effect/Arbitrary"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

type Source<A> = Schema.Schema<A> | Arbitrary.Arbitrary<A>

/** What a requirement is named by. */
export interface RequirementName {
  /** Short, unique in its suite, and the same for ever: `JWT-03`. */
  readonly id: string
  /** The demand, with its word of force: `MUST refuse a token that has ended`. */
  readonly title: string
  /** Where the demand is made: `RFC 7519, section 4.1.4`. */
  readonly source: string
  /** How many values are tried; 25 unless given. */
  readonly runs?: number | undefined
}

/**
 * One demand on a layer that provides `R`, as a property over generated values.
 *
 * A suite is a list of them: `suite` makes tests of it.
 */
export interface Requirement<R> extends RequirementName {
  /** Passes the values and the property to the runner that checks them; only their types stay hidden. */
  readonly property: <B>(
    use: <A, E>(values: Arbitrary.Arbitrary<A>, holds: (value: A) => Effect.Effect<void, E, R | Scope.Scope>) => B
  ) => B
}

/**
 * Makes a requirement.
 *
 * @param given the values that the property is about, a schema or an arbitrary each; `{}` where there is one case only
 * @param holds fails, or dies of an assertion, when the requirement is not met; it must clean up after itself, since it
 * runs many times over one layer
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
    // `Arbitrary.all` forgets which source each key had; the record has exactly the keys and types of `given`.
    property: (use) => use(values as Arbitrary.Arbitrary<A>, holds)
  }
}
