import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { post } from "./adminApi.ts"
import { assertRejectedAs } from "./assertRejectedAs.ts"
import { type Gateway, reserve, startGateway } from "./gateways.ts"
import { claimsOf, clients, makeRealm, type Realm, user } from "./Realm.ts"

const introspection = (issuer: string, resource: string): Readonly<Record<string, string>> => ({
  MCP_PROVIDER_TYPE: "introspection",
  MCP_JWT_ISSUER: issuer,
  MCP_JWT_AUDIENCE: resource,
  MCP_INTROSPECTION_URL: `${issuer}/protocol/openid-connect/token/introspect`,
  MCP_CLIENT_ID: clients.gateway.id,
  MCP_CLIENT_SECRET: clients.gateway.secret
})

/** A realm whose introspection endpoint several gateways use. */
class Peers extends Context.Service<Peers, {
  readonly realm: Realm
  readonly gateway: Gateway
  /** Sends its credentials in the body. */
  readonly inBody: Gateway
  /** Has a secret that Keycloak does not know. */
  readonly wrongSecret: Gateway
}>()("mcp-authorizer/test/keycloak/introspection/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const places = [yield* reserve, yield* reserve, yield* reserve] as const
      const realm = yield* makeRealm(places.map(({ resource }) => resource))
      const start = (place: typeof places[number], more: Readonly<Record<string, string>> = {}) =>
        startGateway(place, { ...introspection(realm.issuer, place.resource), ...more })
      return {
        realm,
        gateway: yield* start(places[0]),
        inBody: yield* start(places[1], { MCP_CLIENT_AUTH: "post" }),
        wrongSecret: yield* start(places[2], { MCP_CLIENT_SECRET: "another-secret" })
      }
    })
  )
}

layer(Peers.layer, { excludeTestServices: true, timeout: 300_000 })("introspection by Keycloak", (it) => {
  for (const [how, which] of [["in the header", "gateway"], ["in the body", "inBody"]] as const) {
    it.effect(`lets a person in, with the gateway's credentials ${how}`, () =>
      Effect.gen(function*() {
        const { realm, [which]: gateway } = yield* Peers
        const { accessToken } = yield* realm.logIn(clients.app)
        const { forwarded, status } = yield* gateway.ask(accessToken)
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(forwarded("x-auth-user-id"), [realm.alice])
        assert.deepStrictEqual(forwarded("x-auth-client-id"), [clients.app])
        assert.deepStrictEqual(forwarded("x-auth-email"), [user.email])
      }))

    it.effect(`rejects a token that was never issued, with the gateway's credentials ${how}`, () =>
      Effect.gen(function*() {
        const { [which]: gateway } = yield* Peers
        assertRejectedAs(yield* gateway.ask("opaque-and-unknown"), "Token is not active")
      }))
  }

  it.effect("says whose a lightweight token is, which does not say it itself", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.light)
      assert.isUndefined(claimsOf(accessToken)["sub"])
      const { forwarded, status } = yield* gateway.ask(accessToken)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(forwarded("x-auth-user-id"), [realm.alice])
      assert.deepStrictEqual(forwarded("x-auth-client-id"), [clients.light])
    }))

  it.effect("lets a program in that has credentials of its own", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { id, secret } = clients.service
      const form = { grant_type: "client_credentials", client_id: id, client_secret: secret }
      const { accessToken } = yield* realm.grant(form)
      const { forwarded, status } = yield* gateway.ask(accessToken)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(forwarded("x-auth-client-id"), [id])
    }))

  it.effect("rejects refresh tokens and offline tokens, which are active", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      for (const scope of ["openid", "openid offline_access"]) {
        const { refreshToken } = yield* realm.logIn(clients.app, scope)
        assertRejectedAs(yield* gateway.ask(refreshToken))
      }
    }))

  it.effect("rejects ID tokens", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { idToken } = yield* realm.logIn(clients.app)
      assertRejectedAs(yield* gateway.ask(idToken))
    }))

  it.effect("rejects tokens that are not for the MCP server", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.other)
      assertRejectedAs(yield* gateway.ask(accessToken))
    }))

  it.effect("rejects the token of a session that has ended", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      // Not seen before, so that no cached verdict applies.
      yield* post(`${realm.path}/users/${realm.alice}/logout`)
      assertRejectedAs(yield* gateway.ask(accessToken), "Token is not active")
    }))

  it.effect("with a wrong secret is the operator's fault: 500, and the log says so", () =>
    Effect.gen(function*() {
      const { realm, wrongSecret } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      const { description, forwarded, log, status } = yield* wrongSecret.ask(accessToken)
      assert.strictEqual(status, 500)
      assert.strictEqual(description, "Internal server error")
      assert.isUndefined(forwarded("host"))
      const written = JSON.stringify(log)
      assert.match(written, /token\/introspect/)
      assert.match(written, /credentials/)
      assert.notInclude(written, "another-secret")
    }))
})
