/** Finding claims by their paths, as settings name them. Pure. */
import type { Identity } from "./Identity.ts"

type JsonObject = Identity["claims"]

const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// Only an object's own members are read, so that `constructor` has no special meaning. `null` counts as missing.
const own = (claims: JsonObject, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] ?? undefined : undefined

const below = (value: unknown, steps: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const [step, ...rest] = steps
  if (step === undefined) return [value]
  if (!isJsonObject(value)) return []
  const members = step === "*" ? Object.values(value) : [own(value, step)]
  return members.flatMap((member) => below(member, rest))
}

/**
 * Returns the values at a path: `realm_access.roles` leads into objects, `*` matches each member.
 *
 * A claim whose name is the whole path takes precedence, because names may be URLs, which contain dots.
 */
export const claimsAt = (claims: JsonObject, path: string): ReadonlyArray<unknown> =>
  Object.hasOwn(claims, path) ? [own(claims, path)] : below(claims, path.split("."))

/** Returns the value at a path without `*`; `undefined` if it is missing or `null`. */
export const claimAt = (claims: JsonObject, path: string): unknown => claimsAt(claims, path)[0]

/** A claim, and the path under which it was found. */
export interface FoundClaim {
  readonly path: string
  readonly value: unknown
}

export const firstClaim = (claims: JsonObject, paths: ReadonlyArray<string>): FoundClaim | undefined => {
  for (const path of paths) {
    const value = claimAt(claims, path)
    if (value !== undefined) return { path, value }
  }
  return undefined
}
