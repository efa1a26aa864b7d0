import type { Identity } from "../identity/Identity.ts"

/**
 * The proof that a request was authorized: the caller, or the fact that the operator switched authentication off, or lets anyone
 * do what it asks for.
 *
 * Forwarding demands one, so code that forwards an unchecked request does not compile. The private field makes the type
 * nominal: no literal and no other class is assignable to it. `http/authorize.ts` and `http/course/ruling.ts` alone call the static functions.
 */
export class Admission {
  readonly #identity: Identity | undefined

  private constructor(identity: Identity | undefined) {
    this.#identity = identity
  }

  /** The caller; `undefined` where authentication is switched off, and for a request without a token. */
  get identity(): Identity | undefined {
    return this.#identity
  }

  /** A caller whose token was verified and whose scopes suffice. */
  static authenticated(identity: Identity): Admission {
    return new Admission(identity)
  }

  /** There is no token, and rules let anyone do all that the request asks for. */
  static byRules(): Admission {
    return new Admission(undefined)
  }

  /** `MCP_AUTH_ENABLED=false`: every request passes, without an identity. */
  static authenticationDisabled(): Admission {
    return new Admission(undefined)
  }
}
