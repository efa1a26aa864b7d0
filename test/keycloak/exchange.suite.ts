/** Tokens that Keycloak issues for the MCP server in exchange for those of callers (standard token exchange). */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { list, post, put } from "./adminApi.ts"
import { type Gateway, jwtSettings, reserve, startGateway } from "./gateways.ts"
import { claimsOf, clients, makeRealm, type Realm } from "./Realm.ts"

/** The MCP server as a client of the realm. */
const notes = "notes-server"

/** Lets the gateway exchange tokens for tokens for the MCP server. */
const permitExchange = Effect.fnUntraced(function*({ path }: Realm) {
  yield* post(`${path}/clients`, { clientId: notes, publicClient: false, secret: "notes-secret" })
  yield* post(`${path}/client-scopes`, {
    name: notes,
    protocol: "openid-connect",
    protocolMappers: [{
      name: notes,
      protocol: "openid-connect",
      protocolMapper: "oidc-audience-mapper",
      config: { "included.client.audience": notes, "access.token.claim": "true" }
    }]
  })
  const [gateway] = yield* list(`${path}/clients?clientId=${clients.gateway.id}`)
  const id = String(gateway?.["id"])
  yield* put(`${path}/clients/${id}`, { ...gateway, attributes: { "standard.token.exchange.enabled": "true" } })
  const scope = (yield* list(`${path}/client-scopes`)).find(({ name }) => name === notes)
  yield* put(`${path}/clients/${id}/default-client-scopes/${String(scope?.["id"])}`)
})

const exchangeAs = (client: { readonly id: string; readonly secret: string }, audience = notes) => ({
  MCP_UPSTREAM_AUTH: JSON.stringify({
    type: "exchange",
    client_id: client.id,
    client_secret: client.secret,
    audience
  })
})

/** A realm, and gateways that exchange its tokens. */
class Peers extends Context.Service<Peers, {
  readonly realm: Realm
  readonly gateway: Gateway
  /** As a client that may not exchange tokens. */
  readonly notPermitted: Gateway
  /** For an audience that the realm does not know. */
  readonly unknownAudience: Gateway
}>()("mcp-authorizer/test/keycloak/exchange/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const places = [yield* reserve, yield* reserve, yield* reserve] as const
      const realm = yield* makeRealm(places.map(({ resource }) => resource))
      yield* permitExchange(realm)
      const settings = jwtSettings(realm.issuer)
      return {
        realm,
        gateway: yield* startGateway(places[0], { ...settings, ...exchangeAs(clients.gateway) }),
        notPermitted: yield* startGateway(places[1], { ...settings, ...exchangeAs(clients.service) }),
        unknownAudience: yield* startGateway(places[2], { ...settings, ...exchangeAs(clients.gateway, "nobody") })
      }
    })
  )
}

layer(Peers.layer, { excludeTestServices: true, timeout: 300_000 })("token exchange at Keycloak", (it) => {
  it.effect("gives the MCP server a token for itself, of the same person", () =>
    Effect.gen(function*() {
      const { gateway, realm } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      const { forwarded, status } = yield* gateway.ask(accessToken)
      assert.strictEqual(status, 200)
      const [bearer = ""] = forwarded("authorization") ?? []
      assert.match(bearer, /^Bearer /)
      assert.notInclude(bearer, accessToken)
      const claims = claimsOf(bearer.slice("Bearer ".length))
      assert.deepStrictEqual(
        { iss: claims["iss"], sub: claims["sub"], aud: claims["aud"], azp: claims["azp"] },
        { iss: realm.issuer, sub: realm.alice, aud: notes, azp: clients.gateway.id }
      )
      // The next request gets the same token.
      assert.deepStrictEqual((yield* gateway.ask(accessToken)).forwarded("authorization"), [bearer])
    }))

  it.effect("fails with the fix in the log where the client may not exchange tokens, or not for this audience", () =>
    Effect.gen(function*() {
      const { notPermitted, realm, unknownAudience } = yield* Peers
      const { accessToken } = yield* realm.logIn(clients.app)
      for (const gateway of [notPermitted, unknownAudience]) {
        const { forwarded, log, retryAfter, status } = yield* gateway.ask(accessToken)
        assert.deepStrictEqual([status, forwarded("authorization")], [500, undefined])
        assert.isNotNull(retryAfter)
        assert.match(JSON.stringify(log), /MCP_UPSTREAM_AUTH/)
      }
    }))
})
