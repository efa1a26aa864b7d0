/** A gateway with a facade in front of a stand-in for an identity provider. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { settingsOf } from "../config/resolving.ts"
import { startGateway } from "../support/gateway.ts"
import { reservePort } from "../support/reservePort.ts"
import {
  entraAudience,
  entraScope,
  makeStandInProvider,
  type StandIn,
  standInClient,
  type StandInOptions
} from "../support/StandInProvider.ts"

export const sessionKey = "k".repeat(16) + "-of-the-facade-tests-0123456789"

/** The configuration of each kind of provider, in the terms of the config file. */
export const providerEntry = (
  kind: StandIn,
  issuer: string,
  facade: Readonly<Record<string, unknown>> = {}
): Readonly<Record<string, unknown>> => {
  const common = {
    client_id: standInClient.id,
    client_secret: standInClient.secret,
    redirect_uris: ["http://127.0.0.1/callback", "https://client.example/callback"]
  }
  switch (kind) {
    case "entra":
      return {
        issuer,
        audience: entraAudience,
        subject_claims: ["oid"],
        facade: { ...common, scopes: [entraScope, "offline_access"], ...facade }
      }
    case "google":
      return {
        type: "userinfo",
        issuer,
        userinfo_endpoint: `${issuer}/me`,
        facade: { ...common, scopes: ["openid", "email"], authorize_parameters: { access_type: "offline" }, ...facade }
      }
    case "cognito":
      return { issuer, allowed_clients: [standInClient.id], facade: { ...common, scopes: ["notes/read"], ...facade } }
  }
}

export interface FacadeOptions {
  /** Members of the facade. */
  readonly facade?: Readonly<Record<string, unknown>>
  /** Fields of the provider. */
  readonly provider?: Readonly<Record<string, unknown>>
  /** Settings of the gateway. */
  readonly gateway?: Readonly<Record<string, unknown>>
  readonly logger?: Layer.Layer<never>
  readonly standIn?: StandInOptions
}

/** Starts a stand-in, and a gateway with a facade for it in front of `upstream`. */
export const startFacade = Effect.fnUntraced(function*(
  kind: StandIn,
  upstream: string,
  { facade, gateway = {}, logger, provider: fields = {}, standIn }: FacadeOptions = {}
) {
  const port = yield* reservePort
  const origin = `http://127.0.0.1:${port}`
  const provider = yield* makeStandInProvider(kind, `${origin}/oauth/callback`, standIn)
  const settings = settingsOf({}, {
    server_url: upstream,
    public_url: origin,
    port,
    session_key: sessionKey,
    providers: [{ ...providerEntry(kind, provider.issuer, facade), ...fields }],
    ...gateway
  })
  const start = startGateway(settings, logger === undefined ? {} : { logger })
  return { origin, resource: `${origin}/mcp`, provider, settings, start }
})
