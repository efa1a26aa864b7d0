/**
 * Official clients sign in through the facade, at providers without what they need, from the first 401 to a called tool and through a
 * refresh. The gateway ends and starts again, with the same key, before each step.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { clients } from "../clients/clients.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { restartable } from "../support/restartable.ts"
import { type StandIn, standInClient, standInUser } from "../support/StandInProvider.ts"
import { allow } from "./consenting.ts"
import { startFacade } from "./facadeFixture.ts"

const kinds: ReadonlyArray<StandIn> = ["entra", "google", "cognito"]

for (const kind of kinds) {
  describe(`a provider like ${kind}`, () => {
    for (const [name, connect] of clients) {
      it.live(`lets ${name} register, sign in, call a tool, and refresh its token, through restarts before each step`, () =>
        Effect.gen(function*() {
          const { url } = yield* officialServerV2
          const { origin, provider, resource, start } = yield* startFacade(kind, url)
          const { restart } = yield* restartable(start)
          const before = (url: string) => url.startsWith(origin) ? restart : Effect.void
          const oauth = new HeadlessOAuthClient(undefined, allow, before)
          const client = yield* connect(resource, { oauth })
          assert.strictEqual(oauth.clientInformation()?.client_id, standInClient.id)
          assert.lengthOf(oauth.authorizations, 1)
          assert.strictEqual(oauth.authorizations[0]?.origin, origin)
          const { "x-auth-user-id": user } = JSON.parse(yield* client.call("whoami"))
          assert.strictEqual(user, standInUser)

          yield* restart
          const tokens = oauth.tokens()
          assert.isString(tokens?.refresh_token)
          oauth.saveTokens({ token_type: "Bearer", ...tokens, access_token: "spoiled.access.token" })
          assert.strictEqual(yield* client.call("echo", { message: "renewed" }), "renewed")
          assert.notInclude([tokens?.access_token, "spoiled.access.token"], oauth.tokens()?.access_token)
          assert.lengthOf(oauth.authorizations, 1)
          assert.deepStrictEqual(
            provider.tokenRequests.map((form) => form.get("grant_type")),
            ["authorization_code", "refresh_token"]
          )
          assert.isFalse(provider.authorizations.some((parameters) => parameters.has("resource")))
        }).pipe(Effect.scoped))
    }
  })
}
