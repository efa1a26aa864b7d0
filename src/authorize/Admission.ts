import type { Identity } from "../identity/Identity.ts"

/**
 * The proof that a request was authorized: it has the caller, or it states that authentication is switched off or that
 * anyone is allowed.
 *
 * Forwarding requires one, so code that forwards an unchecked request does not compile. The private field makes the
 * type nominal: no literal and no other class is assignable to it. Only `http/authorize.ts` and `http/course/ruling.ts`
 * call the static functions.
 */
export class Admission {
  readonly #identity: Identity | undefined

  private constructor(identity: Identity | undefined) {
    this.#identity = identity
  }

  /** The caller; `undefined` if authentication is switched off, and for a request without a token. */
  get identity(): Identity | undefined {
    return this.#identity
  }

  /** A caller whose token was verified and whose scopes suffice. */
  static authenticated(identity: Identity): Admission {
    return new Admission(identity)
  }

  /** A request without a token that the rules allow to anyone. */
  static byRules(): Admission {
    return new Admission(undefined)
  }

  /** `MCP_AUTH_ENABLED=false`: every request passes, without an identity. */
  static authenticationDisabled(): Admission {
    return new Admission(undefined)
  }
}
