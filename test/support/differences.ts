/** Where one way to run the gateway differs from another on purpose, and why. Nothing else may differ. */
import type { PlayedExchange } from "../fixtures/exchanges.ts"

/** Parts of the result of an exchange. */
export type Compared = Readonly<Record<string, unknown>>

/**
 * One difference.
 *
 * @typeParam Result the result of an exchange
 */
export interface Difference<Result> {
  /** What differs. */
  readonly where: string
  readonly reason: string
  /** Whether the difference can occur in this exchange, given the expected result. */
  readonly applies: (exchange: PlayedExchange, expected: Result) => boolean
  /** Returns the parts that are still compared. */
  readonly comparable: (left: Compared, result: Result) => Compared
  /** An exchange in which the difference always occurs; `undefined` if it occurs by chance. */
  readonly example: Partial<PlayedExchange> | undefined
}

/** Nothing is compared. */
export const nothing = (): Compared => ({})

/** Everything but these parts is compared. */
export const without = (...names: ReadonlyArray<string>) => (left: Compared): Compared =>
  Object.fromEntries(Object.entries(left).filter(([name]) => !names.includes(name)))

/** Returns the parts of both results that are compared. */
export const withoutDifferences = <Result extends object>(
  differences: ReadonlyArray<Difference<Result>>,
  exchange: PlayedExchange,
  seen: Result,
  expected: Result
): readonly [seen: Compared, expected: Compared] => {
  const applying = differences.filter(({ applies }) => applies(exchange, expected))
  // If nothing is compared, no part is compared either.
  if (applying.some(({ comparable }) => comparable === nothing)) return [nothing(), nothing()]
  const comparable = (all: Result) =>
    applying.reduce<Compared>(
      (left, difference) => difference.comparable(left, all),
      Object.fromEntries(Object.entries(all))
    )
  return [comparable(seen), comparable(expected)]
}
