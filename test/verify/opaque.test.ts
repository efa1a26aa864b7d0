import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import type { InvalidTokenReason } from "../../src/errors/GatewayError.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { OpaqueTokenOptions, TestIssuerOptions } from "../../src/issuer/TestIssuerOptions.ts"
import type { ClientAuth } from "../../src/providers/clientCredentials.ts"
import { makeVerifyOpaque } from "../../src/verify/opaque/VerifyOpaque.ts"
import { introspectionProvider, jwtProvider, userinfoProvider } from "../fixtures/providers.ts"
import { assertAccepted, assertRejected, skew, start, verifierOf, type Verify, withProviders } from "./support.ts"

const userinfo = "/oauth/userinfo"
const introspection = "/oauth2/introspection"

const setUp = Effect.fnUntraced(function*(type: "userinfo" | "introspection", options?: TestIssuerOptions) {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make(options)
  const verify = yield* verifierOf(type === "userinfo" ? userinfoProvider(issuer) : introspectionProvider(issuer))
  return { issuer, verify, hits: issuer.hits(type === "userinfo" ? userinfo : introspection) }
})

const assertUnavailable = Effect.fnUntraced(function*(verify: Verify, token: string, detail: string) {
  const error = yield* Effect.flip(verify(token))
  assert.deepInclude(error, { _tag: "ProviderUnavailable", retryAfter: 10 })
  assert.include(error.detail, detail)
  assert.notInclude(JSON.stringify(error), token)
})

/** Failures of a provider that say nothing about the token. */
const failures: ReadonlyArray<readonly [Misbehaviour, string]> = [
  [Misbehaviour.Respond({ status: 500 }), "Status 500"],
  [Misbehaviour.Respond({ status: 503 }), "Status 503"],
  [Misbehaviour.Respond({ status: 429 }), "Status 429"],
  [Misbehaviour.Respond({ status: 404 }), "Status 404"],
  [Misbehaviour.Respond({ status: 405 }), "Status 405"],
  [Misbehaviour.Respond({ status: 204 }), "Status 204"],
  [Misbehaviour.Respond({ body: "<html>", headers: { "content-type": "text/html" } }), "NotJson"],
  [Misbehaviour.Respond({ body: "[]" }), "NotAnObject"],
  [Misbehaviour.Respond({ body: "" }), "NotJson"],
  [Misbehaviour.Redirect({ location: "/elsewhere" }), "Redirect 302"],
  [Misbehaviour.Disconnect({ after: "Request" }), "Unreachable"]
]

const challenge = (parameters: string) =>
  Misbehaviour.Respond({ status: 403, body: "", headers: { "www-authenticate": `Bearer ${parameters}` } })

/** So many seconds from now, as fields of HTTP have it. */
const date = (seconds: number) => DateTime.toDateUtc(DateTime.makeUnsafe((start + seconds) * 1000)).toUTCString()

