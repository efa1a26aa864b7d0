/** Sites that programs sign in to with a real Keycloak: at itself, where they register, and through the facade. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { list } from "../keycloak/adminApi.ts"
import { makeRealm } from "../keycloak/Realm.ts"
import { accessTokenLife, type Site } from "../sign-in/Site.ts"
import { redirectUris, settingsOf } from "../sign-in/sites.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { reserve, startRestartable } from "../support/RestartableGateway.ts"
import { facadeFor } from "./facadeClient.ts"
import { keycloakPerson, registerAtKeycloak } from "./keycloakClient.ts"

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
    if (isFacade) yield* registerAtKeycloak(realm, [place.callback])
    const gateway = yield* startRestartable(place, {
      preset: "keycloak",
      issuer: realm.issuer,
      ...(isFacade ? { facade: facadeFor(redirectUris) } : {})
    }, settingsOf(url, "mcp:read"))
    return {
      gateway,
      issuer: isFacade ? place.origin : realm.issuer,
      user: realm.alice,
      tokenIssuer: realm.issuer,
      fillIn: keycloakPerson,
      refreshes: Effect.map(list(`${realm.path}/events?type=REFRESH_TOKEN`), (events) => events.length)
    }
  })

export const keycloakSites = {
  "Keycloak, where it registers": site(false),
  "Keycloak behind the facade": site(true)
} as const
