import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { post } from "./adminApi.ts"
import { assertRejectedAs } from "./assertRejectedAs.ts"
import { type Gateway, reserve, startGateway } from "./gateways.ts"
import { claimsOf, clients, makeRealm, type Realm, user } from "./Realm.ts"

/** A realm whose userinfo endpoint a gateway uses; only the issuer is configured. */
class Peers extends Context.Service<Peers, { readonly realm: Realm; readonly gateway: Gateway }>()(
  "mcp-authorizer/test/keycloak/userinfo/Peers"
) {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const place = yield* reserve
      const realm = yield* makeRealm([place.resource])
      const gateway = yield* startGateway(place, { MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_ISSUER: realm.issuer })
      return { realm, gateway }
    })
  )
}

layer(Peers.layer, { excludeTestServices: true, timeout: 300_000 })("userinfo of Keycloak", (it) => {
  it.effect("lets a person in; its URL is found by discovery", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      const { forwarded, status } = yield* gateway.ask(accessToken)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(forwarded("x-auth-user-id"), [realm.alice])
      assert.deepStrictEqual(forwarded("x-auth-email"), [user.email])
    }))

  it.effect("rejects a token without the scope `openid`, and names that scope; other requests are still served", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app, "mcp:read")
      assert.notInclude(String(claimsOf(accessToken)["scope"]).split(" "), "openid")
      const { challenge, forwarded, retryAfter, status } = yield* gateway.ask(accessToken)
      assert.strictEqual(status, 403)
      assert.match(challenge ?? "", /^Bearer error="insufficient_scope", .*scope="openid"/)
      assert.isNull(retryAfter)
      assert.isUndefined(forwarded("host"))
      const good = yield* realm.logIn(clients.app)
      assert.strictEqual((yield* gateway.ask(good.accessToken)).status, 200)
    }))

  it.effect("rejects a token that was never issued", () =>
    Effect.gen(function*() {
      const { gateway } = yield* Peers
      assertRejectedAs(yield* gateway.ask("opaque-and-unknown"))
    }))

  it.effect("rejects the token of a session that has ended", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      yield* post(`${realm.path}/users/${realm.alice}/logout`)
      assertRejectedAs(yield* gateway.ask(accessToken))
    }))

  it.effect("rejects refresh tokens and ID tokens", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { idToken, refreshToken } = yield* realm.logIn(clients.app)
      assertRejectedAs(yield* gateway.ask(refreshToken))
      assertRejectedAs(yield* gateway.ask(idToken))
    }))
})
