import { afterEach, assert, beforeEach, layer, vi } from "@effect/vitest"
import { requireBearerAuth as requireBearerAuthV2 } from "@modelcontextprotocol/express"
import * as errorsV1 from "@modelcontextprotocol/sdk/server/auth/errors.js"
import { requireBearerAuth as requireBearerAuthV1 } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js"
import { OAuthError } from "@modelcontextprotocol/server"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import express from "express"
import { format } from "node:util"
import type { GatewayConfigInput } from "../../src/config/GatewayConfigInput.ts"
import { InvalidConfiguration } from "../../src/config/InvalidConfiguration.ts"
import {
  makeOAuthTokenVerifier,
  makeOAuthTokenVerifierWith,
  type OAuthTokenVerifier
} from "../../src/embed/OAuthTokenVerifier.ts"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"

const sdks = [
  { version: "1.x", errors: errorsV1, requireBearerAuth: requireBearerAuthV1 },
  { version: "2.x", errors: { OAuthError }, requireBearerAuth: requireBearerAuthV2 }
]

type Sdk = (typeof sdks)[number]

interface Protection {
  readonly requiredScopes?: Array<string>
  readonly expectedResource?: URL
}

/** An Express server that responds with the SDK's `AuthInfo` of the caller. */
const serve = Effect.fnUntraced(function*(
  { requireBearerAuth }: Sdk,
  verifier: OAuthTokenVerifier,
  protection: Protection = {}
) {
  const app = express()
  app.use(requireBearerAuth({ verifier, ...protection }))
  app.use((request, response) => {
    response.json(request.auth)
  })
  const { origin } = yield* listen((request, response) => Effect.sync(() => app(request, response)))
  yield* Effect.addFinalizer(() => Effect.promise(() => verifier.dispose()))
  return (token: string) =>
    Effect.promise(async (signal) => {
      const response = await fetch(origin, { headers: { authorization: `Bearer ${token}` }, signal })
      return {
        status: response.status,
        challenge: response.headers.get("www-authenticate"),
        body: await response.json() as Record<string, unknown> // both SDKs respond with JSON objects
      }
    })
})

const audience = "https://mcp.example/mcp"

const jwt = (issuer: TestIssuer["Service"], changes: GatewayConfigInput = {}): GatewayConfigInput => ({
  providers: [{ type: "oidc", issuer: issuer.issuer, audience: [audience] }],
  ...changes
})

const introspection = (issuer: TestIssuer["Service"]): GatewayConfigInput => ({
  providers: [{
    type: "introspection",
    issuer: issuer.issuer,
    audience: [audience],
    introspection_endpoint: issuer.introspectionEndpoint,
    client_id: issuer.client.id,
    client_secret: issuer.client.secret
  }]
})

const serverError = {
  status: 500,
  challenge: null,
  body: { error: "server_error", error_description: "Internal Server Error" }
}

const rejected = (description: string) => ({
  status: 401,
  challenge: `Bearer error="invalid_token", error_description="${description}"`,
  body: { error: "invalid_token", error_description: description }
})

const attempt = (settings: GatewayConfigInput) => Effect.try(() => makeOAuthTokenVerifier(settings, errorsV1))

/** The log as one text. */
let log = ""

beforeEach(() => {
  log = ""
  for (const method of ["log", "error", "info", "warn"] as const) {
    vi.spyOn(globalThis.console, method).mockImplementation((...parts) => {
      log += format(...parts)
    })
  }
})

afterEach(() => {
  vi.restoreAllMocks()
})

