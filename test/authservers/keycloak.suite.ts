/** Keycloak behind the facade: one client of the gateway's in place of registration, and nothing that a killed gateway forgets. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { list } from "../keycloak/adminApi.ts"
import { makeRealm, type Realm } from "../keycloak/Realm.ts"
import { reserve, type RestartableGateway, startRestartable } from "../support/RestartableGateway.ts"
import { Visitor } from "../support/Visitor.ts"
import { client, facadeFor } from "./facadeClient.ts"
import { keycloakPerson, registerAtKeycloak } from "./keycloakClient.ts"

const redirectUri = "http://127.0.0.1:33418/callback"

class Peers extends Context.Service<Peers, {
  readonly realm: Realm
  readonly gateway: RestartableGateway
  /** Does not allow clients to register. */
  readonly closed: RestartableGateway
}>()("mcp-authorizer/test/authservers/keycloak/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const places = [yield* reserve, yield* reserve] as const
      const realm = yield* makeRealm(places.map(({ resource }) => resource))
      yield* registerAtKeycloak(realm, places.map(({ callback }) => callback))
      const provider = (facade: Readonly<Record<string, unknown>> = {}) => ({
        preset: "keycloak",
        issuer: realm.issuer,
        facade: { ...facadeFor(["http://127.0.0.1/callback"]), ...facade }
      })
      const scopes = { MCP_REQUIRED_SCOPES: "mcp:read", MCP_SCOPES_SUPPORTED: "mcp:read mcp:write" }
      return {
        realm,
        gateway: yield* startRestartable(places[0], provider(), scopes),
        closed: yield* startRestartable(places[1], provider({ registration: false }), scopes)
      }
    })
  )
}

layer(Peers.layer, { excludeTestServices: true, timeout: 300_000 })("Keycloak behind the facade", (it) => {
  for (const registration of [true, false]) {
    it.effect(`signs a client in, with registration ${registration ? "on" : "off"}, through restarts before each step`, () =>
      Effect.gen(function*() {
        const { closed, gateway: open, realm } = yield* Peers
        const { log, origin, resource, restart, upstream } = registration ? open : closed
        const clients = (yield* list(`${realm.path}/clients`)).length
        const visitor = new Visitor(resource, { redirectUri })
        yield* visitor.discover
        assert.strictEqual(visitor.scope, "mcp:read")
        assert.strictEqual(visitor.issuer, origin)
        yield* restart
        if (registration) {
          assert.strictEqual((yield* visitor.register()).status, 201)
          assert.strictEqual(visitor.clientId, client.id)
        } else {
          assert.notProperty(visitor.metadata, "registration_endpoint")
          const { status } = yield* Effect.promise(() => fetch(`${origin}/register`, { method: "POST", body: "{}" }))
          assert.strictEqual(status, 404)
          visitor.clientId = client.id
        }
        const visited: Array<string> = []
        const before = (url: string) => {
          visited.push(url)
          return url.startsWith(origin) ? restart : Effect.void
        }
        const code = yield* visitor.authorize(keycloakPerson, { before, changes: { scope: "mcp:read other:scope" } })
        const asked = new URL(
          visited.find((url) => url.startsWith(`${realm.issuer}/protocol/openid-connect/auth?`)) ?? "about:blank"
        ).searchParams
        assert.isFalse(asked.has("resource"))
        assert.deepStrictEqual([asked.get("client_id"), asked.get("scope")], [client.id, "mcp:read"])
        assert.strictEqual(asked.get("code_challenge_method"), "S256")
        yield* restart
        const tokens = yield* visitor.exchange(code)
        assert.strictEqual((yield* visitor.call(tokens.access)).status, 200)
        assert.deepStrictEqual(upstream.requests().at(-1)?.headers("x-auth-user-id"), [realm.alice])

        yield* restart
        const refreshed = yield* visitor.refresh(tokens.refresh)
        assert.notStrictEqual(refreshed.access, tokens.access)
        assert.strictEqual((yield* visitor.call(refreshed.access)).status, 200)

        assert.strictEqual((yield* visitor.revoke(refreshed.refresh ?? "")).status, 200)
        const ended = yield* visitor.token({ grant_type: "refresh_token", refresh_token: refreshed.refresh ?? "" })
        assert.deepStrictEqual([ended.status, ended.body["error"]], [400, "invalid_grant"])
        // No client has registered at Keycloak itself.
        assert.strictEqual((yield* list(`${realm.path}/clients`)).length, clients)
        for (const secret of [client.secret, code, tokens.access, tokens.refresh ?? "", refreshed.refresh ?? ""]) {
          assert.notInclude(log(), secret)
        }
      }))
  }

  it.effect("does not see a client with another redirect URI, and its user is sent nowhere", () =>
    Effect.gen(function*() {
      const { gateway } = yield* Peers
      for (
        const wrong of [
          "https://evil.example/callback",
          "http://127.0.0.1:33418/callback/../evil",
          "http://127.0.0.1:33418/callback#x",
          "http://127.0.0.1.evil.example/callback",
          "http://localhost:33418/callback",
          gateway.callback
        ]
      ) {
        const visitor = new Visitor(gateway.resource, { redirectUri: wrong, clientId: client.id })
        yield* visitor.discover
        assert.strictEqual((yield* visitor.register()).body["error"], "invalid_redirect_uri", wrong)
        const { location, status } = yield* visitor.browser.visit(visitor.authorizationUrl())
        assert.deepStrictEqual([status, location], [400, undefined], wrong)
      }
    }))

  it.effect("ends a sign-in that its user denies with an error for the client", () =>
    Effect.gen(function*() {
      const { gateway } = yield* Peers
      const visitor = new Visitor(gateway.resource, { redirectUri, clientId: client.id })
      yield* visitor.discover
      const page = yield* visitor.browser.visit(visitor.authorizationUrl())
      const { location } = yield* visitor.browser.decide(page.text, "deny")
      const { searchParams } = new URL(location ?? "about:blank")
      assert.deepStrictEqual([searchParams.get("error"), searchParams.get("iss")], ["access_denied", gateway.origin])
    }))

  it.effect("gives a code once: the second use is an invalid grant, and ends what the first has brought", () =>
    Effect.gen(function*() {
      const { gateway } = yield* Peers
      const visitor = new Visitor(gateway.resource, { redirectUri })
      yield* visitor.discover
      yield* visitor.register()
      const code = yield* visitor.authorize(keycloakPerson)
      const tokens = yield* visitor.exchange(code)
      const again = yield* visitor.redeem(code)
      assert.deepStrictEqual([again.status, again.body["error"]], [400, "invalid_grant"])
      const refreshed = yield* visitor.token({ grant_type: "refresh_token", refresh_token: tokens.refresh ?? "" })
      assert.strictEqual(refreshed.body["error"], "invalid_grant")
    }))
})
