import type { Identity } from "../identity/Identity.ts"

const freeze = (value: unknown): void => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  Object.values(value).forEach(freeze)
}

/**
 * The identity, unchangeable to the last claim.
 *
 * A verified identity is remembered for the next requests of its token: what a handler changes in it would be believed
 * of them all.
 */
export const frozen = (identity: Identity): Identity => {
  freeze(identity)
  return identity
}
