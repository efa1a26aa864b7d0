/** Sites that programs sign in to with a real Keycloak: at itself, where they register, and through the facade. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { allow } from "../facade/consenting.ts"
import { list, post } from "../keycloak/adminApi.ts"
import { logIn } from "../keycloak/logIn.ts"
import { makeRealm } from "../keycloak/Realm.ts"
import { accessTokenLife, type Site } from "../sign-in/Site.ts"
import { redirectUris, settingsOf } from "../sign-in/sites.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import type { FillIn } from "../support/PageForm.ts"
import { reserve, startRestartable } from "../support/RestartableGateway.ts"

/** Consents at the gateway, and logs in at Keycloak. */
const person: FillIn = (page) => allow(page) ?? logIn(page)

const client = { id: "mcp-facade", secret: "the-secret-of-the-facade" }

const site = (isFacade: boolean): Effect.Effect<Site, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { url } = yield* officialServerV2
    const place = yield* reserve
    const realm = yield* makeRealm([place.resource], {
      realm: {
        accessTokenLifespan: accessTokenLife,
        eventsEnabled: true,
        enabledEventTypes: ["REFRESH_TOKEN"]
      }
    })
    if (isFacade) {
      yield* post(`${realm.path}/clients`, {
        clientId: client.id,
        secret: client.secret,
        publicClient: false,
        standardFlowEnabled: true,
        redirectUris: [place.callback],
        attributes: { "pkce.code.challenge.method": "S256" },
        defaultClientScopes: ["web-origins", "acr", "profile", "roles", "basic", "email", "mcp:read", "mcp-resource"],
        optionalClientScopes: ["mcp:write", "offline_access"]
      })
    }
    const gateway = yield* startRestartable(place, {
      preset: "keycloak",
      issuer: realm.issuer,
      ...(isFacade
        ? { facade: { client_id: client.id, client_secret: client.secret, redirect_uris: redirectUris } }
        : {})
    }, settingsOf(url, "mcp:read"))
    return {
      gateway,
      issuer: isFacade ? place.origin : realm.issuer,
      user: realm.alice,
      tokenIssuer: realm.issuer,
      fillIn: person,
      refreshes: Effect.map(list(`${realm.path}/events?type=REFRESH_TOKEN`), (events) => events.length)
    }
  })

export const keycloakSites = {
  "Keycloak, where it registers": site(false),
  "Keycloak behind the facade": site(true)
} as const
