import type * as Effect from "effect/Effect"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { Misbehaviour } from "./Misbehaviour.ts"
import type { ReceivedRequest } from "./ReceivedRequest.ts"
import type { SigningKey } from "./SigningKey.ts"
import type { OpaqueTokenOptions, SignOptions } from "./TestIssuerOptions.ts"

/** What a test can do with an issuer. No operation fails. */
export interface Issuer {
  /** The `iss` of its tokens: its origin and its path, without a slash at the end. */
  readonly issuer: string
  readonly jwksUri: string
  readonly tokenEndpoint: string
  readonly userinfoEndpoint: string
  readonly introspectionEndpoint: string
  readonly audience: string | ReadonlyArray<string>
  readonly client: { readonly id: string; readonly secret: string }
  /** A compact JWT, right in every way unless the options spoil it. */
  readonly sign: (options?: SignOptions) => Effect.Effect<string>
  /** A token that only this issuer can explain, at its userinfo and introspection endpoints. */
  readonly issueOpaque: (options?: OpaqueTokenOptions) => Effect.Effect<string>
  /** Makes an opaque token, or one from the token endpoint, inactive. */
  readonly revoke: (token: string) => Effect.Effect<void>
  /** The key that signs with `algorithm` (the default one unless given), generated when first asked for. */
  readonly key: (algorithm?: JwsAlgorithm) => Effect.Effect<SigningKey>
  /** Signs with a new key from now on and publishes it beside the old one. */
  readonly rotate: (algorithm?: JwsAlgorithm) => Effect.Effect<SigningKey>
  /** Withdraws every key with this `kid` from the JWKS; it can still sign. */
  readonly removeKey: (kid: string) => Effect.Effect<void>
  /** Adds anything to the JWKS: another key, a broken one, a repeated `kid`. */
  readonly publishKey: (jwk: object) => Effect.Effect<void>
  /** The JWKS as it stands. */
  readonly jwks: Effect.Effect<{ readonly keys: ReadonlyArray<object> }>
  /**
   * Spoils the answers to the next `times` requests (1 unless given, `Infinity` for all) to `path`, after those
   * already spoiled. A path here and below is the whole path on the wire, without the query.
   */
  readonly misbehave: (path: string, behaviour: Misbehaviour, times?: number) => Effect.Effect<void>
  /** Forgets the misbehaviours for `path`, or all of them. */
  readonly behave: (path?: string) => Effect.Effect<void>
  /** How many requests to `path` were received, spoiled ones too. */
  readonly hits: (path: string) => Effect.Effect<number>
  /**
   * Waits until `path` has received `count` requests: the moment to adjust a `TestClock` while an answer hangs, drips
   * or is delayed.
   */
  readonly awaitHits: (path: string, count: number) => Effect.Effect<void>
  /** The requests to `path`, or all of them, oldest first. They hold credentials: do not log them. */
  readonly requests: (path?: string) => Effect.Effect<ReadonlyArray<ReceivedRequest>>
}