describe("userinfo", () => {
  it.effect("builds the identity from the response", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("userinfo")
      const token = yield* issuer.issueOpaque({ subject: "ada", email: "a@b.example", name: "Ada" })
      const { claims, ...identity } = yield* verify(token)
      assert.deepStrictEqual(identity, {
        subject: "ada",
        principal: "user",
        clientId: undefined,
        issuer: issuer.issuer,
        scopes: [],
        email: "a@b.example",
        name: "Ada",
        provider: "people",
        expiresAt: undefined
      })
      assert.strictEqual(claims["sub"], "ada")
      const [request] = yield* issuer.requests(userinfo)
      assert.strictEqual(request?.method, "GET")
      assert.strictEqual(request?.headers["authorization"], `Bearer ${token}`)
    })))

  it.effect("rejects a token that the issuer rejects", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("userinfo")
      yield* assertAccepted(verify, yield* issuer.issueOpaque())
      yield* assertRejected(verify, "mat_0123456789abcdefghij", "Inactive")
    })))

  it.effect("OPQ-05 rejects the token on every response with which providers reject one", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("userinfo")
      const html = { "content-type": "text/html" }
      const again = { "retry-after": "30" }
      const rejections: ReadonlyArray<readonly [Misbehaviour, InvalidTokenReason]> = [
        [Misbehaviour.Respond({ status: 400, body: "{\"error\":\"invalid_token\"}" }), "Inactive"],
        [Misbehaviour.Respond({ status: 400, body: "{\"error\":{\"code\":190}}" }), "Inactive"],
        [Misbehaviour.Respond({ status: 401, body: "" }), "Inactive"],
        [Misbehaviour.Respond({ status: 403, body: "Bad_OAuth_Token", headers: html }), "Inactive"],
        [Misbehaviour.Respond({ status: 422, body: "{\"error\":\"invalid_token\"}" }), "Inactive"],
        [Misbehaviour.Respond({ status: 431, body: "" }), "Inactive"],
        [Misbehaviour.Respond({ status: 498, body: "{}" }), "Inactive"],
        [Misbehaviour.Respond({ status: 403, body: "{\"error\":\"invalid_token\"}", headers: again }), "Inactive"],
        [Misbehaviour.Respond({ body: "{\"ok\":false,\"error\":\"invalid_auth\"}" }), "Inactive"],
        [Misbehaviour.Respond({ body: "{\"ok\":false}" }), "Inactive"],
        [Misbehaviour.Respond({ body: "{\"error\":{\"code\":1},\"sub\":\"ada\"}" }), "Inactive"],
        [Misbehaviour.Respond({ body: "{}" }), "MissingClaim"],
        [Misbehaviour.Respond({ body: "{\"sub\":\"\"}" }), "MissingClaim"],
        [Misbehaviour.Respond({ body: "{\"sub\":null}" }), "MissingClaim"],
        [Misbehaviour.Respond({ body: "{\"sub\":7}" }), "MissingClaim"],
        [Misbehaviour.Respond({ body: "{\"client_id\":\"c\"}" }), "MissingClaim"]
      ]
      for (const [behaviour, reason] of rejections) {
        yield* issuer.misbehave(userinfo, behaviour)
        yield* assertRejected(verify, yield* issuer.issueOpaque(), reason)
      }
      // More of them in a row than failures that a provider is left alone after.
      yield* assertAccepted(verify, yield* issuer.issueOpaque())
      yield* issuer.misbehave(userinfo, Misbehaviour.Respond({ body: "{\"sub\":\"ada\",\"error\":null}" }))
      yield* assertAccepted(verify, yield* issuer.issueOpaque())
    })))

  it.effect("OPQ-05 takes a 403 of userinfo with Retry-After for a rate limit", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("userinfo")
      const body = "{\"message\":\"You have exceeded a secondary rate limit\"}"
      yield* issuer.misbehave(userinfo, Misbehaviour.Respond({ status: 403, body, headers: { "retry-after": "30" } }))
      const error = yield* Effect.flip(verify(yield* issuer.issueOpaque()))
      assert.deepInclude(error, { _tag: "ProviderUnavailable", retryAfter: 30 })
    })))

  it.effect("OPQ-04 rejects a token of a listed client if introspection names neither its subject nor its purpose", () =>
    withProviders(Effect.gen(function*() {
      const { issuer } = yield* setUp("introspection")
      const verify = yield* verifierOf(introspectionProvider(issuer, { audience: [] }))
      const responses = [
        [{ client_id: "bot", exp: start + 3600 }, false],
        [{ client_id: "bot", scope: "", aud: [] }, false],
        [{ client_id: "bot", token_type: "Bearer" }, true],
        [{ client_id: "bot", scope: "mcp:read" }, true],
        [{ sub: "ada" }, true]
      ] as const
      for (const [response, isAccepted] of responses) {
        const body = JSON.stringify({ active: true, ...response })
        yield* issuer.misbehave(introspection, Misbehaviour.Respond({ body }))
        const token = yield* issuer.issueOpaque()
        yield* isAccepted ? assertAccepted(verify, token) : assertRejected(verify, token, "MissingClaim")
      }
    })))

  it.effect("OPQ-05 reports the scope that the provider demands, and caches that as long as a rejection", () =>
    withProviders(Effect.gen(function*() {
      const { hits, issuer, verify } = yield* setUp("userinfo")
      const demands: ReadonlyArray<readonly [Misbehaviour, ReadonlyArray<string>]> = [
        [challenge("realm=\"a\", error=\"insufficient_scope\", scope=\"openid profile\""), ["openid", "profile"]],
        [challenge("error=insufficient_scope,scope=openid"), ["openid"]],
        [challenge("error=\"insufficient_scope\", error_description=\"Missing openid scope\""), ["openid"]],
        [challenge("error=\"insufficient_scope\", scope=\"bad\u00e9 scope\""), ["openid"]],
        [Misbehaviour.Respond({ status: 403, body: "{\"error\":\"insufficient_scope\",\"scope\":\"me\"}" }), ["me"]]
      ]
      for (const [behaviour, required] of demands) {
        yield* issuer.misbehave(userinfo, behaviour)
        const token = yield* issuer.issueOpaque()
        const before = yield* hits
        for (let look = 0; look < 3; look++) {
          assert.deepInclude(yield* Effect.flip(verify(token)), { _tag: "InsufficientScope", required })
        }
        assert.strictEqual(yield* hits, before + 1)
        yield* TestClock.adjust("10 seconds")
        yield* assertAccepted(verify, token)
      }
    })))

  it.effect("OPQ-05 treats any other response as an outage, and caches none", () =>
    withProviders(Effect.gen(function*() {
      const { hits, issuer, verify } = yield* setUp("userinfo")
      const token = yield* issuer.issueOpaque()
      const outages = [
        [Misbehaviour.Respond({ body: "{\"error\":\"temporarily_unavailable\"}" }), "reported an outage"],
        [Misbehaviour.Respond({ status: 400, body: "{\"error\":\"server_error\"}" }), "Status 400, server_error"]
      ] as const
      let asked = 0
      for (const [behaviour, detail] of [...failures, ...outages]) {
        yield* issuer.misbehave(userinfo, behaviour)
        yield* assertUnavailable(verify, token, detail)
        assert.strictEqual(yield* hits, ++asked)
      }
      yield* assertAccepted(verify, token)
    })))

  it.effect("OPQ-13 rejects a response with repeated members", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("userinfo")
      const token = yield* issuer.issueOpaque()
      yield* issuer.misbehave(userinfo, Misbehaviour.Respond({ body: "{\"sub\":\"a\",\"sub\":\"b\"}" }))
      yield* assertUnavailable(verify, token, "DuplicateMember")
      yield* issuer.misbehave(
        userinfo,
        Misbehaviour.Respond({ body: "{\"sub\":\"a\",\"__proto__\":{\"email\":\"x\"}}" })
      )
      assert.isUndefined((yield* verify(token)).email)
    })))
})