layer(TestIssuer.layer({ claims: { email: "user@example.com", name: "User" } }), { excludeTestServices: true })(
  "OAuthTokenVerifier",
  (it) => {
    for (const sdk of sdks) {
      it.effect(`MUST tell the SDK whose token it is (${sdk.version})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer
          const ask = yield* serve(sdk, makeOAuthTokenVerifier(jwt(issuer), sdk.errors), { requiredScopes: ["a"] })
          const exp = Math.floor((yield* Clock.currentTimeMillis) / 1000) + 100
          const claims = { scope: "a b", client_id: "client-1", exp, roles: ["x"] }
          const token = yield* issuer.sign({ claims })
          const { body, status } = yield* ask(token)
          assert.strictEqual(status, 200)
          const { extra, ...info } = body
          assert.deepStrictEqual(info, { token, clientId: "client-1", scopes: ["a", "b"], expiresAt: exp })
          assert.deepOwnInclude(extra, {
            subject: "user-1",
            issuer: issuer.issuer,
            provider: "oidc",
            email: "user@example.com",
            name: "User"
          })
          assert.deepNestedInclude(extra, { "claims.roles": ["x"] })
        }))

      it.effect(`MUST respond 401 invalid_token with the fixed text for every rejected token (${sdk.version})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer
          const ask = yield* serve(sdk, makeOAuthTokenVerifier(jwt(issuer, { max_token_bytes: 1024 }), sdk.errors))
          const good = yield* issuer.sign()
          const bad = [
            ["Token has expired", yield* issuer.sign({ expiresIn: "-2 minutes" })],
            // Within our tolerance, but the SDK has none.
            ["Token has expired", yield* issuer.sign({ expiresIn: "-30 seconds" })],
            ["Invalid audience", yield* issuer.sign({ claims: { aud: "https://other.example" } })],
            ["Invalid issuer", yield* issuer.sign({ claims: { iss: "https://other.example" } })],
            ["Invalid signature", `${good.slice(0, good.lastIndexOf("."))}.${"A".repeat(342)}`],
            ["Unsupported algorithm", yield* issuer.sign({ header: { alg: "none" } })],
            ["Invalid token format", `${good},`],
            ["Invalid token format", `${good}\u00e9`],
            ["The token is too long", "a".repeat(1025)]
          ] as const
          for (const [description, token] of bad) assert.deepStrictEqual(yield* ask(token), rejected(description))
          assert.strictEqual((yield* ask(good)).status, 200)
        }))

      it.effect(`MUST respond 500, never 401, while the provider is unavailable (${sdk.version})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer
          const ask = yield* serve(sdk, makeOAuthTokenVerifier(introspection(issuer), sdk.errors))
          const token = yield* issuer.issueOpaque()
          yield* issuer.misbehave("/oauth2/introspection", Misbehaviour.Respond({ status: 503 }))
          assert.deepStrictEqual(yield* ask(token), serverError)
          assert.include(log, "ProviderUnavailable")
          assert.strictEqual((yield* ask(token)).status, 200)
          assert.deepStrictEqual(yield* ask(`${token}x`), rejected("Token is not active"))
        }))

      it.effect(`MUST respond 500 when the verifier dies, is broken or is closed (${sdk.version})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer
          const token = yield* issuer.sign()
          const dying = Layer.succeed(TokenVerifier, {
            verify: () => Effect.die(new Error(`no idea what ${token} is`))
          })
          const asDying = yield* serve(sdk, makeOAuthTokenVerifierWith(dying, sdk.errors))
          assert.deepStrictEqual(yield* asDying(token), serverError)
          const broken = Layer.effect(TokenVerifier, Effect.fail("no database" as const))
          const asBroken = yield* serve(sdk, makeOAuthTokenVerifierWith(broken, sdk.errors))
          assert.deepStrictEqual(yield* asBroken(token), serverError)
          assert.include(log, "no database")
          assert.notInclude(log, token)
          const verifier = makeOAuthTokenVerifier(jwt(issuer), sdk.errors)
          const asGone = yield* serve(sdk, verifier)
          assert.strictEqual((yield* asGone(token)).status, 200)
          yield* Effect.promise(() => verifier.dispose())
          assert.deepStrictEqual(yield* asGone(token), serverError)
        }))

      it.effect(`MUST respond 403 to a token without the scopes of settings or middleware (${sdk.version})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer
          const settings = jwt(issuer, {
            required_scopes: ["a"],
            providers: [{ type: "oidc", issuer: issuer.issuer, audience: [audience], required_scopes: ["b"] }]
          })
          const ask = yield* serve(sdk, makeOAuthTokenVerifier(settings, sdk.errors), { requiredScopes: ["c"] })
          for (const scope of ["b c", "a c", "a b", "a b cc"]) {
            const { body, challenge, status } = yield* ask(yield* issuer.sign({ claims: { scope } }))
            assert.strictEqual(status, 403, scope)
            assert.match(String(challenge), /^Bearer error="insufficient_scope".*, scope="c"$/)
            assert.strictEqual(body["error"], "insufficient_scope")
          }
          assert.strictEqual((yield* ask(yield* issuer.sign({ claims: { scope: "a b c" } }))).status, 200)
        }))

      it.effect(`MUST respond 403 to a caller that is on no list of the settings (${sdk.version})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer.make({ audience })
          const listed = { ...jwt(issuer), allowed_subjects: "robot", allowed_email_domains: "example.com" }
          const ask = yield* serve(sdk, makeOAuthTokenVerifier(listed, sdk.errors))
          const email = { email: "ann@example.com", email_verified: true }
          assert.strictEqual((yield* ask(yield* issuer.sign({ claims: { sub: "robot" } }))).status, 200)
          assert.strictEqual((yield* ask(yield* issuer.sign({ claims: email }))).status, 200)
          for (const claims of [{ sub: "robot2" }, { ...email, email_verified: false }]) {
            const { status } = yield* ask(yield* issuer.sign({ claims }))
            assert.strictEqual(status, 403, JSON.stringify(claims))
          }
        }))

      it.effect(`MUST accept a token without a known expiry for five minutes (${sdk.version})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer
          const ask = yield* serve(sdk, makeOAuthTokenVerifier(introspection(issuer), sdk.errors))
          const before = (yield* Clock.currentTimeMillis) / 1000
          const endless = yield* ask(yield* issuer.issueOpaque({ claims: { exp: undefined } }))
          const after = (yield* Clock.currentTimeMillis) / 1000
          assert.strictEqual(endless.status, 200)
          assert.isAtLeast(Number(endless.body["expiresAt"]), before + 300)
          assert.isAtMost(Number(endless.body["expiresAt"]), after + 300)
        }))

      it.effect(`MUST report the resource only where the token names this server (${sdk.version})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer
          const settings = {
            public_url: "https://mcp.example",
            providers: [{ type: "oidc" as const, issuer: issuer.issuer, audience: ["auto", "https://other.example"] }]
          }
          const verifier = makeOAuthTokenVerifier(settings, sdk.errors)
          const ask = yield* serve(sdk, verifier, { expectedResource: new URL(audience) })
          for (const aud of [audience, ["https://other.example", audience]]) {
            const { body, status } = yield* ask(yield* issuer.sign({ claims: { aud } }))
            assert.strictEqual(status, 200)
            assert.strictEqual(body["resource"], audience)
          }
          assert.deepStrictEqual(
            yield* ask(yield* issuer.sign({ claims: { aud: "https://other.example" } })),
            rejected("Token was not issued for this resource")
          )
        }))
    }

    it.effect("MUST NOT let a handler's change to its copy affect the next request", () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer
        const verifier = makeOAuthTokenVerifier(jwt(issuer), errorsV1)
        const token = yield* issuer.sign({ claims: { scope: "a", roles: ["reader"] } })
        const verified = Effect.promise(() => verifier.verifyAccessToken(token))
        const first = yield* verified
        const pristine = structuredClone(first)
        first.scopes.push("admin")
        first.extra.subject = "someone-else"
        Object.assign(first.extra.claims["roles"] ?? {}, ["admin"])
        assert.deepStrictEqual(yield* verified, pristine)
        yield* Effect.promise(() => verifier.dispose())
      }))

    it.effect("MUST use an own verifier on top of the configured providers, and no provider before a token arrives", () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer.make()
        const identity = {
          subject: "key-owner",
          clientId: undefined,
          issuer: "keys",
          scopes: [],
          email: undefined,
          name: undefined,
          provider: "keys",
          expiresAt: undefined,
          claims: {}
        }
        const apiKeys = TokenVerifier.layerPrefix("wcd_", () => Effect.succeed(identity)).pipe(
          Layer.provide(TokenVerifier.layer)
        )
        const verifier = makeOAuthTokenVerifier(jwt(issuer), errorsV1, { verifier: apiKeys })
        const verified = (token: string) => Effect.promise(() => verifier.verifyAccessToken(token))
        const { clientId, extra } = yield* verified("wcd_1")
        assert.deepStrictEqual([clientId, extra.subject], ["", "key-owner"])
        assert.lengthOf(yield* issuer.requests(), 0)
        assert.strictEqual((yield* verified(yield* issuer.sign())).extra.subject, "user-1")
        yield* Effect.promise(() => verifier.dispose())
      }))

    it.effect("MUST throw when the settings are wrong, with all problems", () =>
      Effect.gen(function*() {
        const { cause } = yield* Effect.flip(
          attempt({ providers: [], trace_header: "authorization", max_token_bytes: 1 })
        )
        assert.instanceOf(cause, InvalidConfiguration)
        assert.lengthOf(cause instanceof InvalidConfiguration ? cause.problems : [], 2)
        yield* Effect.promise((yield* attempt(jwt(yield* TestIssuer))).dispose)
      }))

    it.effect("MUST log the true reason of a rejection, and no token", () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer
        const verifier = makeOAuthTokenVerifier(jwt(issuer), errorsV1)
        const token = yield* issuer.sign({ claims: { aud: "https://other.example" } })
        yield* Effect.promise(() => verifier.verifyAccessToken(token).catch(() => undefined))
        assert.include(log, "MCP_JWT_AUDIENCE is")
        assert.notInclude(log, token)
        yield* Effect.promise(() => verifier.dispose())
      }))
  }
)
