/** Sites that programs sign in to with a real Ory Hydra behind the facade. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { allow } from "../facade/consenting.ts"
import { accessTokenLife, type Site } from "../sign-in/Site.ts"
import { redirectUris, settingsOf } from "../sign-in/sites.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { reserve, startRestartable } from "../support/RestartableGateway.ts"
import { hydraUser, startHydra, type Strategy } from "./Hydra.ts"

const client = { id: "mcp-facade", secret: "the-secret-of-the-facade" }

const audience = "https://notes.example/mcp"

const site = (strategy: Strategy): Effect.Effect<Site, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { url } = yield* officialServerV2
    const place = yield* reserve
    const hydra = yield* startHydra({ strategy, audience, accessTokenLife })
    yield* hydra.createClient({
      client_id: client.id,
      client_secret: client.secret,
      redirect_uris: [place.callback],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      audience: [audience],
      scope: "openid offline_access notes:read",
      token_endpoint_auth_method: "client_secret_basic"
    })
    const gateway = yield* startRestartable(place, {
      preset: "ory",
      issuer: hydra.issuer,
      audience: [audience],
      ...(strategy === "jwt" ? {} : {
        type: "introspection",
        introspection_endpoint: hydra.introspectionEndpoint,
        client_auth: "none"
      }),
      facade: { client_id: client.id, client_secret: client.secret, redirect_uris: redirectUris }
    }, settingsOf(url, "notes:read"))
    return {
      gateway,
      issuer: place.origin,
      user: hydraUser,
      tokenIssuer: hydra.issuer,
      fillIn: allow,
      // Each line is a response of the token endpoint; the first is that of the sign-in.
      refreshes: Effect.sync(() => (gateway.log().match(/"path":"\/token","status":200/g) ?? []).length - 1)
    }
  })

export const hydraSites = {
  "Hydra with JWTs, behind the facade": site("jwt"),
  "Hydra with opaque tokens, behind the facade": site("opaque")
} as const