describe("introspection", () => {
  it.effect("sends the request of RFC 7662, and builds the identity from the response", () =>
    withProviders(Effect.gen(function*() {
      const client = { id: "gate:way", secret: "s\u00e9cret +&=%/:" }
      const { issuer, verify } = yield* setUp("introspection", { client })
      const token = yield* issuer.issueOpaque({
        subject: "ada",
        clientId: "cli",
        scopes: ["a", "b"],
        email: "a@b.example"
      })
      const { claims, ...identity } = yield* verify(token)
      assert.deepStrictEqual(identity, {
        subject: "ada",
        principal: "user",
        clientId: "cli",
        issuer: issuer.issuer,
        scopes: ["a", "b"],
        email: "a@b.example",
        name: undefined,
        provider: "opaque",
        expiresAt: start + 300
      })
      assert.strictEqual(claims["token_type"], "Bearer")
      const [request] = yield* issuer.requests(introspection)
      assert.deepStrictEqual([...new URLSearchParams(request?.body)], [
        ["token", token],
        ["token_type_hint", "access_token"]
      ])
      assert.match(request?.headers["authorization"] ?? "", /^Basic /)
    })))

  it.effect("authenticates in the configured way, and in no other", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make()
      const secret = Redacted.make("s3cret +&=%")
      const question = [["token", "opaque"], ["token_type_hint", "access_token"]]
      const ways: ReadonlyArray<readonly [ClientAuth, string | undefined, ReadonlyArray<ReadonlyArray<string>>]> = [
        [{ method: "basic", clientId: "a:b", clientSecret: secret }, `Basic ${btoa("a%3Ab:s3cret+%2B%26%3D%25")}`, []],
        [
          { method: "post", clientId: "a:b", clientSecret: secret },
          undefined,
          [["client_id", "a:b"], ["client_secret", "s3cret +&=%"]]
        ],
        [{ method: "bearer", token: Redacted.make("own-token") }, "Bearer own-token", []],
        [{ method: "none" }, undefined, []]
      ]
      for (const [clientAuth, authorization, members] of ways) {
        const verify = yield* verifierOf(introspectionProvider(issuer, { clientAuth }))
        const body = JSON.stringify({ active: true, sub: "ada", aud: issuer.audience })
        yield* issuer.misbehave(introspection, Misbehaviour.Respond({ status: 200, body }))
        yield* assertAccepted(verify, "opaque")
        const request = (yield* issuer.requests(introspection)).at(-1)
        assert.strictEqual(request?.headers["authorization"], authorization, clientAuth.method)
        assert.deepStrictEqual([...new URLSearchParams(request?.body)], [...question, ...members], clientAuth.method)
        // Rejected: the log names the settings to check, and no secret.
        yield* issuer.misbehave(introspection, Misbehaviour.Respond({ status: 401 }))
        yield* assertUnavailable(verify, "other-token", "the gateway's credentials, not the token; check ")
        yield* issuer.misbehave(introspection, Misbehaviour.Respond({ status: 401 }))
        const error = yield* Effect.flip(verify("third-token"))
        for (const hidden of ["s3cret", "own-token", "third-token"]) assert.notInclude(JSON.stringify(error), hidden)
        assert.include(error.detail, "MCP_CLIENT_AUTH")
      }
    })))

  it.effect("OPQ-08 sends the token unchanged", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("introspection")
      for (const token of ["a&token_type_hint=refresh_token", "a=b", "a%2Bb", "a+b/c~d", "a\nb", "a#b?c"]) {
        yield* assertRejected(verify, token, "Inactive")
        const request = (yield* issuer.requests(introspection)).at(-1)
        assert.deepStrictEqual(new URLSearchParams(request?.body).getAll("token"), [token])
        assert.deepStrictEqual(new URLSearchParams(request?.body).getAll("token_type_hint"), ["access_token"])
      }
    })))

  it.effect("OPQ-01 accepts only active: true", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("introspection")
      yield* assertAccepted(verify, yield* issuer.issueOpaque({ claims: { active: true } }))
      for (const active of [false, "true", 1, null, undefined, [true], { active: true }]) {
        yield* assertRejected(verify, yield* issuer.issueOpaque({ claims: { active } }), "Inactive")
      }
      const token = yield* issuer.issueOpaque()
      yield* issuer.misbehave(
        introspection,
        Misbehaviour.Respond({ body: "{\"__proto__\":{\"active\":true},\"sub\":\"a\"}" })
      )
      yield* assertRejected(verify, token, "Inactive")
    })))

  const cases: ReadonlyArray<readonly [OpaqueTokenOptions, InvalidTokenReason | undefined]> = [
    [{ claims: { exp: start - skew } }, "Expired"],
    [{ claims: { exp: start - skew + 1 } }, undefined],
    [{ claims: { exp: undefined } }, undefined],
    [{ claims: { exp: null, nbf: null } }, undefined],
    [{ claims: { exp: "soon" } }, "ValidationFailed"],
    [{ claims: { nbf: start + skew + 1 } }, "NotYetValid"],
    [{ claims: { nbf: start + skew } }, undefined],
    [{ claims: { iss: "https://evil.example" } }, "InvalidIssuer"],
    [{ claims: { iss: 7 } }, "InvalidIssuer"],
    [{ claims: { iss: undefined } }, undefined],
    [{ audience: "https://other.example" }, "InvalidAudience"],
    [{ audience: ["https://other.example", "https://mcp.example/mcp"] }, undefined],
    [{ claims: { aud: undefined } }, "MissingClaim"],
    [{ claims: { aud: null } }, "MissingClaim"],
    [{ claims: { aud: 7 } }, "InvalidAudience"],
    [{ claims: { cnf: { jkt: "x" } } }, "ValidationFailed"],
    [{ claims: { sub: undefined } }, undefined],
    [{ claims: { sub: undefined, client_id: undefined } }, "MissingClaim"],
    [{ claims: { sub: 7 } }, "ValidationFailed"],
    [{ claims: { scope: { a: 1 } } }, "ValidationFailed"],
    [{ claims: { scope: ["a", "b"] } }, undefined]
  ]

  it.effect("OPQ-02 checks the claims of an active token like those of a JWT", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("introspection")
      for (const [options, reason] of cases) {
        const token = yield* issuer.issueOpaque(options)
        yield* reason === undefined ? assertAccepted(verify, token) : assertRejected(verify, token, reason)
      }
    })))

  it.effect("OPQ-05 OPQ-07 treats any other response as an outage, and caches none", () =>
    withProviders(Effect.gen(function*() {
      const { hits, issuer, verify } = yield* setUp("introspection")
      const token = yield* issuer.issueOpaque()
      let asked = 0
      for (const [behaviour, detail] of failures) {
        yield* issuer.misbehave(introspection, behaviour)
        yield* assertUnavailable(verify, token, detail)
        assert.strictEqual(yield* hits, ++asked)
      }
      yield* assertAccepted(verify, token)
    })))

  it.effect("OPQ-06 reports an outage, not a bad token, when the gateway's own credentials are rejected", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("introspection")
      const token = yield* issuer.issueOpaque()
      const wrong = yield* verifierOf(
        introspectionProvider(issuer, {
          clientAuth: {
            method: "basic",
            clientId: issuer.client.id,
            clientSecret: Redacted.make("canary-secret-of-the-gateway")
          }
        })
      )
      yield* assertUnavailable(
        wrong,
        token,
        "Status 401, invalid_client: the provider rejects the gateway's credentials"
      )
      assert.notInclude(JSON.stringify(yield* Effect.flip(wrong(token))), "canary")
      const rejections = [
        Misbehaviour.Respond({ status: 403, body: "<html>" }),
        Misbehaviour.Respond({ status: 400, body: "{\"error\":\"invalid_client\"}" }),
        Misbehaviour.Respond({ status: 400, body: "{\"error\":\"unauthorized_client\"}" }),
        Misbehaviour.Respond({ body: "{\"error\":\"invalid_client\"}" })
      ]
      for (const behaviour of rejections) {
        yield* issuer.misbehave(introspection, behaviour)
        yield* assertUnavailable(verify, token, "the provider rejects the gateway's credentials, not the token")
      }
      yield* assertAccepted(verify, token)
    })))

  it.effect("OPQ-06 rejects the token when the provider's error names the token", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("introspection")
      for (const error of ["invalid_token", "unsupported_token_type"]) {
        yield* issuer.misbehave(introspection, Misbehaviour.Respond({ status: 400, body: JSON.stringify({ error }) }))
        yield* assertRejected(verify, yield* issuer.issueOpaque(), "Inactive")
      }
      for (const status of [400, 404]) {
        yield* issuer.misbehave(introspection, Misbehaviour.Respond({ status, body: "{\"active\":false}" }))
        yield* assertRejected(verify, yield* issuer.issueOpaque(), "Inactive")
      }
      for (const status of [403, 429, 503]) {
        yield* issuer.misbehave(introspection, Misbehaviour.Respond({ status, body: "{\"active\":false}" }))
        yield* assertUnavailable(verify, yield* issuer.issueOpaque(), `Status ${status}`)
      }
      yield* issuer.misbehave(
        introspection,
        Misbehaviour.Respond({ status: 400, body: "{\"error\":\"invalid_request\"}" })
      )
      yield* assertUnavailable(verify, yield* issuer.issueOpaque(), "Status 400, invalid_request")
    })))

  it.effect("OPQ-05 passes on the provider's Retry-After", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("introspection")
      const pauses: ReadonlyArray<readonly [field: string, seconds: number]> = [
        ["7", 7],
        ["0", 1],
        ["99999", 3600],
        ["-1", 10],
        ["soon", 10],
        ["1e3", 10],
        ["", 10],
        [date(30), 30],
        [date(-30), 1],
        ["Sat, 99 Xyz 2027 99:99:99 GMT", 10]
      ]
      for (const [field, retryAfter] of pauses) {
        const headers = { "retry-after": field }
        yield* issuer.misbehave(introspection, Misbehaviour.Respond({ status: 429, headers }))
        const error = yield* Effect.flip(verify(yield* issuer.issueOpaque()))
        assert.deepInclude(error, { _tag: "ProviderUnavailable", retryAfter }, field)
      }
    })))
})

