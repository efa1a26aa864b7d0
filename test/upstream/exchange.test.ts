/** Tokens that the provider issues for the MCP server in exchange for the caller's. */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { randomUUID } from "node:crypto"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import type { ExchangeAuth } from "../../src/config/UpstreamAuth.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { makeExchange } from "../../src/upstream/exchange.ts"
import { withDigest } from "../../src/verify/tokenDigest.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { startTokenEndpoint, type TokenResponse } from "./TokenEndpoint.ts"

const secret = "the-s3cret-of-the-gateway's-client"

const exchange: ExchangeAuth = {
  _tag: "Exchange",
  field: "authorization",
  grant: "token_exchange",
  provider: undefined,
  tokenEndpoint: undefined,
  clientId: "gateway",
  auth: { method: "basic", clientSecret: Redacted.make(secret) },
  audience: ["notes"],
  resource: "https://notes.example/mcp",
  scope: ["notes:read", "notes:write"],
  requestedTokenType: undefined
}

const notNeeded = () => assert.fail("the token is hashed a second time")

/** A gateway in front of one issuer, whose tokens are exchanged. */
const start = Effect.fnUntraced(function*(
  auth: Partial<ExchangeAuth> = {},
  overrides: Partial<GatewaySettings> = {}
) {
  const issuer = yield* TestIssuer.make()
  const endpoint = yield* startTokenEndpoint
  const fixture = yield* GatewayFixture.over(({ origin }) =>
    Effect.succeed({
      settings: settings(`${origin}/mcp`, {
        providers: [jwtProvider(issuer)],
        requiredScopes: ["read"],
        upstreamAuth: { ...exchange, tokenEndpoint: endpoint.url, ...auth },
        ...overrides
      }),
      token: "none"
    })
  )
  const signed = (claims: Readonly<Record<string, unknown>> = {}) =>
    issuer.sign({ claims: { scope: "read", ...claims } })
  const bearer = (token: string) =>
    Effect.map(fixture.forwarded({ authorization: `Bearer ${token}` }), (request) => request.headers("authorization"))
  const rejected = Effect.fnUntraced(function*(token: string) {
    const { responses: [reply] } = yield* fixture.send({ authorization: `Bearer ${token}` })
    if (reply === undefined) return assert.fail("no response")
    const [challenge] = reply.headers("www-authenticate")
    const parameters = challenge === undefined ? {} : Object.fromEntries(parseChallenge(challenge).parameters)
    return {
      status: reply.status,
      retryAfter: reply.headers("retry-after")[0],
      parameters,
      text: reply.text
    }
  })
  return { ...fixture, issuer, endpoint, signed, bearer, rejected }
})

const issued = (token: string, life = 300): TokenResponse => [200, {
  access_token: token,
  issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
  token_type: "Bearer",
  expires_in: life
}]

