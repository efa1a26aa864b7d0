import type { Identity } from "../identity/Identity.ts"

/**
 * The requests that have passed a middleware, so that a middleware that is mounted twice does not look for the token
 * that it has removed.
 */
export interface Passed {
  /** Notes a request, with its caller if there is one. */
  readonly add: (request: object, identity: Identity | undefined) => void
  /** Whether a request need not be checked again: one without a caller has not passed `protect`. */
  readonly has: (request: object, way: "protect" | "admit") => boolean
}

/** Builds the memory of one middleware, which keeps no request alive. */
export const makePassed = (): Passed => {
  const known = new WeakMap<object, { readonly hasCaller: boolean }>()
  return {
    add: (request, identity) => void known.set(request, { hasCaller: identity !== undefined }),
    has: (request, way) => {
      const found = known.get(request)
      return found !== undefined && (found.hasCaller || way === "admit")
    }
  }
}
