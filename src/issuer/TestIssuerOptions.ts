/** What can be asked of a test issuer: when it is made, and of each token. */
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { Signer } from "./SigningKey.ts"

/** How an issuer is set up; every field has a default. */
export interface TestIssuerOptions {
  /** Path of the issuer, `/tenant` for example; none unless given. */
  readonly path?: string | undefined
  /** `aud` of tokens; `https://mcp.example/mcp` unless given. */
  readonly audience?: string | ReadonlyArray<string> | undefined
  /** `sub` of tokens; `user-1` unless given. */
  readonly subject?: string | undefined
  /** Claims of every token beside the standard ones, `email` for example. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /**
   * Algorithms whose keys are published from the start; the first one signs by default. `["RS256"]` unless given. An
   * RSA key takes some tenths of a second to generate, an elliptic one next to nothing.
   */
  readonly algorithms?: readonly [JwsAlgorithm, ...ReadonlyArray<JwsAlgorithm>] | undefined
  /**
   * `new` generates every key; `reused` first takes those of issuers in this process that have stopped, under new
   * names. No two living issuers share a key either way. Choose `reused` where a suite makes many issuers. `new` unless given.
   */
  readonly keys?: "new" | "reused" | undefined
  /** What the token endpoint grants; `["mcp:read", "mcp:write"]` unless given. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** The client of the token and introspection endpoints; `test-client` and `test-secret` unless given. */
  readonly client?: { readonly id: string; readonly secret: string } | undefined
  /** Life of a token; 300 unless given. */
  readonly expiresInSeconds?: number | undefined
}

/** How an issuer without a socket is set up. */
export interface MemoryIssuerOptions extends TestIssuerOptions {
  /** Where it seems to be, without a path; `https://issuer.test` unless given. */
  readonly origin?: string | undefined
}

/** What to change in a signed token. */
export interface SignOptions {
  /** An algorithm, or a key of your own; the first of the issuer's algorithms unless given. */
  readonly key?: JwsAlgorithm | Signer | undefined
  /** Laid over `{ alg, kid, typ: "JWT" }`; a member that is `undefined` is removed. */
  readonly header?: Readonly<Record<string, unknown>> | undefined
  /** Laid over `{ iss, aud, sub, iat, exp }` and the issuer's claims; a member that is `undefined` is removed. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /** From now, in seconds; may be negative. */
  readonly expiresInSeconds?: number | undefined
  /** JSON text in place of the header, for what no object can say (repeated members). */
  readonly headerJson?: string | undefined
  /** JSON text in place of the claims. */
  readonly payloadJson?: string | undefined
}

/** What to put behind an opaque token. */
export interface OpaqueTokenOptions {
  /** What the token begins with, `mat_` for example; nothing unless given. */
  readonly prefix?: string | undefined
  readonly subject?: string | undefined
  readonly clientId?: string | undefined
  readonly audience?: string | ReadonlyArray<string> | undefined
  readonly scopes?: ReadonlyArray<string> | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
  /** From now, in seconds. */
  readonly expiresInSeconds?: number | undefined
  /** Laid over the introspection answer; a member that is `undefined` is removed. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}
