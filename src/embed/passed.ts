import type { Identity } from "../identity/Identity.ts"

/**
 * Remembers the requests that have passed a middleware: if the middleware is mounted twice, its second instance finds
 * no token.
 */
export interface Passed {
  /** Records a request, with its caller if there is one. */
  readonly add: (request: object, identity: Identity | undefined) => void
  /** Returns whether a request need not be checked again. `protect` must check a request without a caller again. */
  readonly has: (request: object, way: "protect" | "admit") => boolean
}

/** Builds the memory of one middleware. It does not keep requests alive. */
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
