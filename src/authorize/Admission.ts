import type { Identity } from "../identity/Identity.ts"

/**
 * The proof that a request was authorized: the caller, or the fact that the operator switched authentication off.
 *
 * Forwarding demands one, so code that forwards an unchecked request does not compile. The private field makes the type
 * nominal: no literal and no other class is assignable to it. `http/authorize.ts` alone calls the two static functions.
 */
export class Admission {
  readonly #identity: Identity | undefined

  private constructor(identity: Identity | undefined) {
    this.#identity = identity
  }

  /** The caller; `undefined` where authentication is switched off. */
  get identity(): Identity | undefined {
    return this.#identity
  }

  /** A caller whose token was verified and whose scopes suffice. */
  static authenticated(identity: Identity): Admission {
    return new Admission(identity)
  }

  /** `MCP_AUTH_ENABLED=false`: every request passes, without an identity. */
  static authenticationDisabled(): Admission {
    return new Admission(undefined)
  }
}
