/** What the middlewares for all kinds of hosts share: settings, options, and the guard with its services. */
import * as Clock from "effect/Clock"
import type * as Digest from "effect/crypto/Digest"
import type * as Mac from "effect/crypto/Mac"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { AuditLog, type WriteAuditEntry } from "../audit/AuditLog.ts"
import { GatewayConfig, type GatewayConfigOptions } from "../config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../config/GatewayConfigInput.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { resourceUrl } from "../config/kinds/resourceUrl.ts"
import { type KeepAlive, WaitUntil } from "../fairness/WaitUntil.ts"
import type { OnError } from "../http/errorResponse.ts"
import type { ClaimedIdentity } from "../identity/ClaimedIdentity.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderType } from "../providers/ProviderType.ts"
import { makeDecodeClaims } from "../verify/claims/typedClaims.ts"
import type { Verification } from "../verify/layers.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import type { Admitted, GuardResult } from "./Admitted.ts"
import { embeddableSettings } from "./embeddable.ts"
import { Guard } from "./Guard.ts"
import { layerVerifierWith } from "./layers.ts"
import { makeRuntime } from "./makeRuntime.ts"
import { type OAuthTokenInfo, oauthTokenInfo } from "./oauthTokenInfo.ts"
import { listedScopes, type ToolScopes } from "./requireToolScopes.ts"

/** Options of a middleware, in addition to the settings. */
export interface MiddlewareOptions<
  E = never,
  Types extends ReadonlyArray<ProviderType> = ReadonlyArray<ProviderType>,
  Claims = Identity["claims"]
> extends GatewayConfigOptions<Types> {
  /** The verification of tokens on top of the configured providers. Default: `TokenVerifier.layer`. */
  readonly verifier?: Verification<E> | undefined
  /**
   * The claims that the program relies on, as an Effect `Schema` without services. Handlers get `identity.claims`
   * decoded. A token whose claims do not match results in 403, and the log has the reason (`AccessDenied` with the
   * reason `Claims`).
   */
  readonly claims?: Schema.ConstraintDecoder<Claims> | undefined
  /**
   * The scopes that a tool requires, in addition to those that every request requires. A call without them results in 403
   * `insufficient_scope`. Bodies are read for this check, at most `max_body_bytes`. The protected resource
   * metadata lists the scopes of a record.
   */
  readonly toolScopes?: ToolScopes | Readonly<Record<string, ReadonlyArray<string>>> | undefined
  /** Where rejections and defects are logged, such as `Logger.layer([Logger.consoleJson])`. Default: Effect's logger. */
  readonly logger?: Layer.Layer<never> | undefined
  /** Called with each audit entry, in addition to the destination in `audit_log`. */
  readonly audit?: WriteAuditEntry | undefined
  /**
   * Changes the response to a rejected request, given its typed error (`GatewayError`). An exception in it is a fault:
   * 500.
   */
  readonly onError?: OnError | undefined
}

/** The parts of a middleware that depend on its host. */
interface HostOptions {
  readonly crypto?: Layer.Layer<Digest.Digest | Mac.Mac | SecureRandom.SecureRandom> | undefined
  /** References that the verifier reads, such as `Sha256`. */
  readonly references?: Layer.Layer<never> | undefined
}

/** Which requests reach the handler: those with a caller, or also those that rules permit to anyone. */
export type Admission = "protect" | "admit"

/** The caller of a request, in the form that handlers get. */
export type CallerOf<Way extends Admission, Claims> =
  | ClaimedIdentity<Claims>
  | (Way extends "admit" ? undefined : never)

/** An admitted request, for hosts whose handlers expect callers in the form of the official SDK. */
export interface CheckedRequest extends Admitted<Identity | undefined> {
  /** Describes the caller to the SDK; `undefined` without a caller. */
  readonly authInfo: () => OAuthTokenInfo | undefined
}

export type Checked = Extract<GuardResult, { readonly _tag: "Responded" }> | CheckedRequest

/** A server that is embedded in another program. */
export interface Embedded<Claims> {
  readonly settings: GatewaySettings
  /** Checks a request. The promise is rejected if the verifier cannot be built, and if `signal` aborts the check. */
  readonly check: (
    way: Admission,
    request: HttpServerRequest.HttpServerRequest,
    options: { readonly signal: AbortSignal; readonly waitUntil?: KeepAlive | undefined }
  ) => Promise<Checked>
  readonly callerOf: <Way extends Admission>(way: Way, identity: Identity | undefined) => CallerOf<Way, Claims>
  /** Stops background work. Every call returns the same promise. */
  readonly dispose: () => Promise<void>
}

/**
 * Builds an embedded server. Nothing is fetched before the first request.
 *
 * @throws `InvalidConfiguration`, with all problems at once
 */
export const makeEmbedded = <E, Types extends ReadonlyArray<ProviderType>, Claims>(
  config: GatewayConfigInput<NoInfer<Types>>,
  { audit, claims, logger, onError, toolScopes, types, verifier = TokenVerifier.layer }: MiddlewareOptions<
    E,
    Types,
    Claims
  >,
  { crypto, references = Layer.empty }: HostOptions = {}
): Embedded<Claims> => {
  const settings = embeddableSettings(config, types)
  const { path, publicUrl } = settings
  const resource = publicUrl === undefined ? undefined : resourceUrl(publicUrl, path)
  const listed = typeof toolScopes === "object" ? listedScopes(toolScopes) : undefined
  const scopesOf = typeof toolScopes === "object" ? listed?.scopesOf : toolScopes
  const decode = claims && makeDecodeClaims(claims)
  const verification = claims === undefined ? verifier : Layer.provide(TokenVerifier.layerClaims(claims), verifier)
  const runtime = makeRuntime(
    Guard.layerWith({ toolScopes: listed?.all ?? [], crypto, onError }).pipe(
      Layer.provide(Layer.provide(layerVerifierWith(verification), references)),
      Layer.provide(Layer.succeed(GatewayConfig, settings)),
      Layer.provide(audit === undefined ? Layer.empty : AuditLog.layer(audit))
    ),
    logger
  )
  let disposed: Promise<void> | undefined

  const check = Effect.fnUntraced(function*(
    way: Admission,
    request: HttpServerRequest.HttpServerRequest
  ): Effect.fn.Return<Checked, never, Guard | Scope.Scope> {
    const guard = yield* Guard
    const result: GuardResult<Identity | undefined> =
      yield* (way === "protect" ? guard.check(request, scopesOf) : guard.admit(request, scopesOf))
    if (result._tag === "Responded") return result
    const { identity, token } = result
    const nowSeconds = (yield* Clock.currentTimeMillis) / 1000
    return {
      ...result,
      authInfo: () =>
        identity === undefined ? undefined : oauthTokenInfo(token() ?? "", identity, { nowSeconds, resource })
    }
  })

  return {
    settings,
    check: (way, request, { signal, waitUntil }) =>
      runtime.runPromise(
        check(way, request).pipe(Effect.scoped, Effect.provideService(WaitUntil, waitUntil)),
        { signal }
      ),
    callerOf: <Way extends Admission>(_: Way, identity: Identity | undefined) =>
      (identity === undefined || decode === undefined
        ? identity
        // The claims are decoded for each request, so that handlers do not share an object. They match, because the
        // verifier has accepted them.
        : { ...identity, claims: Result.getOrThrow(decode(identity)) }) as CallerOf<Way, Claims>,
    dispose: () => disposed ??= runtime.dispose()
  }
}
