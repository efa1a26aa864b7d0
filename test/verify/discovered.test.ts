/** Providers whose endpoints, metadata and tenants have to be found: as they are in the field, on real sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { JwtProvider } from "../../src/providers/jwt.ts"
import { introspectionProvider, jwtProvider, userinfoProvider } from "../fixtures/providers.ts"
import { serveDocuments } from "../support/documentServer.ts"
import { assertAccepted, assertRejected, start, verifierOf, withProviders } from "./support.ts"

const openId = "/.well-known/openid-configuration"

const setUp = Effect.gen(function*() {
  yield* TestClock.setTime(start * 1000)
  return yield* TestIssuer.make({ algorithms: ["ES256"] })
})

const outcome = <A, E extends { readonly _tag: string; readonly detail?: string | undefined }, R>(
  verdict: Effect.Effect<A, E, R>
) => Effect.match(verdict, { onFailure: ({ _tag, detail }) => `${_tag} ${detail}`, onSuccess: () => "accepted" })

describe("the endpoint of an opaque token provider", () => {
  it.effect("is the one in its metadata", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* setUp
      const { asked, origin } = yield* serveDocuments((origin) => ({
        [openId]: {
          issuer: origin,
          userinfo_endpoint: `${origin}/protocol/userinfo`,
          introspection_endpoint: `${origin}/protocol/introspect`
        },
        "/protocol/userinfo": { sub: "alice" },
        "/protocol/introspect": { active: true, sub: "alice", iss: origin, aud: issuer.audience, exp: start + 60 }
      }))
      const userinfo = yield* verifierOf(userinfoProvider(issuer, {
        issuer: origin,
        userinfoEndpoint: `${origin}/oauth/userinfo`,
        endpointIsGuess: true
      }))
      yield* assertAccepted(userinfo, "opaque")
      const introspection = yield* verifierOf(
        introspectionProvider(issuer, { issuer: origin, introspectionEndpoint: undefined })
      )
      yield* assertAccepted(introspection, "opaque")
      // The document serves both, and the next token.
      yield* assertAccepted(userinfo, "another")
      assert.deepStrictEqual(asked, [
        "/oauth/userinfo",
        openId,
        "/protocol/userinfo",
        "/protocol/introspect",
        "/protocol/userinfo"
      ])
    })))

  for (
    const [way, there] of [
      ["404", () => new Response("", { status: 404 })],
      ["403", () => new Response("", { status: 403 })],
      ["401", () => new Response("", { status: 401 })],
      ["a page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
      ["a redirect", () => new Response(null, { status: 302, headers: { location: "/login" } })]
    ] as const
  ) {
    it.effect(`is found in the metadata where the usual location responds with ${way}`, () =>
      withProviders(Effect.gen(function*() {
        const issuer = yield* setUp
        const { asked, origin } = yield* serveDocuments((origin) => ({
          "/oauth/userinfo": there,
          [openId]: { issuer: origin, userinfo_endpoint: `${origin}/me` },
          "/me": { sub: "alice" }
        }))
        const userinfoEndpoint = `${origin}/oauth/userinfo`
        const provider = userinfoProvider(issuer, { issuer: origin, userinfoEndpoint, endpointIsGuess: true })
        const verify = yield* verifierOf(provider)
        for (let token = 0; token < 3; token++) yield* assertAccepted(verify, `opaque-${token}`)
        assert.deepStrictEqual(asked, ["/oauth/userinfo", openId, "/me", "/me", "/me"])
        // What is configured is no guess.
        const configured = yield* verifierOf({ ...provider, endpointIsGuess: undefined })
        assert.notStrictEqual(yield* outcome(configured("opaque")), "accepted")
      })))
  }

  it.effect("Integration Guide: is {issuer}/oauth/userinfo where that responds, regardless of the metadata", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* setUp
      const { asked, origin, places } = yield* serveDocuments((origin) => ({
        [openId]: { issuer: origin, userinfo_endpoint: `${origin}/me` },
        "/oauth/userinfo": { sub: "alice" },
        "/me": { sub: "someone else" }
      }))
      const userinfoEndpoint = `${origin}/oauth/userinfo`
      const verify = yield* verifierOf(
        userinfoProvider(issuer, { issuer: origin, userinfoEndpoint, endpointIsGuess: true })
      )
      yield* assertAccepted(verify, "opaque")
      // From then on its no is final.
      places["/oauth/userinfo"] = () => new Response("", { status: 401 })
      yield* assertRejected(verify, "another", "Inactive")
      assert.deepStrictEqual(asked, ["/oauth/userinfo", "/oauth/userinfo"])
    })))

  it.effect("is not looked for while the provider is down, nor for each token when it was not found", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* setUp
      const { asked, origin, places } = yield* serveDocuments(() => ({
        "/oauth/userinfo": () => new Response("", { status: 503 })
      }))
      const userinfoEndpoint = `${origin}/oauth/userinfo`
      const verify = yield* verifierOf(
        userinfoProvider(issuer, { issuer: origin, userinfoEndpoint, endpointIsGuess: true })
      )
      assert.include(yield* outcome(verify("opaque")), "ProviderUnavailable")
      assert.deepStrictEqual(asked, ["/oauth/userinfo"])
      places["/oauth/userinfo"] = () => new Response("", { status: 401 })
      for (let token = 0; token < 5; token++) yield* assertRejected(verify, `bad-${token}`, "Inactive")
      assert.lengthOf(asked.filter((path) => path.startsWith("/.well-known")), 2)
    })))

  it.effect("is not guessed for introspection", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* setUp
      const { origin } = yield* serveDocuments((origin) => ({ [openId]: { issuer: origin } }))
      const silent = yield* verifierOf(
        introspectionProvider(issuer, { issuer: origin, introspectionEndpoint: undefined })
      )
      const said = yield* outcome(silent("opaque"))
      assert.include(said, "ProviderUnavailable")
      assert.include(said, "the metadata has no introspection_endpoint")
      assert.include(said, "MCP_DISCOVERY_URL")
    })))
})

describe("metadata at a configured URL", () => {
  it.effect("are fetched from there alone, and must still name the issuer", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* setUp
      const { asked, origin, places } = yield* serveDocuments(() => ({
        "/inside": { issuer: issuer.issuer, jwks_uri: issuer.jwksUri }
      }))
      const provider = jwtProvider(issuer, { keys: { _tag: "Discovery" }, discoveryUrl: `${origin}/inside` })
      yield* assertAccepted(yield* verifierOf(provider), yield* issuer.sign())
      assert.deepStrictEqual(asked, ["/inside"])
      assert.strictEqual(yield* issuer.hits(openId), 0)
      places["/inside"] = { issuer: "http://keycloak:8080/realms/a", jwks_uri: issuer.jwksUri }
      const another = yield* verifierOf({ ...provider, discoveryUrl: `${origin}/inside?2` })
      const said = yield* outcome(another(yield* issuer.sign()))
      assert.include(said, "\"http://keycloak:8080/realms/a\"")
      assert.include(said, JSON.stringify(issuer.issuer))
    })))
})

const issuerOf = (tenant: string) => `https://idp.example/${tenant}/v2.0`

describe("an issuer with a placeholder for the tenant", () => {
  const tenants = ["tenant-a", "tenant-b"]
  const template = "https://idp.example/{tenantid}/v2.0"
  const common = Effect.fnUntraced(function*(changes: Partial<JwtProvider> = {}) {
    const issuer = yield* setUp
    const { origin } = yield* serveDocuments(() => ({
      "/organizations": { issuer: template, jwks_uri: issuer.jwksUri }
    }))
    const verify = yield* verifierOf(jwtProvider(issuer, {
      issuer: template,
      tenants,
      keys: { _tag: "Discovery" },
      discoveryUrl: `${origin}/organizations`,
      ...changes
    }))
    const sign = (tenant: string, claims: Record<string, unknown> = {}) =>
      issuer.sign({ claims: { iss: issuerOf(tenant), ...claims } })
    return { issuer, sign, verify }
  })

  it.effect("accepts tokens of the listed tenants whose tid matches iss", () =>
    withProviders(Effect.gen(function*() {
      const { sign, verify } = yield* common()
      for (const tenant of tenants) {
        yield* assertAccepted(verify, yield* sign(tenant))
        yield* assertAccepted(verify, yield* sign(tenant, { tid: tenant }))
        yield* assertAccepted(verify, yield* sign(tenant, { tid: null }))
      }
      for (const iss of ["tenant-c", "{tenantid}", "", "tenant-a/x", "TENANT-A", "tenant-a,tenant-b"]) {
        yield* assertRejected(verify, yield* sign(iss), "InvalidIssuer")
      }
      for (const tid of ["tenant-b", "tenant-c", "", 1, ["tenant-a"], "{tenantid}", "tenant-a/v2.0?"]) {
        yield* assertRejected(verify, yield* sign("tenant-a", { tid }), "InvalidIssuer")
      }
    })))

  it.effect("uses keys of one tenant for that tenant only", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* common()
      const own = yield* makeSigningKey({ algorithm: "ES256", kid: "own" })
      const shared = yield* makeSigningKey({ algorithm: "ES256", kid: "shared" })
      yield* issuer.publishKey({ ...own.publicJwk, issuer: issuerOf("tenant-a") })
      yield* issuer.publishKey({ ...shared.publicJwk, issuer: template })
      const sign = (key: typeof own, tenant: string) => issuer.sign({ key, claims: { iss: issuerOf(tenant) } })
      yield* assertAccepted(verify, yield* sign(own, "tenant-a"))
      yield* assertRejected(verify, yield* sign(own, "tenant-b"), "UnknownKey")
      for (const tenant of tenants) yield* assertAccepted(verify, yield* sign(shared, tenant))
    })))

  it.effect("takes each tenant's keys from its own metadata where there are no common ones", () =>
    withProviders(Effect.gen(function*() {
      const [a, b] = yield* Effect.all([setUp, setUp])
      const { asked, origin } = yield* serveDocuments((origin) => ({
        [`/realms/a${openId}`]: { issuer: `${origin}/realms/a`, jwks_uri: a.jwksUri },
        [`/realms/b${openId}`]: { issuer: `${origin}/realms/b`, jwks_uri: b.jwksUri }
      }))
      const verify = yield* verifierOf(jwtProvider(a, {
        issuer: `${origin}/realms/{tenant}`,
        tenants: ["a", "b"],
        keys: { _tag: "Discovery" },
        audience: []
      }))
      const sign = (issuer: typeof a, realm: string) => issuer.sign({ claims: { iss: `${origin}/realms/${realm}` } })
      yield* assertAccepted(verify, yield* sign(a, "a"))
      yield* assertAccepted(verify, yield* sign(b, "b"))
      // One tenant's keys prove nothing for another.
      // The key ids are the same: only the keys differ.
      yield* assertRejected(verify, yield* sign(a, "b"), "InvalidSignature")
      yield* assertRejected(verify, yield* sign(b, "a"), "InvalidSignature")
      yield* assertRejected(verify, yield* sign(a, "c"), "InvalidIssuer")
      assert.notInclude(asked.join(), "/realms/c")
    })))

  it.effect("rejects metadata of another template", () =>
    withProviders(Effect.gen(function*() {
      const { issuer } = yield* common()
      for (const named of ["https://idp.example/{tenantid}/v1.0", "https://idp.example/tenant-c/v2.0"]) {
        const { origin } = yield* serveDocuments(() => ({ "/common": { issuer: named, jwks_uri: issuer.jwksUri } }))
        const verify = yield* verifierOf(jwtProvider(issuer, {
          issuer: template,
          tenants,
          keys: { _tag: "Discovery" },
          discoveryUrl: `${origin}/common`
        }))
        const token = yield* issuer.sign({ claims: { iss: issuerOf("tenant-a") } })
        assert.include(yield* outcome(verify(token)), JSON.stringify(named))
      }
    })))
})
