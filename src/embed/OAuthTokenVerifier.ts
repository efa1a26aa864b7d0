/** Token verification for servers that use the official MCP SDK, for example on Express. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import { GatewayConfig, type GatewayConfigOptions } from "../config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../config/GatewayConfigInput.ts"
import { resourceUrl } from "../config/kinds/resourceUrl.ts"
import { logWarnings } from "../config/warnings.ts"
import { rejectionFields } from "../http/accessLog.ts"
import { annotate } from "../log/logFields.ts"
import type { ProviderType } from "../providers/ProviderType.ts"
import type { Verification } from "../verify/layers.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { embeddableSettings } from "./embeddable.ts"
import { layerVerifierWith } from "./layers.ts"
import { makeRuntime } from "./makeRuntime.ts"
import { type SdkErrors, type TokenError, toSdkError } from "./oauthTokenErrors.ts"
import { type OAuthTokenInfo, oauthTokenInfo } from "./oauthTokenInfo.ts"
import { type Demands, verifyPresented } from "./verifyPresented.ts"

export type { OAuthTokenInfo, SdkErrors }

/** The interface of this name in the official SDK, 1.x and 2.x. */
export interface OAuthTokenVerifier {
  /**
   * Returns the caller that a token represents.
   *
   * Rejects with an error of the SDK: `invalid_token`, for which the SDK responds with 401, or `insufficient_scope`, with
   * 403. Any other error, for which the SDK responds with 500, means that the token cannot be verified now, or a defect
   * of the gateway. All errors are logged.
   */
  readonly verifyAccessToken: (token: string) => Promise<OAuthTokenInfo>
  /** Releases caches and connections. Call it when the server stops. */
  readonly dispose: () => Promise<void>
}

/** Options in addition to the settings. */
export interface ConfiguredVerifierOptions<
  E = never,
  Types extends ReadonlyArray<ProviderType> = ReadonlyArray<ProviderType>
> extends GatewayConfigOptions<Types> {
  /** The verification of tokens on top of the configured providers. Default: `TokenVerifier.layer`. */
  readonly verifier?: Verification<E> | undefined
  /**
   * The claims that every caller must have, as an Effect `Schema`. A token whose claims do not match results in 403.
   */
  readonly claims?: Schema.ConstraintDecoder<unknown> | undefined
  /** Where rejections and defects are logged. Default: Effect's logger. */
  readonly logger?: Layer.Layer<never> | undefined
}

/** Options in addition to the verifier. */
export interface OAuthTokenVerifierOptions {
  /** Where rejections and defects are logged. Default: Effect's logger. */
  readonly logger?: Layer.Layer<never> | undefined
  /** The maximum length of a token, in bytes. Default: 16384. */
  readonly maxTokenBytes?: number | undefined
  /** The URL of the MCP endpoint: reported as `resource` of tokens whose `aud` names it, for `expectedResource`. */
  readonly resource?: string | undefined
}

/** Logs the actual reason, which neither the SDK nor the client gets. */
const logRejection = (error: TokenError): Effect.Effect<void> =>
  Effect.logWithLevel(error._tag === "ProviderUnavailable" ? "Error" : "Info")("token not accepted").pipe(
    annotate(rejectionFields(error))
  )

// The message is left out, because it may contain a token.
const logFault = (defect: unknown): Effect.Effect<void> =>
  Effect.logError("internal fault").pipe(annotate({ fault: defect instanceof Error ? defect.name : typeof defect }))

