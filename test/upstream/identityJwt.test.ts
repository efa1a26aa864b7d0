/** The JWT of the gateway's own by which an MCP server knows the caller, on every driver. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import type { IdentityJwtAuth } from "../../src/config/UpstreamAuth.ts"
import { GatewayConfig, HttpApp, layerGateway } from "../../src/index.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { loadSigningKeys } from "../../src/keys/signingKeys.ts"
import { message, toolCall } from "../fixtures/messages.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { type FixtureRequest, GatewayFixture } from "../support/GatewayFixture.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { ed25519Pem, keysOf, p256Pem } from "./keys.ts"

const publicUrl = "https://mcp.example.com"

const identityJwt: IdentityJwtAuth = {
  _tag: "IdentityJwt",
  field: "authorization",
  issuer: undefined,
  audience: undefined,
  claims: [{ claim: "groups", name: "groups" }, { claim: "realm_access.roles", name: "roles" }],
  typ: "at+jwt"
}

const pem = p256Pem()

/** A gateway in front of one issuer, that signs. */
const start = Effect.fnUntraced(function*(overrides: Partial<GatewaySettings> = {}) {
  const issuer = yield* TestIssuer.make()
  const fixture = yield* GatewayFixture.over(({ origin }) =>
    Effect.succeed({
      settings: settings(`${origin}/mcp`, {
        providers: [jwtProvider(issuer)],
        publicUrl,
        upstreamAuth: identityJwt,
        signingKeys: keysOf(pem),
        ...overrides
      }),
      token: "none"
    })
  )
  const sent = Effect.fnUntraced(function*(token: string | null, request: FixtureRequest = {}) {
    return yield* fixture.forwarded({ authorization: token === null ? null : `Bearer ${token}`, ...request })
  })
  const keySet = Effect.gen(function*() {
    const { responses: [response] } = yield* fixture.send({
      method: "GET",
      target: "/.well-known/jwks.json",
      host: "gateway.internal",
      authorization: null,
      body: null
    })
    return response ?? assert.fail("no response")
  })
  return { ...fixture, issuer, sent, keySet }
})

