/** The members of sealed values, checked: what opens was made here, but perhaps by another version of the gateway. Pure. */

/** Whether a value is a list of strings. */
export const isStrings = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((member) => typeof member === "string")

/** The members of a value that consists of so many strings. */
export const texts = (value: ReadonlyArray<unknown> | undefined, count: number): ReadonlyArray<string> | undefined =>
  value !== undefined && value.length === count && isStrings(value) ? value : undefined