const make = <E>(
  layer: Layer.Layer<TokenVerifier, E>,
  sdk: SdkErrors,
  { logger, maxTokenBytes = 16_384, resource }: OAuthTokenVerifierOptions,
  demands: Demands
): OAuthTokenVerifier => {
  const runtime = makeRuntime(layer, logger)
  const verified = Effect.fnUntraced(function*(presented: string): Effect.fn.Return<
    OAuthTokenInfo,
    TokenError,
    TokenVerifier
  > {
    // The SDK takes everything after the scheme, up to a space.
    const { identity, token } = yield* verifyPresented([`Bearer ${presented}`], demands, maxTokenBytes)
    const nowSeconds = (yield* Clock.currentTimeMillis) / 1000
    return oauthTokenInfo(Redacted.value(token), identity, { nowSeconds, resource })
  })
  return {
    verifyAccessToken: (token) =>
      runtime.runPromise(
        verified(token).pipe(
          Effect.tapError(logRejection),
          Effect.tapDefect(logFault),
          Effect.mapError(toSdkError(sdk))
        )
      ),
    dispose: () => runtime.dispose()
  }
}

/**
 * Builds the `verifier` of the official SDK's `requireBearerAuth` from your own verifier.
 *
 * Use it if the settings of the gateway do not suffice: without any configured provider, or with layers that need more.
 * Pass the scopes that callers need to `requireBearerAuth`.
 *
 * @see `makeOAuthTokenVerifier`
 */
export const makeOAuthTokenVerifierWith = <E>(
  verifier: Layer.Layer<TokenVerifier, E>,
  sdk: SdkErrors,
  options: OAuthTokenVerifierOptions = {}
): OAuthTokenVerifier =>
  make(verifier, sdk, options, {
    providers: [],
    requiredScopes: [],
    allowedEmails: [],
    allowedEmailDomains: [],
    allowedSubjects: []
  })

/**
 * Builds the `verifier` of the official SDK's `requireBearerAuth` from the settings of the gateway.
 *
 * Use it to protect an MCP server from within. These settings apply: `providers` and those that describe a single
 * provider, `required_scopes`, `clock_skew`, `max_token_bytes`, and `public_url` with `path`, the URL of the server for
 * `expectedResource` and the audience `auto`. Pass required scopes to `requireBearerAuth` too, whose challenge names them
 * to clients. Keys are fetched with `fetch` when the first token is verified.
 *
 * The SDK rejects tokens without an expiry and has no tolerance for clocks. So an opaque token whose provider does not
 * report an expiry gets an `expiresAt` five minutes from now, and a token that expired within `clock_skew` results in
 * 401.
 *
 * **Example** (Express and SDK 1.x; with 2.x, `sdk` is `{ OAuthError }` from `@modelcontextprotocol/server`)
 *
 * ```ts
 * import * as sdk from "@modelcontextprotocol/sdk/server/auth/errors.js"
 * import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js"
 * import express from "express"
 * import { makeOAuthTokenVerifier } from "mcp-authorizer"
 *
 * const verifier = makeOAuthTokenVerifier({
 *   public_url: "https://mcp.example.com",
 *   providers: [{ type: "authkit", issuer: "https://your-tenant.authkit.app", audience: ["auto"] }]
 * }, sdk)
 *
 * express().use("/mcp", requireBearerAuth({ verifier, requiredScopes: ["mcp:read"] }))
 * ```
 *
 * @throws `InvalidConfiguration`, with all problems at once
 */
export const makeOAuthTokenVerifier = <E = never, const Types extends ReadonlyArray<ProviderType> = readonly []>(
  settings: GatewayConfigInput<NoInfer<Types>>,
  sdk: SdkErrors,
  { claims, logger, types, verifier = TokenVerifier.layer }: ConfiguredVerifierOptions<E, Types> = {}
): OAuthTokenVerifier => {
  const resolved = embeddableSettings(settings, types)
  const { maxTokenBytes, path, publicUrl } = resolved
  return make(
    layerVerifierWith(
      claims === undefined ? verifier : Layer.provide(TokenVerifier.layerClaims(claims), verifier)
    ).pipe(
      Layer.provide(Layer.succeed(GatewayConfig, resolved)),
      Layer.provideMerge(Layer.effectDiscard(logWarnings(resolved)))
    ),
    sdk,
    { logger, maxTokenBytes, resource: publicUrl === undefined ? undefined : resourceUrl(publicUrl, path) },
    resolved
  )
}