describe("verdicts", () => {
  it.effect("OPQ-12 sends one request to the provider for a thousand with one token", () =>
    withProviders(Effect.gen(function*() {
      const { hits, issuer, verify } = yield* setUp("introspection")
      const token = yield* issuer.issueOpaque()
      const identities = yield* Effect.all(Array.from({ length: 1000 }, () => verify(token)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([...new Set(identities.map(({ subject }) => subject))], ["user-1"])
      assert.strictEqual(yield* hits, 1)
    })))

  it.effect("OPQ-14 gives each of many tokens its own result", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("introspection")
      const tokens = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => `user-${index}`),
        (subject) => Effect.map(issuer.issueOpaque({ subject }), (token) => ({ subject, token }))
      )
      yield* Effect.forEach(
        [...tokens, ...tokens.toReversed(), ...tokens],
        ({ subject, token }) => Effect.map(verify(token), (identity) => assert.strictEqual(identity.subject, subject)),
        { concurrency: "unbounded", discard: true }
      )
    })))

  it.effect("OPQ-09 CACHE-04 tells tokens apart by every character", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("introspection")
      const token = yield* issuer.issueOpaque({ prefix: "mat_same_beginning_of_20_" })
      yield* assertAccepted(verify, token)
      const others = [
        token.slice(0, -1),
        `${token}x`,
        token.slice(0, 20),
        token.toLowerCase(),
        ` ${token}`,
        `${token} `
      ]
      for (const other of others) {
        const error = yield* Effect.flip(verify(other))
        assert.strictEqual(error._tag, "InvalidToken")
      }
      yield* assertAccepted(verify, token)
    })))

  it.effect("CACHE-04 keeps the verdicts of two providers apart", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const [first, second] = [yield* TestIssuer.make(), yield* TestIssuer.make()]
      const token = yield* first.issueOpaque()
      yield* assertAccepted(yield* verifierOf(userinfoProvider(first)), token)
      yield* assertRejected(yield* verifierOf(userinfoProvider(second)), token, "Inactive")
    })))

  it.effect("OPQ-10 caches an acceptance for 5 minutes", () =>
    withProviders(Effect.gen(function*() {
      const { hits, issuer, verify } = yield* setUp("userinfo", { expiresIn: "1 hour" })
      const token = yield* issuer.issueOpaque()
      yield* assertAccepted(verify, token)
      yield* issuer.revoke(token)
      yield* TestClock.adjust(299_999)
      yield* assertAccepted(verify, token)
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust(1)
      yield* assertRejected(verify, token, "Inactive")
    })))

  it.effect("CACHE-01 caches an acceptance until the token expires, and checks that each time", () =>
    withProviders(Effect.gen(function*() {
      const { hits, issuer, verify } = yield* setUp("introspection")
      const token = yield* issuer.issueOpaque({ expiresIn: "30 seconds" })
      yield* assertAccepted(verify, token)
      yield* TestClock.adjust("29 seconds")
      yield* assertAccepted(verify, token)
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust("1 second")
      yield* assertRejected(verify, token, "Inactive")
      assert.strictEqual(yield* hits, 2)
      const late = yield* issuer.issueOpaque({ claims: { exp: start } })
      yield* assertAccepted(verify, late)
      yield* TestClock.adjust("30 seconds")
      yield* assertRejected(verify, late, "Expired")
    })))

  it.effect("CACHE-01 rejects an expired token although the provider calls it active", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp("userinfo")
      const identity = yield* verify(yield* issuer.issueOpaque())
      const ending = (expiresAt: number): Verify => {
        const verifyOpaque = makeVerifyOpaque("people", skew, () => Effect.succeed({ ...identity, expiresAt }))
        return (token) => Effect.map(verifyOpaque(BearerToken.make(token)), (verdict) => verdict.identity)
      }
      yield* assertRejected(ending(start - skew), "opaque", "Expired")
      yield* assertAccepted(ending(start - skew + 1), "opaque")
    })))

  it.effect("CACHE-06 caches a rejection for 10 seconds", () =>
    withProviders(Effect.gen(function*() {
      const { hits, issuer, verify } = yield* setUp("userinfo")
      const token = yield* issuer.issueOpaque()
      yield* issuer.misbehave(userinfo, Misbehaviour.Respond({ status: 401 }))
      yield* assertRejected(verify, token, "Inactive")
      yield* TestClock.adjust(9_999)
      yield* assertRejected(verify, token, "Inactive")
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust(1)
      yield* assertAccepted(verify, token)
    })))

  it.effect("OPQ-11 CACHE-05 evicts no known token during a flood of unknown ones", () =>
    withProviders(Effect.gen(function*() {
      const { hits, issuer, verify } = yield* setUp("userinfo")
      const token = yield* issuer.issueOpaque()
      yield* assertAccepted(verify, token)
      yield* Effect.forEach(
        Array.from({ length: 1_500 }, (_, index) => `unknown-${index}`),
        (unknown) => Effect.flip(verify(unknown)),
        { concurrency: 50, discard: true }
      )
      const before = yield* hits
      yield* assertAccepted(verify, token)
      yield* assertRejected(verify, "unknown-1499", "Inactive")
      assert.strictEqual(yield* hits, before)
      // Only the latest rejections are cached.
      yield* assertRejected(verify, "unknown-0", "Inactive")
      assert.strictEqual((yield* hits) - before, 1)
    })))

  it.effect("OPQ-03 does not try a rejected JWT at the userinfo endpoint", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make()
      const verify = yield* verifierOf(jwtProvider(issuer), userinfoProvider(issuer))
      yield* issuer.misbehave(userinfo, Misbehaviour.Respond({ status: 200, body: "{\"sub\":\"admin\"}" }), Infinity)
      yield* assertRejected(verify, yield* issuer.sign({ expiresIn: "-5 minutes" }), "Expired")
      yield* assertRejected(verify, yield* issuer.sign({ header: { alg: "none" } }), "UnsupportedAlgorithm")
      assert.strictEqual(yield* issuer.hits(userinfo), 0)
      assert.strictEqual((yield* verify("opaque-token")).subject, "admin")
    })))

  it.effect("OPQ-07 accepts the tokens of other providers during an outage of one", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const [jwts, opaques] = [yield* TestIssuer.make(), yield* TestIssuer.make()]
      const verify = yield* verifierOf(jwtProvider(jwts), introspectionProvider(opaques))
      const [jwt, opaque] = [yield* jwts.sign(), yield* opaques.issueOpaque()]
      yield* opaques.misbehave(introspection, Misbehaviour.Respond({ status: 500 }))
      yield* assertUnavailable(verify, opaque, "Status 500")
      yield* assertAccepted(verify, jwt)
      yield* jwts.misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 500 }), Infinity)
      yield* TestClock.adjust("299 seconds")
      yield* assertAccepted(verify, opaque)
      yield* TestClock.adjust("1 second")
      // Keys that have ended serve for an hour while their provider is down, and no longer.
      yield* assertAccepted(verify, jwt)
      yield* TestClock.adjust("1 hour")
      yield* assertUnavailable(verify, yield* jwts.sign(), "Status 500")
      yield* assertAccepted(verify, yield* opaques.issueOpaque())
    })))
})
