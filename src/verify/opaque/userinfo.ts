import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { UserinfoProvider } from "../../config/GatewaySettings.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { identityFromUserinfo } from "../claims/identity.ts"
import { checkUserinfo } from "../claims/tokenKind.ts"
import { refusal, toInvalidToken } from "../Refusal.ts"
import { unavailable } from "../unavailable.ts"
import { tellsOutage, tellsRefusal, userinfoFailure } from "./providerRefusal.ts"
import type { AskProvider } from "./VerifyOpaque.ts"

const withoutSubject = refusal("MissingClaim", "userinfo has no usable sub; the token may lack the scope openid")

/**
 * Asks the userinfo endpoint with the token itself (OpenID Connect Core 1.0, section 5.3).
 *
 * The answer says who, but neither for whom nor what for: any token of the issuer is accepted, and none has scopes. A
 * token is refused by 400, 401 and 403, and by an answer with an error or without a usable `sub`, which tokens without
 * the scope `openid` get; every other answer is the provider's failure.
 */
export const makeUserinfoVerifier = (provider: UserinfoProvider, http: ProviderHttp["Service"]): AskProvider => {
  const { allowHttp, allowedDomains, name, userinfoEndpoint } = provider
  return Effect.fnUntraced(
    function*(token) {
      const { body } = yield* http.send({
        url: userinfoEndpoint,
        allowedDomains,
        allowHttp,
        authorization: Redacted.make(`Bearer ${Redacted.value(token)}`)
      })
      if (tellsOutage(body)) return yield* unavailable(name, "userinfo says 200 and that it cannot answer now")
      if (tellsRefusal(body)) return yield* toInvalidToken(name, refusal("Inactive", "userinfo says 200 and an error"))
      const otherKind = checkUserinfo(body)
      if (otherKind !== undefined) return yield* toInvalidToken(name, otherKind)
      return identityFromUserinfo(body, provider) ?? (yield* toInvalidToken(name, withoutSubject))
    },
    Effect.catchTag("ProviderRequestFailed", (failure) => Effect.fail(userinfoFailure(name, failure)))
  )
}