describe("exchange", () => {
  it.live("sends the MCP server the token that the provider issued for it (RFC 8693)", () =>
    Effect.gen(function*() {
      const { bearer, endpoint, logs, signed } = yield* start()
      endpoint.responds(() => issued("issued-1"))
      const token = yield* signed()
      assert.deepStrictEqual(yield* bearer(token), ["Bearer issued-1"])
      const [request] = endpoint.requests
      assert.deepStrictEqual([...request?.form ?? []], [
        ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"],
        ["subject_token", token],
        ["subject_token_type", "urn:ietf:params:oauth:token-type:access_token"],
        ["audience", "notes"],
        ["resource", "https://notes.example/mcp"],
        ["scope", "notes:read notes:write"]
      ])
      assert.match(request?.authorization ?? "", /^Basic /)
      for (const hidden of ["issued-1", secret, token]) assert.notInclude(logs.entries().join("\n"), hidden)
    }))

  it.live("is on behalf of the caller at Microsoft Entra", () =>
    Effect.gen(function*() {
      const { bearer, endpoint, signed } = yield* start({
        grant: "on_behalf_of",
        auth: { method: "post", clientSecret: Redacted.make(secret) },
        audience: [],
        resource: undefined,
        scope: ["api://notes/.default"]
      })
      endpoint.responds(
        () => [200, { token_type: "Bearer", scope: "api://notes/read", expires_in: 4_000, access_token: "obo" }]
      )
      const token = yield* signed()
      assert.deepStrictEqual(yield* bearer(token), ["Bearer obo"])
      assert.deepStrictEqual(Object.fromEntries(endpoint.requests[0]?.form ?? []), {
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion: token,
        requested_token_use: "on_behalf_of",
        scope: "api://notes/.default",
        client_id: "gateway",
        client_secret: secret
      })
    }))

  it.live("is made once for each token, however many requests come at once, until shortly before its end", () =>
    Effect.gen(function*() {
      const { bearer, endpoint, send, signed, upstream } = yield* start()
      endpoint.responds(async (_, count) => {
        await new Promise((resolve) => setTimeout(resolve, 150))
        return issued(`issued-${count}`)
      })
      const [ann, bob] = [yield* signed({ sub: "ann" }), yield* signed({ sub: "bob" })]
      yield* Effect.all(
        Array.from({ length: 8 }, () => send({ authorization: `Bearer ${ann}` })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(endpoint.requests.length, 1)
      assert.deepStrictEqual(
        upstream.requests().map((request) => request.headers("authorization")[0]),
        Array.from({ length: 8 }, () => "Bearer issued-1")
      )
      assert.deepStrictEqual(yield* bearer(bob), ["Bearer issued-2"])
      assert.deepStrictEqual(yield* bearer(ann), ["Bearer issued-1"])
      // A token that has nearly ended is not cached.
      endpoint.responds((_, count) => issued(`issued-${count}`, 1))
      const eve = yield* signed({ sub: "eve" })
      assert.deepStrictEqual(yield* bearer(eve), ["Bearer issued-3"])
      yield* Effect.sleep("900 millis")
      assert.deepStrictEqual(yield* bearer(eve), ["Bearer issued-4"])
    }))

  it.live("takes the place of what a client sends in a field of its own", () =>
    Effect.gen(function*() {
      const { endpoint, forwarded, signed } = yield* start({ field: "x-notes-token" })
      endpoint.responds(() => issued("issued"))
      const request = yield* forwarded({
        authorization: `Bearer ${yield* signed()}`,
        lines: ["X-Notes-Token: forged", "x_notes_token: forged"]
      })
      assert.deepStrictEqual([request.headers("x-notes-token"), request.headers("authorization")], [["issued"], []])
      assert.notInclude(request.rawHeaders.join(), "forged")
    }))

  it.live("tells a user who has to act at the provider so, with what the provider wants", () =>
    Effect.gen(function*() {
      const { endpoint, logs, rejected, signed, upstream } = yield* start()
      const claims = "{\"access_token\":{\"polids\":{\"essential\":true,\"values\":[\"9ab03e19\"]}}}"
      for (
        const body of [
          {
            error: "interaction_required",
            suberror: "basic_action",
            claims,
            error_description: "AADSTS50076: canary-text"
          },
          { error: "invalid_grant", suberror: "consent_required", error_description: "AADSTS65001: canary-text" }
        ]
      ) {
        endpoint.responds(() => [400, body])
        const { parameters, status, text } = yield* rejected(yield* signed({ sub: randomUUID() }))
        assert.strictEqual(status, 403)
        assert.deepInclude(parameters, {
          error: "insufficient_scope",
          error_description: "The user must sign in again, or consent",
          scope: "read"
        })
        assert.strictEqual(
          Buffer.from(parameters["claims"] ?? "", "base64").toString(),
          "claims" in body ? claims : ""
        )
        assert.notInclude(text, "canary")
      }
      assert.strictEqual(upstream.requests().length, 0)
      assert.notInclude(logs.entries().join("\n"), "canary-text")
      assert.include(logs.entries().join("\n"), "the user has to act there")
    }))

  it.live("rejects a token that the provider does not accept any more, and does not ask again for each request", () =>
    Effect.gen(function*() {
      const { endpoint, rejected, signed } = yield* start()
      for (
        const body of [
          { error: "invalid_grant" },
          { error: "invalid_token" },
          { error: "invalid_request", error_description: "The subject_token has expired" }
        ]
      ) {
        endpoint.responds(() => [400, body])
        const token = yield* signed({ sub: randomUUID() })
        const before = endpoint.requests.length
        for (let count = 0; count < 3; count++) {
          const { parameters, status } = yield* rejected(token)
          assert.deepStrictEqual([status, parameters["error"]], [401, "invalid_token"])
        }
        assert.strictEqual(endpoint.requests.length, before + 1)
      }
      endpoint.responds(() => [403, { error: "access_denied" }])
      const { parameters, status } = yield* rejected(yield* signed({ sub: "denied" }))
      assert.deepStrictEqual([status, parameters["error"]], [403, "access_denied"])
    }))

  it.live("is a failure of the gateway, never of the caller, where the provider is down or rejects the gateway's client", () =>
    Effect.gen(function*() {
      const { endpoint, logs, rejected, signed } = yield* start()
      const cases: ReadonlyArray<readonly [response: TokenResponse, logged: RegExp, retryAfter?: string]> = [
        [[503, {}, { "retry-after": "17" }], /Status 503/, "17"],
        [[429, {}], /Status 429/],
        [[400, { error: "temporarily_unavailable" }], /temporarily_unavailable/],
        [[401, { error: "invalid_client" }], /rejects the gateway's own client: check client_id of MCP_UPSTREAM_AUTH/],
        [[400, { error: "unauthorized_client" }], /rejects the gateway's own client/],
        [[400, { error: "invalid_request", error_description: "not enabled" }], /permit it there for the client/],
        [[400, { error: "invalid_target" }], /check audience, resource and scope/],
        [[400, { error: "invalid_scope" }], /check audience, resource and scope/],
        [[200, { token_type: "Bearer" }], /no usable access_token/],
        [[200, { access_token: "a b", token_type: "Bearer" }], /no usable access_token/],
        [[200, { access_token: "ab", token_type: "DPoP" }], /not a bearer token/],
        [[200, { access_token: "ab", token_type: "Bearer", expires_in: 0 }], /has ended/]
      ]
      for (const [response, logged, expected = "10"] of cases) {
        yield* logs.clear
        endpoint.responds(() => response)
        const { retryAfter, status } = yield* rejected(yield* signed({ sub: randomUUID() }))
        assert.deepStrictEqual([status, retryAfter], [500, expected], JSON.stringify(response))
        assert.match(logs.entries().join("\n"), logged)
      }
      // Nothing of that is remembered.
      endpoint.responds(() => issued("again"))
      assert.strictEqual((yield* rejected(yield* signed({ sub: "later" }))).status, 200)
    }))

  it.effect("finds what was issued by the digest of a verified token, and never by an identity that others have made", () =>
    Effect.gen(function*() {
      const forms: Array<string> = []
      const http = ProviderHttp.of({
        send: ({ form = [] }) =>
          Effect.sync(() => {
            const token = form.find(([name]) => name === "subject_token")?.[1] ?? ""
            forms.push(Redacted.isRedacted(token) ? Redacted.value(token) : token)
            return {
              body: { access_token: `for-${forms.length}`, token_type: "Bearer", expires_in: 300 },
              cacheControl: undefined
            }
          })
      })
      const { authorize, peek } = yield* makeExchange(
        settings("http://127.0.0.1:1/mcp", {
          providers: [jwtProvider({ issuer: "https://as.example", audience: "a", jwksUri: "https://as.example/keys" })]
        }),
        { ...exchange, tokenEndpoint: "https://as.example/token" }
      ).pipe(
        Effect.provideService(ProviderHttp, http),
        Effect.provideService(ProviderMetadata, {
          document: () => Effect.die("not needed"),
          location: () => Effect.die("not needed")
        })
      )
      const ann: Identity = {
        subject: "ann",
        issuer: "https://as.example",
        provider: "main",
        clientId: undefined,
        email: undefined,
        name: undefined,
        scopes: [],
        expiresAt: undefined,
        claims: {}
      }
      const verified = withDigest(ann, "the digest of one")
      assert.isUndefined(peek({ identity: verified, token: notNeeded }))
      const fields = yield* authorize({ identity: verified, token: () => "one" })
      assert.deepStrictEqual(peek({ identity: verified, token: notNeeded }), fields)
      // Two tokens of one caller, whose verifier returns one identity.
      const others = [
        yield* authorize({ identity: ann, token: () => "two" }),
        yield* authorize({ identity: ann, token: () => "three" })
      ]
      assert.deepStrictEqual(forms, ["one", "two", "three"])
      assert.strictEqual(new Set([fields, ...others].map((each) => JSON.stringify(each))).size, 3)
    }).pipe(Effect.provide([NodeCrypto.layerDigest, NodeCrypto.layerSecureRandom])))

  it.live("denies the tokens of another provider", () =>
    Effect.gen(function*() {
      const other = yield* TestIssuer.make()
      const issuer = yield* TestIssuer.make()
      const { endpoint, rejected } = yield* start({ provider: "main" }, {
        providers: [jwtProvider(issuer), jwtProvider(other, { name: "other" })]
      })
      endpoint.responds(() => issued("issued"))
      assert.strictEqual((yield* rejected(yield* issuer.sign({ claims: { scope: "read" } }))).status, 200)
      assert.strictEqual((yield* rejected(yield* other.sign({ claims: { scope: "read" } }))).status, 403)
      assert.strictEqual(endpoint.requests.length, 1)
    }))

  it.live("finds the token endpoint in the provider's metadata, where it is not set", () =>
    Effect.gen(function*() {
      const { issuer, rejected, logs, signed } = yield* start({ tokenEndpoint: undefined })
      // The test issuer exchanges nothing.
      assert.strictEqual((yield* rejected(yield* signed())).status, 500)
      assert.include(logs.entries().join("\n"), `${issuer.issuer}/`)
    }))
})
