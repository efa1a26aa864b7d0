/** Questions to providers of opaque tokens that need no token, to know whether they can be asked. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { IntrospectionProvider, UserinfoProvider } from "../../config/GatewaySettings.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { authenticate } from "./clientCredentials.ts"
import { answerReach, introspectionReach, userinfoReach } from "./providerRefusal.ts"
import type { Probe } from "./Reachability.ts"

/** Nobody has it, and whoever reads the provider's log sees what it is for. */
const nobodysToken = "mcp-authorizer-readiness"

/** Asks about a token that nobody has: the answer is that it is not active, if our own credentials are good. */
export const introspectionProbe = (
  // Without one the endpoint is found on the way.
  { allowHttp, allowedDomains, clientAuth, introspectionEndpoint: url = "", issuer }: IntrospectionProvider,
  http: ProviderHttp["Service"]
): Probe => {
  const { form, origin: _, ...shown } = authenticate(clientAuth)
  const question = [["token", nobodysToken], ["token_type_hint", "access_token"], ...form] as const
  return Effect.match(http.send({ url, allowedDomains, allowHttp, ...shown, form: question }), {
    onFailure: (failure) => ({ reach: introspectionReach(failure), detail: failure.detail }),
    onSuccess: ({ body }) => ({ reach: answerReach(body), detail: `${url || issuer}: 200 with an error` })
  })
}

/** Shows a token that nobody has: it is refused by a provider that can be asked. */
export const userinfoProbe = (
  { allowHttp, allowedDomains, userinfoEndpoint: url }: UserinfoProvider,
  http: ProviderHttp["Service"]
): Probe => {
  const authorization = Redacted.make(`Bearer ${nobodysToken}`)
  return Effect.match(http.send({ url, allowedDomains, allowHttp, authorization }), {
    onFailure: (failure) => ({ reach: userinfoReach(failure), detail: failure.detail }),
    onSuccess: ({ body }) => ({ reach: answerReach(body), detail: `${url}: 200 with an error` })
  })
}
