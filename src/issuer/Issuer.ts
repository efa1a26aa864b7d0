import type * as Effect from "effect/Effect"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { Misbehaviour } from "./Misbehaviour.ts"
import type { ReceivedRequest } from "./ReceivedRequest.ts"
import type { SigningKey } from "./SigningKey.ts"
import type { OpaqueTokenOptions, SignOptions } from "./TestIssuerOptions.ts"

/** The operations of a test issuer. No operation fails. */
export interface Issuer {
  /** The `iss` of its tokens: origin and path, without a trailing slash. */
  readonly issuer: string
  readonly jwksUri: string
  readonly tokenEndpoint: string
  readonly userinfoEndpoint: string
  readonly introspectionEndpoint: string
  readonly audience: string | ReadonlyArray<string>
  readonly client: { readonly id: string; readonly secret: string }
  /** Signs a compact JWT, which is valid unless the options make it invalid. */
  readonly sign: (options?: SignOptions) => Effect.Effect<string>
  /** Issues an opaque token, which the userinfo and introspection endpoints verify. */
  readonly issueOpaque: (options?: OpaqueTokenOptions) => Effect.Effect<string>
  /** Makes a stored token inactive. */
  readonly revoke: (token: string) => Effect.Effect<void>
  /** Returns the key for `algorithm` (default: the default algorithm). Generated on first use. */
  readonly key: (algorithm?: JwsAlgorithm) => Effect.Effect<SigningKey>
  /** Signs with a new key from now on, and publishes it in addition to the old one. */
  readonly rotate: (algorithm?: JwsAlgorithm) => Effect.Effect<SigningKey>
  /** Removes every key with this `kid` from the JWKS. The key can still sign. */
  readonly removeKey: (kid: string) => Effect.Effect<void>
  /** Adds anything to the JWKS: another key, a malformed one, a duplicate `kid`. */
  readonly publishKey: (jwk: object) => Effect.Effect<void>
  /** The current JWKS. */
  readonly jwks: Effect.Effect<{ readonly keys: ReadonlyArray<object> }>
  /**
   * Changes the responses to the next `times` requests to `path` (default: 1; `Infinity`: all), after pending
   * misbehaviours for that path. Here and below, a path is the whole path in the request, without the query.
   */
  readonly misbehave: (path: string, behaviour: Misbehaviour, times?: number) => Effect.Effect<void>
  /** Removes the pending misbehaviours for `path`, or all of them. */
  readonly behave: (path?: string) => Effect.Effect<void>
  /** Returns how many requests to `path` were received, including those with a misbehaviour. */
  readonly hits: (path: string) => Effect.Effect<number>
  /**
   * Waits until `path` has received `count` requests. Adjust a `TestClock` after this, while a response is delayed,
   * hangs or drips.
   */
  readonly awaitHits: (path: string, count: number) => Effect.Effect<void>
  /** Returns the requests to `path`, or all of them, oldest first. They contain credentials: do not log them. */
  readonly requests: (path?: string) => Effect.Effect<ReadonlyArray<ReceivedRequest>>
}
