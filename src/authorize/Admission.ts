import type { Identity } from "../identity/Identity.ts"

/**
 * The proof that a request may go on: who calls, or that the operator switched authentication off.
 *
 * Forwarding demands one, so a request that was not judged cannot be forwarded: it does not compile. The constructor
 * is private; the two ways to an admission are the two static functions, and `http/admit.ts` is their only caller.
 */
export class Admission {
  readonly identity: Identity | undefined

  private constructor(identity: Identity | undefined) {
    this.identity = identity
  }

  /** A caller whose token was verified and whose scopes suffice. */
  static authenticated(identity: Identity): Admission {
    return new Admission(identity)
  }

  /** `MCP_AUTH_ENABLED=false`: everyone, as nobody in particular. */
  static authenticationDisabled(): Admission {
    return new Admission(undefined)
  }
}
