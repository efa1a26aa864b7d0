import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

/** One of several values of any type. */
export const oneOf = <const A>(values: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(
    Arbitrary.schema(Schema.Literals(values.map((_, index) => index))),
    // The index is valid for the list.
    (index) => values[index] as A
  )

/** One of several arbitraries, all equally likely. */
export const either = <const A>(...sources: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(oneOf(sources), (source) => source)

/** A text made of pieces from a list. */
export const textOf = (
  pieces: ReadonlyArray<string>,
  bounds: { readonly minLength?: number; readonly maxLength: number }
): Arbitrary.Arbitrary<string> => Arbitrary.map(Arbitrary.array(oneOf(pieces), bounds), (parts) => parts.join(""))

const number = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 36 ** 9, maximum: 36 ** 10 - 1 })))

/** A random text for a role. Finding it in output shows a leak. */
export const canaryOf = (role: string): Arbitrary.Arbitrary<string> =>
  Arbitrary.map(number, (number) => `${role}-${number.toString(36)}`)

/** A canary for cases with only one role. */
export const canary: Arbitrary.Arbitrary<string> = canaryOf("canary")
