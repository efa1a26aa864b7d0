import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { UserinfoProvider } from "../../config/GatewaySettings.ts"
import { own } from "../../keys/JsonObject.ts"
import type { ProviderHttp } from "../../keys/ProviderHttp.ts"
import { readClientId, readSubject, readText } from "../claims/subject.ts"
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
  const { allowHttp, allowedDomains, issuer, name, userinfoEndpoint } = provider
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
      // A client id is no substitute here: the endpoint is about a person.
      const subject = readSubject({ sub: own(body, "sub") })
      if (Result.isFailure(subject)) return yield* toInvalidToken(name, withoutSubject)
      return {
        subject: subject.success,
        clientId: readClientId(body),
        issuer,
        scopes: [],
        email: readText(body, "email"),
        name: readText(body, "name"),
        provider: name,
        expiresAt: undefined,
        claims: body
      }
    },
    Effect.catchTag("ProviderRequestFailed", (failure) => Effect.fail(userinfoFailure(name, failure)))
  )
}
