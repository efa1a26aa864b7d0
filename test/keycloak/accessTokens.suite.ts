import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { list, masterIssuer, masterToken, post } from "./adminApi.ts"
import { assertRejectedAs } from "./assertRejectedAs.ts"
import { type Gateway, jwtSettings, reserve, startGateway } from "./gateways.ts"
import { listenForLogout } from "./logoutListener.ts"
import { claimsOf, clients, headerOf, makeRealm, type Realm, user } from "./Realm.ts"

/** A realm, a gateway that its tokens are for, and one that takes what is for the application itself. */
class Peers extends Context.Service<Peers, {
  readonly realm: Realm
  readonly gateway: Gateway
  /** The same as the first, by the preset. */
  readonly byPreset: Gateway
  /** Its audience is the client id, which is that of ID tokens and logout tokens, too. */
  readonly ofApplication: Gateway
  /** The logout token that Keycloak sends to the application. */
  readonly logoutToken: Effect.Effect<string>
}>()("mcp-authorizer/test/keycloak/accessTokens/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const place = yield* reserve
      const presetPlace = yield* reserve
      const logout = yield* listenForLogout
      const realm = yield* makeRealm([place.resource, presetPlace.resource, clients.app], {
        app: { attributes: { "backchannel.logout.url": logout.url, "backchannel.logout.session.required": "true" } }
      })
      return {
        realm,
        gateway: yield* startGateway(place, jwtSettings(realm.issuer)),
        byPreset: yield* startGateway(presetPlace, {
          MCP_PROVIDER_PRESET: "keycloak",
          MCP_JWT_ISSUER: realm.issuer,
          MCP_REQUIRED_SCOPES: "mcp:read"
        }),
        ofApplication: yield* startGateway(yield* reserve, {
          ...jwtSettings(realm.issuer),
          MCP_JWT_AUDIENCE: clients.app
        }),
        logoutToken: Deferred.await(logout.token)
      }
    })
  )
}