const bearerOf = ([value = "", ...others]: ReadonlyArray<string>): string => {
  assert.deepStrictEqual(others, [])
  assert.match(value, /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
  return value.slice("Bearer ".length)
}

const nowSeconds = Effect.map(Clock.currentTimeMillis, (millis) => millis / 1000)

describe("identity_jwt", () => {
  it.live("gives the MCP server a JWT that the published keys verify, and that says who calls", () =>
    Effect.gen(function*() {
      const { issuer, keySet, sent, upstream } = yield* start()
      const claims = {
        sub: "ann",
        client_id: "cli",
        groups: ["a", "b"],
        realm_access: { roles: ["x"] },
        scope: "read write"
      }
      const request = yield* sent(yield* issuer.sign({ claims }))
      const token = bearerOf(request.headers("authorization"))
      const published = yield* keySet
      assert.strictEqual(published.status, 200)
      assert.deepStrictEqual(published.headers("content-type"), ["application/json"])
      assert.deepStrictEqual(published.headers("cache-control"), ["public, max-age=300"])
      assert.deepStrictEqual(published.headers("access-control-allow-origin"), ["*"])
      const keys: JSONWebKeySet = JSON.parse(published.text)
      assert.deepStrictEqual(keys.keys.map((key) => Object.keys(key).toSorted()), [
        ["alg", "crv", "kid", "kty", "use", "x", "y"]
      ])
      const { payload, protectedHeader } = yield* Effect.promise(() =>
        jwtVerify(token, createLocalJWKSet(keys), {
          issuer: publicUrl,
          audience: `${upstream.origin}/mcp`,
          typ: "at+jwt",
          requiredClaims: ["sub", "iat", "nbf", "exp", "jti"]
        })
      )
      assert.deepStrictEqual<unknown>(protectedHeader, { alg: "ES256", typ: "at+jwt", kid: keys.keys[0]?.kid })
      const { exp = 0, iat = 0, jti = "", nbf, ...rest } = payload
      assert.strictEqual(exp - iat, 60)
      assert.strictEqual(nbf, iat)
      assert.isAtLeast(jti.length, 22)
      assert.deepStrictEqual<unknown>(rest, {
        iss: publicUrl,
        aud: `${upstream.origin}/mcp`,
        sub: "ann",
        client_id: "cli",
        scope: "read write",
        idp: issuer.issuer,
        groups: ["a", "b"],
        roles: ["x"]
      })
    }))

  it.live("signs once for the requests of one caller, and anew for another", () =>
    Effect.gen(function*() {
      const { issuer, sent } = yield* start()
      const [ann, bob] = [
        yield* issuer.sign({ claims: { sub: "ann" } }),
        yield* issuer.sign({ claims: { sub: "bob" } })
      ]
      const jtiOf = (token: string) =>
        Effect.map(sent(token), (request) => decodeJwt(bearerOf(request.headers("authorization"))))
      const [one, two, other] = [yield* jtiOf(ann), yield* jtiOf(ann), yield* jtiOf(bob)]
      assert.deepStrictEqual(two, one)
      assert.notStrictEqual(other.jti, one.jti)
      assert.deepStrictEqual([one.sub, other.sub], ["ann", "bob"])
    }))

  it.live("does not outlive the caller's token", () =>
    Effect.gen(function*() {
      const { issuer, sent } = yield* start()
      const end = Math.floor(yield* nowSeconds) + 30
      const { exp } = decodeJwt(
        bearerOf((yield* sent(yield* issuer.sign({ claims: { exp: end } }))).headers("authorization"))
      )
      assert.strictEqual(exp, end)
      // Within the tolerance for clocks, the token of the caller is accepted after its end.
      const late = decodeJwt(
        bearerOf((yield* sent(yield* issuer.sign({ claims: { exp: end - 60 } }))).headers("authorization"))
      )
      assert.isAtMost(late.exp ?? 0, (yield* nowSeconds) + 11)
    }))

  it.live("takes the place of what a client sends in its field, in every spelling", () =>
    Effect.gen(function*() {
      const { issuer, sent } = yield* start({ upstreamAuth: { ...identityJwt, field: "x-gateway-token" } })
      const request = yield* sent(yield* issuer.sign(), {
        lines: ["X-Gateway-Token: forged", "X_Gateway_Token: forged", "x-gateway.token: forged", "X-Other: kept"]
      })
      assert.deepStrictEqual(request.headers("authorization"), [])
      assert.deepStrictEqual(request.headers("x-other"), ["kept"])
      assert.notInclude(request.rawHeaders.join("\n"), "forged")
      const [token = "", ...others] = request.headers("x-gateway-token")
      assert.deepStrictEqual(others, [])
      assert.strictEqual(decodeJwt(token).iss, publicUrl)
      // Identity fields stay as they are.
      assert.strictEqual(request.headers("x-auth-issuer").length, 1)
    }))

  it.live("adds nothing to a request without a caller, whose forged token is removed nevertheless", () =>
    Effect.gen(function*() {
      const { sent } = yield* start({
        ...ruled({ rules: [{ methods: ["tools/call"], allow: "anyone" }] }),
        upstreamAuth: { ...identityJwt, field: "x-gateway-token" }
      })
      const request = yield* sent(null, { body: toolCall("hello"), lines: ["X-Gateway-Token: forged"] })
      assert.deepStrictEqual(request.headers("x-gateway-token"), [])
    }))

  it.live("publishes two keys while they are changed, and signs with the first", () =>
    Effect.gen(function*() {
      const { issuer, keySet, sent } = yield* start({ signingKeys: keysOf(ed25519Pem(), pem) })
      const token = bearerOf((yield* sent(yield* issuer.sign())).headers("authorization"))
      const keys: JSONWebKeySet = JSON.parse((yield* keySet).text)
      assert.deepStrictEqual(keys.keys.map(({ alg }) => alg), ["EdDSA", "ES256"])
      assert.strictEqual(decodeProtectedHeader(token).kid, keys.keys[0]?.kid)
      yield* Effect.promise(() => jwtVerify(token, createLocalJWKSet(keys)))
    }))

  it.live("is sent with a message that is too long to be collected, too, and with GET", () =>
    Effect.gen(function*() {
      const { issuer, reset, send, sent, upstream } = yield* start()
      const token = yield* issuer.sign()
      const long = message("tools/call", `{"name":"store","arguments":{"blob":"${"x".repeat(2_000_000)}"}}`)
      bearerOf((yield* sent(token, { body: long })).headers("authorization"))
      yield* reset
      yield* send({ method: "GET", authorization: `Bearer ${token}`, body: null })
      bearerOf(upstream.requests()[0]?.headers("authorization") ?? [])
    }))

  it.live("never appears in the log", () =>
    Effect.gen(function*() {
      const { issuer, logs, sent } = yield* start()
      const token = bearerOf((yield* sent(yield* issuer.sign())).headers("authorization"))
      assert.isNotEmpty(logs.entries())
      for (const part of token.split(".").slice(1)) assert.notInclude(logs.entries().join("\n"), part)
    }))

  it.live("is not signed, and no key is published, without the setting", () =>
    Effect.gen(function*() {
      const { issuer, keySet, sent } = yield* start({ upstreamAuth: { _tag: "None" }, signingKeys: [] })
      assert.deepStrictEqual((yield* sent(yield* issuer.sign())).headers("authorization"), [])
      assert.strictEqual((yield* keySet).status, 404)
    }))

  it.live("is the same for a gateway that runs as a Web handler", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const { dispose, handler } = HttpApp.toWebHandler(layerGateway.pipe(
        Layer.provide(GatewayConfig.layer({
          server_url: `${upstream.origin}/mcp`,
          public_url: publicUrl,
          static_tokens: "dev-token-of-a-developer:cli:ann:read",
          upstream_auth: { type: "identity_jwt", audience: "notes" },
          signing_key: pem
        }))
      ))
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const ask = () =>
        Effect.promise(() =>
          handler(
            new Request(`${publicUrl}/mcp`, {
              method: "POST",
              headers: {
                authorization: "Bearer dev-token-of-a-developer",
                "content-type": "application/json",
                accept: "application/json, text/event-stream"
              },
              body: toolCall("hello")
            })
          )
        )
      for (let count = 0; count < 2; count++) assert.strictEqual((yield* ask()).status, 200)
      const published = yield* Effect.promise(() => handler(new Request(`${publicUrl}/.well-known/jwks.json`)))
      const keys: JSONWebKeySet = yield* Effect.promise(() => published.json())
      const tokens = upstream.requests().map((request) => bearerOf(request.headers("authorization")))
      assert.strictEqual(new Set(tokens).size, 1)
      const { payload } = yield* Effect.promise(() =>
        jwtVerify(tokens[0] ?? "", createLocalJWKSet(keys), { audience: "notes", issuer: publicUrl })
      )
      assert.deepStrictEqual([payload.sub, payload.idp], ["ann", "static"])
    }))

  it.effect("imports a key once, for the check at start and for every server", () =>
    Effect.gen(function*() {
      const pems = [ed25519Pem(), p256Pem()]
      const configured = keysOf(...pems)
      const [checked, used] = [yield* loadSigningKeys(configured), yield* loadSigningKeys(configured)]
      assert.strictEqual(checked.length, 2)
      for (const [index, key] of checked.entries()) assert.strictEqual(used[index], key)
      // The same key in another configuration is read anew.
      const [other] = yield* loadSigningKeys(keysOf(...pems))
      assert.notStrictEqual(other, checked[0])
      assert.deepStrictEqual(other?.publicJwk, checked[0]?.publicJwk)
    }))
})

describe("header", () => {
  it.live("sends a fixed secret, with and without a caller, in place of what a client sends", () =>
    Effect.gen(function*() {
      const { issuer, logs, sent } = yield* start({
        ...ruled({ rules: [{ methods: ["tools/call"], allow: "anyone" }] }),
        upstreamAuth: { _tag: "Header", field: "x-key", value: Redacted.make("s3cret-of-the-server") },
        signingKeys: []
      })
      const lines = ["X-Key: forged", "x_key: forged"]
      for (const token of [yield* issuer.sign(), null]) {
        const request = yield* sent(token, { body: toolCall("hello"), lines })
        assert.deepStrictEqual(request.headers("x-key"), ["s3cret-of-the-server"])
        assert.notInclude(request.rawHeaders.join(), "forged")
      }
      assert.isNotEmpty(logs.entries())
      assert.notInclude(logs.entries().join("\n"), "s3cret-of-the-server")
    }))
})
