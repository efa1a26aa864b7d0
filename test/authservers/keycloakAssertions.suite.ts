/**
 * Enterprise-managed authorization with a real Keycloak: a company's identity provider issues an identity assertion, a client presents
 * it to the gateway, and Keycloak exchanges it for an access token.
 */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { post } from "../keycloak/adminApi.ts"
import { makeRealm, type Realm } from "../keycloak/Realm.ts"
import { reserve, type RestartableGateway, startRestartable } from "../support/RestartableGateway.ts"
import { Visitor } from "../support/Visitor.ts"
import { type CompanyIssuer, startCompanyIssuer } from "./CompanyIssuer.ts"
import { client, facadeFor } from "./facadeClient.ts"

/** The subject of alice at the company. */
const subject = "company-user-1"

const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

interface Peer {
  readonly realm: Realm
  readonly gateway: RestartableGateway
}

class Peers extends Context.Service<Peers, {
  readonly company: CompanyIssuer
  /** Keycloak knows itself by the name of the gateway. */
  readonly named: Peer
  /** Keycloak knows itself by its own name. */
  readonly strict: Peer
}>()("mcp-authorizer/test/authservers/assertions/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const company = yield* startCompanyIssuer
      const start = Effect.fnUntraced(function*(knowsGateway: boolean) {
        const place = yield* reserve
        const realm = yield* makeRealm([place.resource])
        yield* post(`${realm.path}/identity-provider/instances`, {
          alias: "company",
          providerId: "oidc",
          enabled: true,
          config: {
            issuer: company.issuer,
            authorizationUrl: `${company.issuer}/authorize`,
            tokenUrl: `${company.issuer}/token`,
            jwksUrl: company.jwksUri,
            useJwksUrl: "true",
            validateSignature: "true",
            clientId: place.origin,
            clientSecret: "unused",
            jwtAuthorizationGrantEnabled: "true",
            allowClientIdAsAudience: String(knowsGateway)
          }
        })
        yield* post(`${realm.path}/clients`, {
          clientId: client.id,
          secret: client.secret,
          publicClient: false,
          redirectUris: [place.callback],
          attributes: {
            "oauth2.jwt.authorization.grant.enabled": "true",
            "oauth2.jwt.authorization.grant.idp": "company"
          },
          defaultClientScopes: ["acr", "basic", "email", "mcp:read", "mcp-resource"]
        })
        yield* post(`${realm.path}/users/${realm.alice}/federated-identity/company`, {
          userId: subject,
          userName: "alice"
        })
        const gateway = yield* startRestartable(place, {
          preset: "keycloak",
          issuer: realm.issuer,
          facade: {
            ...facadeFor(["http://127.0.0.1/callback"]),
            assertions: true,
            assertion_issuer: company.issuer
          }
        }, { MCP_REQUIRED_SCOPES: "mcp:read" })
        return { realm, gateway }
      })
      return { company, named: yield* start(true), strict: yield* start(false) }
    })
  )
}

const claims = ({ gateway }: Peer) => ({ sub: subject, client_id: client.id, resource: gateway.resource })

/** Presents an assertion as a client does. */
const present = Effect.fnUntraced(function*({ gateway }: Peer, assertion: string) {
  const visitor = new Visitor(gateway.resource, { clientId: client.id })
  yield* visitor.discover
  assert.include(visitor.metadata["grant_types_supported"], grantType)
  assert.deepStrictEqual(visitor.metadata["authorization_grant_profiles_supported"], [
    "urn:ietf:params:oauth:grant-profile:id-jag"
  ])
  const { body, status } = yield* visitor.token({ grant_type: grantType, assertion, scope: "mcp:read" })
  return { visitor, body, status }
})

layer(Peers.layer, { excludeTestServices: true, timeout: 300_000 })("identity assertions with Keycloak", (it) => {
  for (const aud of ["provider", "gateway"] as const) {
    it.effect(`are exchanged for a token where Keycloak knows itself by the name of the ${aud}, and only then`, () =>
      Effect.gen(function*() {
        const { company, named, strict } = yield* Peers
        const [peer, other] = aud === "provider" ? [strict, named] : [named, strict]
        const issue = ({ gateway, realm }: Peer) =>
          company.assertion({ ...claims({ gateway, realm }), aud: aud === "provider" ? realm.issuer : gateway.origin })
        const assertion = yield* issue(peer)
        const { body, status, visitor } = yield* present(peer, assertion)
        assert.strictEqual(status, 200, JSON.stringify(body))
        assert.notProperty(body, "refresh_token")
        assert.strictEqual((yield* visitor.call(body["access_token"])).status, 200)
        assert.deepStrictEqual(peer.gateway.upstream.requests().at(-1)?.headers("x-auth-user-id"), [peer.realm.alice])
        // Keycloak takes an assertion once.
        const again = yield* present(peer, assertion)
        assert.deepStrictEqual([again.status, again.body["error"]], [400, "invalid_grant"])
        const rejected = yield* present(other, yield* issue(other))
        assert.deepStrictEqual([rejected.status, rejected.body["error"]], [400, "invalid_grant"])
        if (aud === "gateway") yield* other.gateway.awaitLog(/which the provider has to know as a name of its own/)
        assert.notInclude(peer.gateway.log(), assertion)
      }))
  }

  it.effect("of another user, client, server or audience are an invalid grant", () =>
    Effect.gen(function*() {
      const { company, strict } = yield* Peers
      const good = { ...claims(strict), aud: strict.realm.issuer }
      for (
        const change of [
          { sub: "stranger" },
          { client_id: "other" },
          { resource: "https://other.example/mcp" },
          { aud: "https://other.example" },
          { aud: [strict.realm.issuer, strict.gateway.origin] }
        ]
      ) {
        const { body, status } = yield* present(strict, yield* company.assertion({ ...good, ...change }))
        assert.deepStrictEqual([status, body["error"]], [400, "invalid_grant"], JSON.stringify(change))
      }
    }))
})
