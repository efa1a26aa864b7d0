/**
 * Assertions for requirements, so that the suites do not depend on a test runner.
 *
 * A failure has the properties `actual` and `expected` if it compares two values, from which runners show their diffs.
 */
import { inspect } from "node:util"

/** A requirement is not met. */
export class AssertionError extends Error {
  override readonly name = "AssertionError"
  readonly actual: unknown
  readonly expected: unknown
  constructor(message: string, values: { readonly actual?: unknown; readonly expected?: unknown } = {}) {
    super(message)
    this.actual = values.actual
    this.expected = values.expected
  }
}

const show = (value: unknown): string => inspect(value, { depth: 6, maxStringLength: 2000, maxArrayLength: 50 })

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

const property = (object: object, name: string): unknown => Reflect.get(object, name)

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || ArrayBuffer.isView(value) || prototype === null || prototype === Object.prototype
}

/** Whether two values have the same structure: the same own enumerable members, regardless of their prototypes. */
const isDeepEqual = (left: unknown, right: unknown): boolean => {
  if (Object.is(left, right)) return true
  if (!isObject(left) || !isObject(right) || Array.isArray(left) !== Array.isArray(right)) return false
  if (left instanceof Map) return right instanceof Map && isDeepEqual([...left], [...right])
  if (left instanceof Set) return right instanceof Set && isDeepEqual([...left], [...right])
  const names = Object.keys(left)
  // A value that hides its contents, such as a CryptoKey, equals only itself.
  if (names.length === 0 && !isPlain(left)) return false
  return names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isDeepEqual(property(left, name), property(right, name)))
}

/** Fails. */
export function fail(message: string): never {
  throw new AssertionError(message)
}

const check = (holds: boolean, claim: () => string, message: string | undefined, values?: {
  readonly actual: unknown
  readonly expected: unknown
}): void => {
  if (!holds) throw new AssertionError(message === undefined ? claim() : `${message}: ${claim()}`, values)
}

export const strictEqual = (actual: unknown, expected: unknown, message?: string): void =>
  check(Object.is(actual, expected), () => `expected ${show(actual)} to be ${show(expected)}`, message, {
    actual,
    expected
  })

export const notStrictEqual = (actual: unknown, other: unknown, message?: string): void =>
  check(!Object.is(actual, other), () => `expected ${show(actual)} to be another value`, message)

export const deepStrictEqual = (actual: unknown, expected: unknown, message?: string): void =>
  check(isDeepEqual(actual, expected), () => `expected ${show(actual)} to equal ${show(expected)}`, message, {
    actual,
    expected
  })

export const isTrue = (actual: unknown, message?: string): void => strictEqual(actual, true, message)

export const isFalse = (actual: unknown, message?: string): void => strictEqual(actual, false, message)

export const isNull = (actual: unknown, message?: string): void => strictEqual(actual, null, message)

export const isString = (actual: unknown, message?: string): void => strictEqual(typeof actual, "string", message)

export function isDefined<A>(actual: A, message?: string): asserts actual is Exclude<A, undefined> {
  check(actual !== undefined, () => "expected a value", message)
}

export const isBelow = (actual: number, limit: number, message?: string): void =>
  check(actual < limit, () => `expected ${actual} to be below ${limit}`, message)

export const isAtMost = (actual: number, limit: number, message?: string): void =>
  check(actual <= limit, () => `expected ${actual} to be at most ${limit}`, message)

type Counted = { readonly length: number } | { readonly size: number }

const countOf = (actual: Counted | object): number =>
  "length" in actual && typeof actual.length === "number"
    ? actual.length
    : "size" in actual && typeof actual.size === "number"
    ? actual.size
    : Object.keys(actual).length

/** Asserts that the text, array, map or set has this many items. */
export const lengthOf = (actual: string | Counted, count: number, message?: string): void =>
  check(
    countOf(Object(actual)) === count,
    () => `expected ${show(actual)} to have ${count} items, not ${countOf(Object(actual))}`,
    message
  )

/** Asserts that the text, array, map, set or object has no items. */
export const isEmpty = (actual: string | object, message?: string): void =>
  check(countOf(Object(actual)) === 0, () => `expected ${show(actual)} to be empty`, message)

type Container = string | ReadonlyArray<unknown> | undefined

const contains = (container: Container, item: unknown): boolean =>
  typeof container === "string"
    ? typeof item === "string" && container.includes(item)
    : container?.includes(item) === true

export const include = (container: Container, item: unknown, message?: string): void =>
  check(contains(container, item), () => `expected ${show(container)} to include ${show(item)}`, message)

/** Asserts that a container lacks an item. A missing container is a failure, too. */
export const notInclude = (container: Container, item: unknown, message?: string): void =>
  check(
    container !== undefined && !contains(container, item),
    () => `expected ${show(container)} not to include ${show(item)}`,
    message
  )

export const includeMembers = (
  actual: ReadonlyArray<unknown>,
  members: ReadonlyArray<unknown>,
  message?: string
): void =>
  check(
    members.every((member) => actual.includes(member)),
    () => `expected ${show(actual)} to include all of ${show(members)}`,
    message
  )

export const sameMembers = (actual: ReadonlyArray<unknown>, members: ReadonlyArray<unknown>, message?: string): void =>
  check(
    actual.length === members.length && members.every((member) => actual.includes(member)),
    () => `expected ${show(actual)} to have exactly the members ${show(members)}`,
    message
  )

/** Asserts that the array has an item that equals `part`, or that the object has all members of `part`. */
export const deepInclude = (actual: unknown, part: unknown, message?: string): void =>
  check(
    Array.isArray(actual)
      ? actual.some((item) => isDeepEqual(item, part))
      : isObject(actual) && isObject(part) &&
        Object.keys(part).every((name) => isDeepEqual(property(actual, name), property(part, name))),
    () => `expected ${show(actual)} to include ${show(part)}`,
    message
  )

export const notProperty = (actual: object, name: string, message?: string): void =>
  check(!(name in actual), () => `expected ${show(actual)} to have no property ${show(name)}`, message)

export const containsAllKeys = (actual: object, names: ReadonlyArray<string>, message?: string): void =>
  check(
    names.every((name) => Object.hasOwn(actual, name)),
    () => `expected ${show(actual)} to have the properties ${names.join(", ")}`,
    message
  )

export const match = (actual: string, pattern: RegExp, message?: string): void =>
  check(pattern.test(actual), () => `expected ${show(actual)} to match ${pattern}`, message)

export const notMatch = (actual: string, pattern: RegExp, message?: string): void =>
  check(!pattern.test(actual), () => `expected ${show(actual)} not to match ${pattern}`, message)
