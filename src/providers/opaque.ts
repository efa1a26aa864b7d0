/** What the provider types for opaque tokens share. */
import * as Effect from "effect/Effect"
import type { Provider } from "../config/GatewaySettings.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import type { JsonObject } from "../remote/JsonObject.ts"
import type { ProviderHttp } from "../remote/ProviderHttp.ts"
import type { MetadataSource } from "../remote/ProviderMetadata.ts"
import type { CheckedClaims } from "../verify/claims/claimRules.ts"
import { makeGuardedHttp } from "../verify/opaque/guardedHttp.ts"
import { makeMeasuredHttp } from "../verify/opaque/measuredHttp.ts"
import { makeInspect, makeQuery, type OpaqueVerification } from "../verify/opaque/OpaqueVerification.ts"
import { makeReachability, type Probe } from "../verify/opaque/Reachability.ts"
import { negativeMillis } from "../verify/opaque/verdictLife.ts"
import { makeVerifyOpaque } from "../verify/opaque/VerifyOpaque.ts"
import { advertisedIssuers, redirectToMetadata } from "./metadata.ts"
import type { ProviderType, Registration, RegistrationContext } from "./ProviderType.ts"

type Http = ProviderHttp["Service"]

/** A made-up token. Its text explains the request to readers of the provider's log. */
export const probeToken = "mcp-authorizer-readiness"

/** The members that every type for opaque tokens has. */
export const opaqueType = {
  ownTokens: () => ({ _tag: "Opaque" }),
  advertisedIssuers,
  metadata: redirectToMetadata
} as const satisfies Partial<ProviderType<Provider & MetadataSource>>

/**
 * Prepares a provider's response about an opaque token for the rules. The expiry may be missing, and there is no
 * header.
 *
 * @param skew tolerance for times, in seconds
 */
export const checkedResponse = (
  claims: JsonObject,
  rules: CheckedClaims["rules"],
  nowMillis: number,
  skew: number
): CheckedClaims => ({
  claims,
  rules,
  now: nowMillis / 1000,
  skew,
  requireExpiry: false,
  typ: undefined,
  isAccessType: false
})

interface OpaqueType<P extends Provider, R, Claims extends CheckedClaims> {
  readonly makeHttp: (provider: P) => Effect.Effect<Http, never, R>
  /** Builds the request that shows whether the provider can verify tokens. */
  readonly makeProbe: (provider: P, http: Http) => Probe
  readonly makeVerification: (
    provider: P,
    guarded: Http,
    context: RegistrationContext
  ) => OpaqueVerification<Claims>
}

/** Builds the probe of a type for `--check --online`, and `register`, which guards requests and tracks reachability. */
export const makeOpaque = <P extends Provider, R, Claims extends CheckedClaims>(
  { makeHttp, makeProbe, makeVerification }: OpaqueType<P, R, Claims>
) => ({
  probe: (provider: P) => Effect.flatMap(makeHttp(provider), (http) => makeProbe(provider, http)),

  register: Effect.fnUntraced(function*(
    provider: P,
    context: RegistrationContext
  ): Effect.fn.Return<Registration, never, R> {
    const { name } = provider
    const http = yield* makeHttp(provider)
    const { current, observed } = yield* makeReachability(name, http, makeProbe(provider, http))
    const guarded = makeGuardedHttp(observed, yield* SharedIo)
    const verification = makeVerification(provider, makeMeasuredHttp(provider, guarded), context)
    return {
      _tag: "Opaque",
      verify: makeVerifyOpaque(name, context.clockSkewSeconds, makeQuery(verification)),
      inspect: makeInspect(verification),
      rejectionMillis: negativeMillis,
      readiness: Effect.map(current, (state) => ({ ready: state === "ready", state }))
    }
  })
})
