import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { noteBuiltOn, perConfiguration } from "../config/perConfiguration.ts"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { VerificationError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import { countRejection } from "./verdictMetrics.ts"
import { makeVerdictStore, type VerdictStore } from "./verdictStore.ts"
import { makeVerifiedTokens, type VerifiedTokens } from "./VerifiedTokens.ts"

/** The memory of verdicts, and the count of refusals. */
const make = Effect.fnUntraced(function*(store?: VerdictStore) {
  const { peek, verify } = yield* makeVerifiedTokens(store)
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
 * Says who bears a token, or why it is refused.
 *
 * A refusal is final: `InvalidToken` is answered 401; `InsufficientScope`, where the provider asks for more scopes before
 * it says anything, 403. `ProviderUnavailable` means that nobody can say now, which is never the caller's fault, and is
 * answered 500. A verifier of your own stands alone, or wraps this one through
 * `layerPrefix` and `layerMapIdentity`; `TokenVerifierTest` of `mcp-authorizer/testing` says whether it is right.
 *
 * **Example** (a verifier that knows one token)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 * import { type Identity, InvalidToken, TokenVerifier } from "mcp-authorizer"
 *
 * declare const owner: Identity
 *
 * const refused = new InvalidToken({ reason: "UnknownToken", provider: "one", detail: "another token" })
 *
 * const One = Layer.succeed(TokenVerifier, {
 *   verify: (token) => Redacted.value(token) === "the-token" ? Effect.succeed(owner) : Effect.fail(refused)
 * })
 * ```
 *
 * @see RFC 6750; RFC 7519, section 7.2; RFC 7662
 */
export class TokenVerifier extends Context.Service<TokenVerifier, {
  readonly verify: (token: BearerToken) => Effect.Effect<Identity, VerificationError>
  /**
   * The identity at once, where the token was verified before and a fresh verification would say the same; `undefined`:
   * only `verify` can say.
   *
   * Optional, for servers with many requests a second. It must be as strict as `verify`. It takes the text of the
   * token, because a wrapper for each request costs more than the answer; it must not keep it.
   */
  readonly peek?: ((token: string) => Identity | undefined) | undefined
}>()("mcp-authorizer/verify/TokenVerifier") {
  /** Verifies with the configured providers, and remembers what it has verified while nothing changes. */
  static readonly layer = perConfiguration(Layer.effect(TokenVerifier, make()))

  /** The same, and leaves what it has found about tokens to other instances in the `KeyValueStore`. */
  static readonly layerStored = perConfiguration(Layer.effect(TokenVerifier, Effect.flatMap(makeVerdictStore, make)))

  /**
   * Gives tokens that begin with `prefix` to a function of yours, and all others to the verifier it is provided with.
   *
   * Use it for API keys beside OAuth. The function's no is final. Its own needs become those of the layer.
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
  ): Layer.Layer<TokenVerifier, never, TokenVerifier | R> => {
    const isOwn = (token: string): boolean => token.startsWith(prefix)
    return perConfiguration(Layer.effect(
      TokenVerifier,
      Effect.gen(function*() {
        const others = yield* TokenVerifier
        const context = yield* Effect.context<R>()
        return noteBuiltOn(
          TokenVerifier.of({
            verify: (token) =>
              isOwn(Redacted.value(token)) ? Effect.provideContext(verify(token), context) : others.verify(token),
            peek: others.peek && ((token) => isOwn(token) ? undefined : others.peek?.(token))
          }),
          others
        )
      })
    ))
  }

  /**
   * Changes the identity that the verifier it is provided with has established, once for each request.
   *
   * Use it to find or create the user in a directory of yours, or to bar one (`AccessDenied` with the reason `Policy`: 403; `InvalidToken`: 401). The function's own needs
   * become those of the layer.
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
}
