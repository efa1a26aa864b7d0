/** Sites that programs sign in to with a real Ory Hydra behind the facade. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { allow } from "../facade/consenting.ts"
import { accessTokenLife, type Site } from "../sign-in/Site.ts"
import { redirectUris, settingsOf } from "../sign-in/sites.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { reserve, startRestartable } from "../support/RestartableGateway.ts"
import { facadeFor } from "./facadeClient.ts"
import { hydraUser, startHydra, type Strategy } from "./Hydra.ts"
import { hydraAudience, hydraProvider, registerAtHydra } from "./hydraClient.ts"

const site = (strategy: Strategy): Effect.Effect<Site, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { url } = yield* officialServerV2
    const place = yield* reserve
    const hydra = yield* startHydra({ strategy, audience: hydraAudience, accessTokenLife })
    yield* registerAtHydra(hydra, place.callback)
    const gateway = yield* startRestartable(
      place,
      { ...hydraProvider(hydra, strategy), facade: facadeFor(redirectUris) },
      settingsOf(url, "notes:read")
    )
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
