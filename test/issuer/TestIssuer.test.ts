import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { createLocalJWKSet, decodeProtectedHeader, importSPKI, type JSONWebKeySet, jwtVerify } from "jose"
import { jwsAlgorithms } from "../../src/config/GatewaySettings.ts"
import { hmacSigner, makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { get, json, post, transports } from "./issuerTransports.ts"

const basic = (id: string, secret: string) => `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`

const keySet = (client: HttpClient.HttpClient, uri: string) =>
  Effect.map(json(client, uri), (jwks) => createLocalJWKSet(jwks as unknown as JSONWebKeySet)) // the shape is what the test verifies

const decode = HttpClientResponse.schemaBodyJson(Schema.Record(Schema.String, Schema.Unknown))

const at = (seconds: number) => DateTime.toDateUtc(DateTime.makeUnsafe(seconds * 1000))

const claimsOf = (token: string) => JSON.parse(atob((token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/")))

// Six RSA keys, on a busy machine.
const slowKeysMillis = 60_000

describe.each(transports)("TestIssuer $transport", ({ open }) => {
  it.effect("signs with every algorithm, and publishes the keys that verify it", () =>
    Effect.gen(function*() {
      const { client, issuer } = yield* open({ algorithms: jwsAlgorithms })
      for (const algorithm of jwsAlgorithms) {
        const token = yield* issuer.sign({ key: algorithm })
        for (const path of ["/jwks", "/oauth2/jwks"]) {
          const keys = yield* keySet(client, issuer.issuer + path)
          const verified = yield* Effect.promise(() =>
            jwtVerify(token, keys, {
              algorithms: [algorithm],
              issuer: issuer.issuer,
              audience: "https://mcp.example/mcp",
              currentDate: at(0)
            })
          )
          assert.strictEqual(verified.protectedHeader.alg, algorithm)
        }
        const { publicPem } = yield* issuer.key(algorithm)
        const key = yield* Effect.promise(() => importSPKI(publicPem, algorithm))
        yield* Effect.promise(() => jwtVerify(token, key, { currentDate: at(0) }))
      }
    }), slowKeysMillis)

  it.effect("counts time with the Clock", () =>
    Effect.gen(function*() {
      const { issuer } = yield* open({ expiresIn: "1 minute" })
      yield* TestClock.setTime(1_000_500)
      assert.deepInclude(claimsOf(yield* issuer.sign()), { iat: 1000, exp: 1060 })
      assert.deepInclude(claimsOf(yield* issuer.sign({ expiresIn: "-5 seconds" })), { exp: 995 })
    }))

  it.effect("lets header and claims be replaced and removed", () =>
    Effect.gen(function*() {
      const { issuer } = yield* open({ claims: { email: "a@example.com", role: "x" } })
      const token = yield* issuer.sign({
        header: { alg: "none", kid: undefined, crit: ["b64"] },
        claims: { sub: undefined, aud: ["a", "b"], role: undefined }
      })
      assert.deepStrictEqual(decodeProtectedHeader(token) as object, { alg: "none", typ: "JWT", crit: ["b64"] })
      const claims = claimsOf(token)
      assert.hasAllKeys(claims, ["iss", "aud", "iat", "exp", "email"])
      assert.deepStrictEqual(claims.aud, ["a", "b"])
      const raw = yield* issuer.sign({ payloadJson: "{\"sub\":\"a\",\"sub\":\"b\"}" })
      assert.strictEqual(atob(raw.split(".")[1] ?? ""), "{\"sub\":\"a\",\"sub\":\"b\"}")
    }))

  it.effect("signs with keys that it does not publish", () =>
    Effect.gen(function*() {
      const { client, issuer } = yield* open()
      const keys = yield* keySet(client, issuer.jwksUri)
      const { kid } = yield* issuer.key()
      const foreign = yield* issuer.sign({ key: yield* makeSigningKey({ algorithm: "RS256", kid }) })
      const rejected = yield* Effect.promise(() => jwtVerify(foreign, keys, { currentDate: at(0) }).catch(() => "no"))
      assert.strictEqual(rejected, "no")
      const secret = new TextEncoder().encode("secret")
      const symmetric = yield* issuer.sign({ key: hmacSigner(secret) })
      yield* Effect.promise(() => jwtVerify(symmetric, secret, { currentDate: at(0) }))
      const weak = yield* makeSigningKey({ algorithm: "RS256", kid: "weak", modulusLength: 1024 })
      assert.strictEqual(weak.publicJwk.n?.length, Math.ceil(128 * 4 / 3))
    }))

  it.effect("rotates, withdraws and adds keys", () =>
    Effect.gen(function*() {
      const { client, issuer } = yield* open()
      const kids = Effect.map(issuer.jwks, ({ keys }) => keys.map((key) => "kid" in key ? key.kid : undefined))
      const [first, same] = yield* Effect.all([issuer.key(), issuer.key("RS256")], { concurrency: "unbounded" })
      assert.strictEqual(first, same)
      const second = yield* issuer.rotate()
      assert.deepStrictEqual(yield* kids, [first.kid, second.kid])
      assert.strictEqual(decodeProtectedHeader(yield* issuer.sign()).kid, second.kid)
      yield* issuer.removeKey(first.kid)
      assert.deepStrictEqual(yield* kids, [second.kid])
      yield* issuer.publishKey({ kty: "RSA", kid: "broken" })
      assert.deepStrictEqual<unknown>(yield* json(client, issuer.jwksUri), yield* issuer.jwks)
      assert.deepStrictEqual(yield* kids, [second.kid, "broken"])
    }))

  it.effect("publishes its metadata in both forms, below a path too", () =>
    Effect.gen(function*() {
      const { client: rootClient, issuer: root } = yield* open()
      const { client, issuer: tenant } = yield* open({ path: "/tenant" })
      const origin = new URL(tenant.issuer).origin
      const urls = [
        [root, rootClient, `${root.issuer}/.well-known/openid-configuration`],
        [root, rootClient, `${root.issuer}/.well-known/oauth-authorization-server`],
        [tenant, client, `${tenant.issuer}/.well-known/openid-configuration`],
        [tenant, client, `${origin}/.well-known/oauth-authorization-server/tenant`]
      ] as const
      for (const [issuer, requester, url] of urls) {
        assert.deepInclude(yield* json(requester, url), { issuer: issuer.issuer, jwks_uri: issuer.jwksUri }, url)
      }
      assert.strictEqual((yield* get(client, tenant.jwksUri)).status, 200)
      assert.strictEqual((yield* get(client, `${origin}/.well-known/openid-configuration`)).status, 404)
      assert.strictEqual((yield* get(client, `${origin}/oauth2/jwks`)).status, 404)
    }))

  it.effect("describes opaque tokens at its userinfo endpoints until they expire", () =>
    Effect.gen(function*() {
      const { client, issuer } = yield* open()
      const token = yield* issuer.issueOpaque({ prefix: "mat_", subject: "u", email: "u@example.com", name: "U" })
      assert.match(token, /^mat_[A-Za-z0-9_-]{43}$/)
      const ask = (path: string, bearer: string) =>
        get(client, issuer.issuer + path, { authorization: `Bearer ${bearer}` })
      for (const path of ["/oauth/userinfo", "/oauth2/userinfo"]) {
        const reply = yield* ask(path, token)
        assert.deepStrictEqual(yield* reply.json, {
          sub: "u",
          email: "u@example.com",
          name: "U"
        })
        assert.strictEqual((yield* ask(path, `${token}x`)).status, 401)
        assert.strictEqual((yield* get(client, issuer.issuer + path)).status, 401)
      }
      yield* TestClock.adjust("299 seconds")
      assert.strictEqual((yield* ask("/oauth/userinfo", token)).status, 200)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* ask("/oauth/userinfo", token)).status, 401)
      const revoked = yield* issuer.issueOpaque()
      assert.strictEqual((yield* ask("/oauth/userinfo", revoked)).status, 200)
      yield* issuer.revoke(revoked)
      assert.strictEqual((yield* ask("/oauth/userinfo", revoked)).status, 401)
    }))

  it.effect("serves introspection to its client only", () =>
    Effect.gen(function*() {
      const { client, issuer } = yield* open({ client: { id: "gate:way", secret: "s%c ret" } })
      const token = yield* issuer.issueOpaque({ scopes: ["a", "b"], claims: { username: "u", client_id: undefined } })
      const ask = (headers: Record<string, string>, asked = token) =>
        post(client, issuer.introspectionEndpoint, { token: asked }, headers)
      const known = { authorization: basic("gate:way", "s%c ret") }
      const active = yield* ask(known)
      assert.deepStrictEqual(yield* active.json, {
        active: true,
        iss: issuer.issuer,
        sub: "user-1",
        aud: ["https://mcp.example/mcp"],
        scope: "a b",
        token_type: "Bearer",
        iat: 0,
        exp: 300,
        username: "u"
      })
      const unknown = yield* ask(known, "unknown")
      assert.deepStrictEqual(yield* unknown.json, { active: false })
      assert.strictEqual((yield* ask({})).status, 401)
      assert.strictEqual((yield* ask({ authorization: basic("gate:way", "wrong") })).status, 401)
      assert.strictEqual((yield* ask({ authorization: `Basic ${btoa("gate:way:s%c ret")}` })).status, 401)
    }))

  it.effect("grants tokens to its client", () =>
    Effect.gen(function*() {
      const { client, issuer } = yield* open()
      const { id, secret } = issuer.client
      const ask = (form: Record<string, string>, headers: Record<string, string> = {}) =>
        Effect.flatMap(
          post(client, issuer.tokenEndpoint, { grant_type: "client_credentials", ...form }, headers),
          (response) => Effect.map(decode(response), (body) => ({ status: response.status, body }))
        )
      const granted = yield* ask({ scope: "mcp:read", resource: "http://localhost:3000/mcp" }, {
        authorization: basic(id, secret)
      })
      const token = String(granted.body["access_token"])
      assert.deepInclude(granted.body, { token_type: "Bearer", expires_in: 300, scope: "mcp:read" })
      const keys = yield* keySet(client, issuer.jwksUri)
      const { payload, protectedHeader } = yield* Effect.promise(() =>
        jwtVerify(token, keys, { audience: "http://localhost:3000/mcp", currentDate: at(0) })
      )
      assert.deepInclude(payload, { client_id: id, scope: "mcp:read", sub: "user-1" })
      assert.strictEqual(protectedHeader.typ, "at+jwt")
      const seen = yield* get(client, issuer.userinfoEndpoint, { authorization: `Bearer ${token}` })
      assert.strictEqual(seen.status, 200)

      const inBody = yield* ask({ client_id: id, client_secret: secret })
      assert.strictEqual(inBody.body["scope"], "mcp:read mcp:write")
      assert.deepStrictEqual(yield* ask({}), { status: 401, body: { error: "invalid_client" } })
      assert.deepStrictEqual(yield* ask({ client_id: id, client_secret: secret, scope: "root" }), {
        status: 400,
        body: { error: "invalid_scope" }
      })
      assert.deepStrictEqual(yield* ask({ client_id: id, client_secret: secret, grant_type: "password" }), {
        status: 400,
        body: { error: "unsupported_grant_type" }
      })
    }))

  it.effect("records its requests", () =>
    Effect.gen(function*() {
      const { client, issuer } = yield* open()
      yield* get(client, `${issuer.jwksUri}?a=1`, { "x-test": "1" })
      yield* post(client, issuer.tokenEndpoint, { a: "b" })
      assert.strictEqual(yield* issuer.hits("/oauth2/jwks"), 1)
      assert.strictEqual(yield* issuer.hits("/jwks"), 0)
      const [jwks, token] = yield* issuer.requests()
      assert.strictEqual(jwks?.headers["x-test"], "1")
      assert.strictEqual(jwks?.query.get("a"), "1")
      assert.strictEqual(token?.body, "a=b")
      assert.lengthOf(yield* issuer.requests("/oauth2/token"), 1)
    }))
})
