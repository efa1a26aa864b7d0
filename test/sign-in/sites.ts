/** Sites with identity providers that stand in: without registration behind the facade, and with registration. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { allow } from "../facade/consenting.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { makeOidcProvider } from "../support/OidcProvider.ts"
import { reserve, startRestartable } from "../support/RestartableGateway.ts"
import {
  entraAudience,
  makeStandInProvider,
  type StandIn,
  standInClient,
  standInPool,
  type StandInProvider,
  standInTenant,
  standInUser
} from "../support/StandInProvider.ts"
import { accessTokenLife, type Site } from "./Site.ts"

interface Preset {
  readonly scope: string
  /** The scopes that the provider knows, as clients request them, if they are other ones. */
  readonly scopes?: ReadonlyArray<string>
  readonly fields: (provider: StandInProvider) => Readonly<Record<string, unknown>>
}

/** What operators set for each, as the pages of the presets say. */
const presets: Readonly<Record<StandIn, Preset>> = {
  entra: {
    scope: "mcp.read",
    scopes: [`api://${entraAudience}/mcp.read`],
    fields: ({ origin }) => ({
      preset: "entra",
      issuer: `${origin}/{tenantid}/v2.0`,
      tenants: [standInTenant],
      audience: [`api://${entraAudience}`]
    })
  },
  google: {
    scope: "openid",
    fields: ({ origin }) => ({ preset: "google", issuer: origin, tokeninfo_endpoint: `${origin}/tokeninfo` })
  },
  cognito: {
    scope: "notes/read",
    fields: ({ origin }) => ({ preset: "cognito", issuer: `${origin}/{tenantid}`, tenants: [standInPool] })
  }
}

/** The redirect URIs of the programs, for every port. */
export const redirectUris = ["127.0.0.1", "localhost"].flatMap((host) =>
  ["callback", "oauth/callback"].map((path) => `http://${host}/${path}`)
)

/** Settings of all sites. */
export const settingsOf = (serverUrl: string, scope: string): Readonly<Record<string, string>> => ({
  MCP_SERVER_URL: serverUrl,
  MCP_REQUIRED_SCOPES: scope,
  MCP_CLOCK_SKEW: "0"
})

const behindFacade = (kind: StandIn): Effect.Effect<Site, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { fields, scope, scopes } = presets[kind]
    const { url } = yield* officialServerV2
    const place = yield* reserve
    const provider = yield* makeStandInProvider(kind, place.callback, {
      accessTokenLife,
      ...(scopes === undefined ? {} : { scopes })
    })
    const gateway = yield* startRestartable(place, {
      ...fields(provider),
      facade: { client_id: standInClient.id, client_secret: standInClient.secret, redirect_uris: redirectUris }
    }, settingsOf(url, scope))
    return {
      gateway,
      issuer: place.origin,
      user: standInUser,
      tokenIssuer: provider.issuer,
      fillIn: allow,
      refreshes: Effect.sync(() =>
        provider.tokenRequests.filter((form) => form.get("grant_type") === "refresh_token").length
      )
    }
  })

/** Programs sign in at the provider itself. */
const direct: Effect.Effect<Site, never, Scope.Scope> = Effect.gen(function*() {
  const { url } = yield* officialServerV2
  const provider = yield* makeOidcProvider({ accessTokenLife })
  const gateway = yield* startRestartable(
    yield* reserve,
    { issuer: provider.issuer, audience: "auto" },
    settingsOf(url, "mcp:read")
  )
  return {
    gateway,
    issuer: provider.issuer,
    user: "oidc-user",
    tokenIssuer: provider.issuer,
    fillIn: () => undefined,
    refreshes: Effect.sync(provider.refreshes)
  }
})

/** All of them, by what makes them different. */
export const sites = {
  "a provider like Entra": behindFacade("entra"),
  "a provider like Google": behindFacade("google"),
  "a provider like Cognito": behindFacade("cognito"),
  "a provider with registration": direct
} as const
