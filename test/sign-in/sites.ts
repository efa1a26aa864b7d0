/** Where the programs sign in: MCP servers behind gateways, with an identity provider of each kind. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { settingsOf } from "../config/resolving.ts"
import { startFacade } from "../facade/facadeFixture.ts"
import { startGateway } from "../support/gateway.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { makeOidcProvider } from "../support/OidcProvider.ts"
import { reservePort } from "../support/reservePort.ts"
import { standInUser } from "../support/StandInProvider.ts"

/** How long access tokens last, in seconds: programs refresh them within a test. */
export const accessTokenLife = 8

/** An MCP server that programs sign in to. */
export interface Site {
  readonly resource: string
  /** The authorization server that programs see. */
  readonly issuer: string
  /** Who has signed in, and by which issuer, as the MCP server sees it. */
  readonly user: string
  readonly tokenIssuer: string
  /** How often the provider has renewed an access token. */
  readonly refreshes: () => number
}

/**
 * A gateway whose facade is in front of a provider like Entra: no registration, no `resource`, its own scopes, a
 * secret.
 */
const behindFacade: Effect.Effect<Site, never, Scope.Scope> = Effect.gen(function*() {
  const { url } = yield* officialServerV2
  const { origin, provider, resource, start } = yield* startFacade("entra", url, {
    facade: {
      redirect_uris: [
        "http://127.0.0.1/callback",
        "http://127.0.0.1/oauth/callback",
        "http://localhost/callback",
        "http://localhost/oauth/callback"
      ]
    },
    provider: { scopes_requested: { "mcp.read": "api://notes/mcp.read" } },
    gateway: { required_scopes: "mcp.read", clock_skew: 0 },
    standIn: { accessTokenLife }
  })
  yield* start
  return {
    resource,
    issuer: origin,
    user: standInUser,
    tokenIssuer: provider.issuer,
    refreshes: () => provider.tokenRequests.filter((form) => form.get("grant_type") === "refresh_token").length
  }
})

/** A gateway before a provider with registration, at which programs sign in themselves. */
const direct: Effect.Effect<Site, never, Scope.Scope> = Effect.gen(function*() {
  const { url } = yield* officialServerV2
  const provider = yield* makeOidcProvider({ accessTokenLife })
  const port = yield* reservePort
  const origin = `http://127.0.0.1:${port}`
  yield* startGateway(settingsOf({}, {
    server_url: url,
    public_url: origin,
    port,
    required_scopes: "mcp:read",
    clock_skew: 0,
    providers: [{ issuer: provider.issuer, audience: "auto" }]
  }))
  return {
    resource: `${origin}/mcp`,
    issuer: provider.issuer,
    user: "oidc-user",
    tokenIssuer: provider.issuer,
    refreshes: provider.refreshes
  }
})

/** The two, by what makes them different. */
export const sites = {
  "the facade before a provider without registration": behindFacade,
  "a provider with registration": direct
} as const
