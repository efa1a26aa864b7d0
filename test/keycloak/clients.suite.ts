import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { clients as officialClients } from "../clients/clients.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { list } from "./adminApi.ts"
import { type Gateway, jwtSettings, reserve, startGateway } from "./gateways.ts"
import { logIn } from "./logIn.ts"
import { makeRealm, type Realm } from "./Realm.ts"

/** A realm that lets clients register themselves, and an official MCP server behind a gateway. */
class Peers extends Context.Service<Peers, { readonly realm: Realm; readonly gateway: Gateway }>()(
  "mcp-authorizer/test/keycloak/clients/Peers"
) {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const place = yield* reserve
      const realm = yield* makeRealm([place.resource])
      const { url } = yield* officialServerV2
      const gateway = yield* startGateway(place, {
        ...jwtSettings(realm.issuer),
        MCP_SERVER_URL: url,
        MCP_REQUIRED_SCOPES: "mcp:read"
      })
      return { realm, gateway }
    })
  )
}

const registered = (realm: Realm) => Effect.map(list(`${realm.path}/clients`), (clients) => clients.length)

layer(Peers.layer, { excludeTestServices: true, timeout: 300_000 })("official clients with Keycloak", (it) => {
  for (const [name, connect] of officialClients) {
    it.effect(`${name} registers, sends its user to log in and to consent, and gets in with PKCE`, () =>
      Effect.gen(function*() {
        const { gateway: { resource }, realm } = yield* Peers
        const before = yield* registered(realm)
        const oauth = new HeadlessOAuthClient(undefined, logIn)
        const client = yield* connect(resource, { oauth })

        assert.strictEqual(yield* registered(realm), before + 1)
        assert.lengthOf(oauth.authorizations, 1)
        const [authorization] = oauth.authorizations
        assert.strictEqual(authorization?.searchParams.get("code_challenge_method"), "S256")
        assert.isTrue(authorization?.href.startsWith(`${realm.issuer}/`))
        const seen: Readonly<Record<string, string>> = JSON.parse(yield* client.call("whoami"))
        assert.strictEqual(seen["x-auth-user-id"], realm.alice)
        assert.strictEqual(seen["x-auth-issuer"], realm.issuer)
        assert.include(seen["x-auth-scopes"]?.split(" ") ?? [], "mcp:read")
      }))

    it.effect(`${name} refreshes its access token when the gateway rejects it, and asks no one to log in again`, () =>
      Effect.gen(function*() {
        const { gateway: { resource } } = yield* Peers
        const oauth = new HeadlessOAuthClient(undefined, logIn)
        const client = yield* connect(resource, { oauth })
        const tokens = oauth.tokens()
        if (tokens === undefined) return assert.fail("no tokens")
        const spoiled = `${tokens.access_token.slice(0, -8)}AAAAAAAA`
        oauth.saveTokens({ ...tokens, access_token: spoiled })

        assert.strictEqual(yield* client.call("echo", { message: "still here" }), "still here")
        assert.notInclude([spoiled, tokens.access_token], oauth.tokens()?.access_token)
        assert.lengthOf(oauth.authorizations, 1)
      }))
  }
})
