/**
 * Reads the members of sealed values. They are checked, because another version of the gateway may have sealed them.
 * Pure.
 */

export const isStrings = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((member) => typeof member === "string")

/** Returns the members of a value that consists of exactly `count` strings. */
export const texts = (value: ReadonlyArray<unknown> | undefined, count: number): ReadonlyArray<string> | undefined =>
  value !== undefined && value.length === count && isStrings(value) ? value : undefined
