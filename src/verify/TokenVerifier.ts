import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import { noteBuiltOn, perConfiguration } from "../config/perConfiguration.ts"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { VerificationError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import { makeDecodeClaims } from "./claims/typedClaims.ts"
import { makePrefixVerdicts, type PrefixOptions } from "./prefixVerdicts.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import { makeReplicaVerdicts } from "./replicaVerdicts.ts"
import { countRejection } from "./verdictMetrics.ts"
import { makeVerdictStore, type VerdictStore } from "./verdictStore.ts"
import { makeVerifiedTokens, type VerifiedTokens } from "./VerifiedTokens.ts"

/** Verifies tokens that have a prefix with one verifier, and all others with another. */
const withPrefix = (
  others: TokenVerifier["Service"],
  prefix: string,
  own: Pick<VerifiedTokens, "peek" | "verify">
): TokenVerifier["Service"] => {
  const isOwn = (token: string): boolean => token.startsWith(prefix)
  return noteBuiltOn(
    TokenVerifier.of({
      verify: (token) => (isOwn(Redacted.value(token)) ? own : others).verify(token),
      peek: others.peek && ((token) => (isOwn(token) ? own : others).peek?.(token))
    }),
    others
  )
}

/** Builds the verifier of the configured providers, with its cache and its counter of rejections. */
const make = Effect.fnUntraced(function*(store?: VerdictStore) {
  const { peek, verify } = yield* makeVerifiedTokens(
    store,
    undefined,
    store === undefined ? yield* makeReplicaVerdicts : undefined
  )
  const verifier: VerifiedTokens = {
    verify: (token) =>
      Effect.tapError(
        verify(token),
        (error) => countRejection(error._tag === "InvalidToken" ? error.reason : error._tag)
      ),
    peek
  }
  return noteBuiltOn(verifier, yield* ProviderRegistry)
})

/**
 * Returns the caller that a bearer token represents, or rejects the token.
 *
 * `InvalidToken` results in 401. `InsufficientScope`, from a provider that requires more scopes before it identifies
 * the caller, results in 403. `ProviderUnavailable` means that the token cannot be verified now, which is never the
 * caller's fault, and results in 500. Your own verifier can replace this one, or wrap it with `layerPrefix` and
 * `layerMapIdentity`. Test it with `TokenVerifierTest` of `mcp-authorizer/testing`.
 *
 * **Example** (a verifier that accepts one token)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 * import { type Identity, InvalidToken, TokenVerifier } from "mcp-authorizer"
 *
 * declare const owner: Identity
 *
 * const unknown = new InvalidToken({ reason: "UnknownToken", provider: "one", detail: "another token" })
 *
 * const One = Layer.succeed(TokenVerifier, {
 *   verify: (token) => Redacted.value(token) === "the-token" ? Effect.succeed(owner) : Effect.fail(unknown)
 * })
 * ```
 *
 * @see RFC 6750; RFC 7519, section 7.2; RFC 7662
 */
export class TokenVerifier extends Context.Service<TokenVerifier, {
  readonly verify: (token: BearerToken) => Effect.Effect<Identity, VerificationError>
  /**
   * Returns the identity synchronously if the token was verified before and a fresh verification would have the same
   * result. If it returns `undefined`, call `verify`.
   *
   * Optional, for servers with many requests a second. It must be as strict as `verify`. It takes the text of the token,
   * because a wrapper for each request would cost more than the lookup. It must not keep the text.
   */
  readonly peek?: ((token: string) => Identity | undefined) | undefined
}>()("mcp-authorizer/verify/TokenVerifier") {
  /**
   * Verifies tokens with the configured providers, and caches verdicts while they remain valid. Shares verdicts about opaque
   * tokens with other replicas if `SharedEntries` is provided.
   */
  static readonly layer: Layer.Layer<TokenVerifier, never, Digest.Digest | ProviderRegistry> = perConfiguration(
    Layer.effect(TokenVerifier, make())
  )

  /** Like `layer`, and shares verdicts with other instances in the `KeyValueStore`. */
  static readonly layerStored: Layer.Layer<
    TokenVerifier,
    never,
    Digest.Digest | GatewayConfig | KeyValueStore.KeyValueStore | ProviderRegistry
  > = perConfiguration(Layer.effect(TokenVerifier, Effect.flatMap(makeVerdictStore, make)))

  /**
   * Verifies tokens that begin with `prefix` with a function of your own, and all others with the wrapped verifier.
   *
   * Use it for API keys in addition to OAuth. The function's rejections are final. The layer requires what the function
   * does.
   *
   * **Example**
   *
   * ```ts
   * import type * as Effect from "effect/Effect"
   * import * as Layer from "effect/Layer"
   * import { type BearerToken, type Identity, type InvalidToken, TokenVerifier } from "mcp-authorizer"
   *
   * declare const findApiKey: (key: BearerToken) => Effect.Effect<Identity, InvalidToken>
   *
   * const Verifier = TokenVerifier.layerPrefix("wcd_", (key) => findApiKey(key)).pipe(
   *   Layer.provide(TokenVerifier.layer)
   * )
   * ```
   */
  static readonly layerPrefix = <R>(
    prefix: string,
    verify: (token: BearerToken) => Effect.Effect<Identity, VerificationError, R>
  ): Layer.Layer<TokenVerifier, never, TokenVerifier | R> =>
    perConfiguration(Layer.effect(
      TokenVerifier,
      Effect.gen(function*() {
        const context = yield* Effect.context<R>()
        return withPrefix(yield* TokenVerifier, prefix, {
          verify: (token) => Effect.provideContext(verify(token), context),
          peek: undefined
        })
      })
    ))

  /**
   * Like `layerPrefix`, with the function's verdicts cached and guarded like those of the gateway's own providers.
   *
   * Use it if the function queries a database or another server. The function is not called while a verdict is cached,
   * and rarely while it fails with `ProviderUnavailable`: other requests then fail at once. A verdict ends at the
   * latest when the identity expires.
   *
   * **Example** (tokens of GitHub)
   *
   * ```ts
   * import type * as Effect from "effect/Effect"
   * import * as Layer from "effect/Layer"
   * import { type BearerToken, type Identity, TokenVerifier, type VerificationError } from "mcp-authorizer"
   *
   * declare const askGitHub: (token: BearerToken) => Effect.Effect<Identity, VerificationError>
   *
   * const Verifier = TokenVerifier.layerPrefixCached("gho_", askGitHub, { remember: { accepted: "2 minutes" } }).pipe(
   *   Layer.provide(TokenVerifier.layer)
   * )
   * ```
   */
  static readonly layerPrefixCached = <R>(
    prefix: string,
    verify: (token: BearerToken) => Effect.Effect<Identity, VerificationError, R>,
    options: PrefixOptions = {}
  ): Layer.Layer<TokenVerifier, never, TokenVerifier | Digest.Digest | R> =>
    perConfiguration(Layer.effect(
      TokenVerifier,
      Effect.gen(function*() {
        const context = yield* Effect.context<R>()
        const own = yield* makePrefixVerdicts(
          prefix,
          (token) => Effect.provideContext(verify(token), context),
          options
        )
        return withPrefix(yield* TokenVerifier, prefix, own)
      })
    ))

  /**
   * Changes the identity that the wrapped verifier has established, once for each request.
   *
   * Use it to find or create the user in your own directory, or to reject a user: fail with `AccessDenied` and the reason
   * `Policy` for a 403, or with `InvalidToken` for a 401. The layer requires what the function does.
   *
   * **Example**
   *
   * ```ts
   * import type * as Effect from "effect/Effect"
   * import * as Layer from "effect/Layer"
   * import { type Identity, TokenVerifier } from "mcp-authorizer"
   *
   * declare const findOrCreateUser: (person: Identity) => Effect.Effect<Identity>
   *
   * const Verifier = TokenVerifier.layerMapIdentity(findOrCreateUser).pipe(Layer.provide(TokenVerifier.layer))
   * ```
   */
  static readonly layerMapIdentity = <R>(
    f: (identity: Identity) => Effect.Effect<Identity, VerificationError, R>
  ): Layer.Layer<TokenVerifier, never, TokenVerifier | R> =>
    perConfiguration(Layer.effect(
      TokenVerifier,
      Effect.gen(function*() {
        const verifier = yield* TokenVerifier
        const context = yield* Effect.context<R>()
        return noteBuiltOn(
          TokenVerifier.of({
            verify: (token) =>
              Effect.flatMap(verifier.verify(token), (identity) => Effect.provideContext(f(identity), context))
          }),
          verifier
        )
      })
    ))

  /**
   * Requires that the claims of every caller match a schema of your own. Tokens whose claims do not are rejected by
   * `AccessDenied` with the reason `Claims`, a 403.
   *
   * Use it where a program relies on claims. Middlewares with the option `claims`, and `Authentication.layerClaims`, apply
   * it themselves and give handlers the decoded claims.
   *
   * **Example**
   *
   * ```ts
   * import * as Layer from "effect/Layer"
   * import * as Schema from "effect/Schema"
   * import { TokenVerifier } from "mcp-authorizer"
   *
   * const Verifier = TokenVerifier.layerClaims(Schema.Struct({ department: Schema.String })).pipe(
   *   Layer.provide(TokenVerifier.layer)
   * )
   * ```
   *
   * @see RFC 9110, section 15.5.4
   */
  static readonly layerClaims = (
    schema: Schema.ConstraintDecoder<unknown>
  ): Layer.Layer<TokenVerifier, never, TokenVerifier> => {
    const decode = makeDecodeClaims(schema)
    return perConfiguration(Layer.effect(
      TokenVerifier,
      Effect.map(TokenVerifier, (verifier) => {
        const { peek } = verifier
        return noteBuiltOn(
          TokenVerifier.of({
            verify: (token) => Effect.tap(verifier.verify(token), (identity) => Effect.fromResult(decode(identity))),
            peek: peek && ((token) => {
              const identity = peek(token)
              // `undefined` for claims that do not match: `verify` fails with the reason.
              return identity !== undefined && Result.isSuccess(decode(identity)) ? identity : undefined
            })
          }),
          verifier
        )
      })
    ))
  }
}
