import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { IntrospectionProvider } from "../../config/GatewaySettings.ts"
import { show } from "../../errors/show.ts"
import { isSameIssuer } from "../../remote/issuerUrl.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { checkAudience } from "../claims/audience.ts"
import { checkClient } from "../claims/client.ts"
import { identityFromClaims } from "../claims/identity.ts"
import { checkIsAccessToken, checkIsBearer, checkSaysUse } from "../claims/tokenKind.ts"
import { checkValidity } from "../claims/validity.ts"
import { type Refusal, refusal, toInvalidToken } from "../Refusal.ts"
import { unavailable } from "../unavailable.ts"
import { authenticate } from "./clientCredentials.ts"
import { credentialsRefused, introspectionFailure, tellsOutage, tellsUnknownClient } from "./providerRefusal.ts"
import type { AskProvider } from "./VerifyOpaque.ts"

const checkIssuer = (claims: JsonObject, issuer: string): Refusal | undefined => {
  const iss = own(claims, "iss")
  return iss === undefined || (typeof iss === "string" && isSameIssuer(issuer, iss))
    ? undefined
    : refusal("InvalidIssuer", `iss is ${show(iss)}; the provider's issuer is ${show(issuer)}`)
}

/**
 * Asks the introspection endpoint, authenticated as the settings say (RFC 7662, section 2).
 *
 * Only `active: true` counts, and then the kind of token (servers say yes to refresh tokens, too), times, issuer and
 * audience are judged as for JWTs, save that `exp` and `iss` may be missing. Every answer other than a JSON object with
 * status 200, a refusal of our own credentials too, is the provider's failure and not the caller's, save an error that is
 * about the token.
 *
 * @param skew tolerance for times, in seconds
 */
export const makeIntrospectionVerifier = (
  provider: IntrospectionProvider,
  skew: number,
  http: ProviderHttp["Service"]
): AskProvider => {
  const { allowHttp, allowedClients, allowedDomains, clientAuth, introspectionEndpoint, issuer, name } = provider
  const { form, origin: credentials, ...shown } = authenticate(clientAuth)
  const refuse = (reason: Refusal) => toInvalidToken(name, reason)

  const judge = (claims: JsonObject, now: number): Refusal | undefined =>
    own(claims, "active") === true
      ? checkIsAccessToken(claims, false) ?? checkIsBearer(claims) ??
        checkValidity(claims, { now, skew, requireExpiry: false }) ?? checkIssuer(claims, issuer) ??
        checkAudience(claims, provider) ?? checkClient(claims, allowedClients) ?? checkSaysUse(claims)
      : refusal("Inactive", "active is not true")

  return Effect.fnUntraced(
    function*(token) {
      const { body } = yield* http.send({
        // Without one the endpoint is found on the way.
        url: introspectionEndpoint ?? "",
        allowedDomains,
        allowHttp,
        ...shown,
        form: [["token", token], ["token_type_hint", "access_token"], ...form]
      })
      if (tellsUnknownClient(body)) {
        return yield* unavailable(name, `200 with an error: ${credentialsRefused(credentials)}`)
      }
      if (tellsOutage(body)) return yield* unavailable(name, "introspection says 200 and that it cannot answer now")
      const refused = judge(body, (yield* Clock.currentTimeMillis) / 1000)
      if (refused !== undefined) return yield* refuse(refused)
      return yield* Effect.mapError(Effect.fromResult(identityFromClaims(body, provider)), refuse)
    },
    Effect.catchTag(
      "ProviderRequestFailed",
      (failure) => Effect.fail(introspectionFailure(name, credentials, failure))
    )
  )
}
