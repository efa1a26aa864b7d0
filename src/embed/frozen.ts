import type { Identity } from "../identity/Identity.ts"

const freeze = (value: unknown): void => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  Object.values(value).forEach(freeze)
}

/**
 * Returns the identity, deeply frozen.
 *
 * A verified identity is cached for later requests with its token: without freezing, a handler's changes would apply to
 * all of them.
 */
export const frozen = (identity: Identity): Identity => {
  freeze(identity)
  return identity
}
