/** Options of a test issuer, and of each token. */
import type * as Duration from "effect/Duration"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { Signer } from "./SigningKey.ts"

/** Options of an issuer. Every option has a default. */
export interface TestIssuerOptions {
  /** Path of the issuer, such as `/tenant`. Default: no path. */
  readonly path?: string | undefined
  /** `aud` of tokens. Default: `https://mcp.example/mcp`. */
  readonly audience?: string | ReadonlyArray<string> | undefined
  /** `sub` of tokens. Default: `user-1`. */
  readonly subject?: string | undefined
  /** Claims of every token in addition to the standard ones, such as `email`. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /**
   * Algorithms whose keys are published from the start. The first one signs by default. Default: `["RS256"]`. An RSA key
   * takes some tenths of a second to generate, an elliptic one next to nothing.
   */
  readonly algorithms?: readonly [JwsAlgorithm, ...ReadonlyArray<JwsAlgorithm>] | undefined
  /**
   * `new` generates every key. `reused` first takes the keys of issuers in this process that have stopped, under new
   * names. In both cases, no two running issuers share a key. Use `reused` in a suite with many issuers. Default: `new`.
   */
  readonly keys?: "new" | "reused" | undefined
  /** The scopes that the token endpoint grants. Default: `["mcp:read", "mcp:write"]`. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** The client of the token and introspection endpoints. Default: `test-client` and `test-secret`. */
  readonly client?: { readonly id: string; readonly secret: string } | undefined
  /** Lifetime of a token. Default: 5 minutes. */
  readonly expiresIn?: Duration.Input | undefined
}

/** Options of an issuer without a socket. */
export interface MemoryIssuerOptions extends TestIssuerOptions {
  /** The issuer's origin, without a path. Default: `https://issuer.test`. */
  readonly origin?: string | undefined
}

/** Changes to a signed token. */
export interface SignOptions {
  /** An algorithm, or a key of your own. Default: the first of the issuer's algorithms. */
  readonly key?: JwsAlgorithm | Signer | undefined
  /** Merged into `{ alg, kid, typ: "JWT" }`. A member that is `undefined` is removed. */
  readonly header?: Readonly<Record<string, unknown>> | undefined
  /** Merged into `{ iss, aud, sub, iat, exp }` and the issuer's claims. A member that is `undefined` is removed. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /** Lifetime from now. May be negative. */
  readonly expiresIn?: Duration.Input | undefined
  /** JSON text instead of the header, for text that no object can represent (duplicate members). */
  readonly headerJson?: string | undefined
  /** JSON text instead of the claims. */
  readonly payloadJson?: string | undefined
}

/** Options of an opaque token. */
export interface OpaqueTokenOptions {
  /** The prefix of the token, such as `mat_`. Default: no prefix. */
  readonly prefix?: string | undefined
  readonly subject?: string | undefined
  readonly clientId?: string | undefined
  readonly audience?: string | ReadonlyArray<string> | undefined
  readonly scopes?: ReadonlyArray<string> | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
  /** Lifetime from now. */
  readonly expiresIn?: Duration.Input | undefined
  /** Merged into the responses of introspection and userinfo. A member that is `undefined` is removed. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}