layer(Peers.layer, { excludeTestServices: true, timeout: 300_000 })("access tokens of Keycloak", (it) => {
  it.effect("let a person in who has a password", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      const { forwarded, status } = yield* gateway.ask(accessToken)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(forwarded("x-auth-user-id"), [realm.alice])
      assert.deepStrictEqual(forwarded("x-auth-client-id"), [clients.app])
      assert.deepStrictEqual(forwarded("x-auth-issuer"), [realm.issuer])
      assert.deepStrictEqual(forwarded("x-auth-email"), [user.email])
      assert.include(forwarded("x-auth-scopes")?.join().split(" ") ?? [], "mcp:read")
      assert.deepStrictEqual(forwarded("authorization"), [])
    }))

  it.effect("let a program in that has credentials of its own", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { id, secret } = clients.service
      const form = { grant_type: "client_credentials", client_id: id, client_secret: secret }
      const { accessToken } = yield* realm.grant(form)
      const { forwarded, status } = yield* gateway.ask(accessToken)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(forwarded("x-auth-client-id"), [id])
      assert.deepStrictEqual(forwarded("x-auth-user-id"), [String(claimsOf(accessToken)["sub"])])
      assert.notDeepEqual(forwarded("x-auth-user-id"), [realm.alice])
    }))

  it.effect("are what the preset expects", () =>
    Effect.gen(function*() {
      const { byPreset, realm } = yield* Peers
      const { accessToken, idToken } = yield* realm.logIn(clients.app)
      const { forwarded, status } = yield* byPreset.ask(accessToken)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(forwarded("x-auth-user-id"), [realm.alice])
      assert.deepStrictEqual(forwarded("x-auth-client-id"), [clients.app])
      assert.deepStrictEqual(forwarded("x-auth-provider"), ["keycloak"])
      const other = yield* realm.logIn(clients.other)
      assertRejectedAs(yield* byPreset.ask(other.accessToken), "Invalid audience")
      assertRejectedAs(yield* byPreset.ask(idToken), "Token validation failed")
    }))

  it.effect("are rejected where no audience mapper makes them ones for the MCP server", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.other)
      assert.notInclude(JSON.stringify(claimsOf(accessToken)["aud"] ?? null), gateway.resource)
      assertRejectedAs(yield* gateway.ask(accessToken), "Invalid audience")
    }))

  it.effect("are rejected when a character of them is another", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      const [head, payload, signature = ""] = accessToken.split(".")
      const changed = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`
      assertRejectedAs(yield* gateway.ask([head, payload, changed].join(".")), "Invalid signature")
    }))

  it.effect("of another realm are rejected", () =>
    Effect.gen(function*() {
      const { gateway } = yield* Peers
      const token = yield* masterToken
      assert.strictEqual(claimsOf(token)["iss"], masterIssuer)
      assertRejectedAs(yield* gateway.ask(token), "Invalid issuer")
    }))

  it.effect("that are lightweight are rejected, because without `sub` their subject is unknown", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.light)
      const { aud, sub } = claimsOf(accessToken)
      assert.isUndefined(sub)
      assert.include(JSON.stringify(aud), gateway.resource)
      assertRejectedAs(yield* gateway.ask(accessToken), "Missing required claim")
    }))

  it.effect("cause no warning, though each realm publishes an encryption key", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      assert.strictEqual((yield* gateway.ask(accessToken)).status, 200)
      const response = yield* Effect.promise(() => fetch(`${realm.issuer}/protocol/openid-connect/certs`))
      const { keys }: { readonly keys: ReadonlyArray<{ readonly use: string }> } = yield* Effect.promise(() =>
        response.json()
      )
      assert.includeMembers(keys.map(({ use }) => use), ["sig", "enc"])
      const warned = gateway.program.log().filter(({ message }) => /keys?\b/i.test(JSON.stringify(message)))
      assert.deepStrictEqual(warned.filter(({ level }) => level === "WARN" || level === "ERROR"), [])
    }))
})

layer(Peers.layer, { excludeTestServices: true, timeout: 300_000 })("other tokens of Keycloak", (it) => {
  it.effect("that refresh access tokens are rejected", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { refreshToken } = yield* realm.logIn(clients.app)
      assert.strictEqual(claimsOf(refreshToken)["typ"], "Refresh")
      assertRejectedAs(yield* gateway.ask(refreshToken))
    }))

  it.effect("that work offline are rejected; the access tokens that they give are not", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken, refreshToken } = yield* realm.logIn(clients.app, "openid offline_access")
      assert.strictEqual(claimsOf(refreshToken)["typ"], "Offline")
      assertRejectedAs(yield* gateway.ask(refreshToken))
      assert.strictEqual((yield* gateway.ask(accessToken)).status, 200)
      const form = { grant_type: "refresh_token", client_id: clients.app, refresh_token: refreshToken }
      const refreshed = yield* realm.grant(form)
      assert.strictEqual((yield* gateway.ask(refreshed.accessToken)).status, 200)
    }))

  it.effect("that say who logged in (ID tokens) are rejected for what they are, regardless of their audience", () =>
    Effect.gen(function*() {
      const { gateway, ofApplication, realm } = yield* Peers
      const { accessToken, idToken } = yield* realm.logIn(clients.app)
      assert.strictEqual((yield* ofApplication.ask(accessToken)).status, 200)
      assert.strictEqual(claimsOf(idToken)["aud"], clients.app)
      for (const { ask } of [ofApplication, gateway]) {
        const outcome = yield* ask(idToken)
        assertRejectedAs(outcome, "Token validation failed")
        assert.match(JSON.stringify(outcome.log), /ID token/)
      }
    }))

  it.effect("that end sessions (logout tokens) are rejected, regardless of their audience", () =>
    Effect.gen(function*() {
      const { logoutToken, ofApplication, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      assert.strictEqual((yield* ofApplication.ask(accessToken)).status, 200)
      assert.isNotEmpty(yield* list(`${realm.path}/users/${realm.alice}/sessions`))
      yield* post(`${realm.path}/users/${realm.alice}/logout`)
      const token = yield* logoutToken
      assert.strictEqual(headerOf(token)["alg"], "RS256")
      assert.strictEqual(claimsOf(token)["aud"], clients.app)
      assert.isDefined(claimsOf(token)["events"])
      const outcome = yield* ofApplication.ask(token)
      assertRejectedAs(outcome, "Token validation failed")
      assert.match(JSON.stringify(outcome.log), /logout/i)
    }))
})
