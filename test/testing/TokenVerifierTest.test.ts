import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { InvalidToken } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import * as TokenVerifierTest from "../../src/testing/TokenVerifierTest.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { introspectionProvider, jwtProvider, userinfoProvider } from "../fixtures/providers.ts"
import { listedTokens, listedVerifier } from "./listedTokens.ts"
import { asInNode, gatewayVerifier, jwtVerifier } from "./ourVerifiers.ts"

const WithPublicKey = Layer.unwrap(Effect.gen(function*() {
  const { publicPem: pem } = yield* TestIssuer.use((issuer) => issuer.key())
  return jwtVerifier({ algorithms: ["ES384"], audience: [], keys: { _tag: "PublicKey", pem } })
}))

/** API keys as an application would keep them. */
class ApiKeys extends Context.Service<ApiKeys, Map<string, Identity>>()(
  "mcp-authorizer/test/testing/TokenVerifierTest.test/ApiKeys"
) {
  static readonly layer = Layer.sync(ApiKeys, () => new Map<string, Identity>())
}

const unknownKey = new InvalidToken({ provider: "keys", reason: "UnknownToken", detail: "no such API key" })

const ApiKeyVerifier = TokenVerifier.layerPrefix("wcd_", (key) =>
  Effect.gen(function*() {
    const identity = (yield* ApiKeys).get(Redacted.value(key))
    const now = yield* Clock.currentTimeMillis
    return identity?.expiresAt === undefined || identity.expiresAt * 1000 <= now ? yield* unknownKey : identity
  })).pipe(
    Layer.provide(jwtVerifier({ algorithms: ["ES256"] })),
    Layer.provideMerge(ApiKeys.layer)
  )

let keysMade = 0

const apiKeys: TokenVerifierTest.OpaqueTokens<ApiKeys> = {
  issue: Effect.fnUntraced(function*({ clientId, email, expiresIn, name, scopes, subject }) {
    const key = `wcd_${"k".repeat(24)}${keysMade++}-secret`
    const expiresAt = (yield* Clock.currentTimeMillis) / 1000 + Duration.toSeconds(expiresIn)
    const identity = { clientId, email, expiresAt, name, scopes, subject, issuer: "keys", provider: "keys", claims: {} }
    yield* ApiKeys.useSync((keys) => keys.set(key, identity))
    return key
  }),
  revoke: (key) => ApiKeys.useSync((keys) => void keys.delete(key)),
  outages: Effect.succeed([])
}

const three = ["ES256", "RS256", "EdDSA"] as const

TokenVerifierTest.suite("JWKS, three algorithms", jwtVerifier({ algorithms: three }), { algorithms: three })

TokenVerifierTest.suite("JWKS, three algorithms, in Node", asInNode(jwtVerifier({ algorithms: three })), {
  algorithms: three
})

TokenVerifierTest.suite("discovery, over HTTP", jwtVerifier({ algorithms: ["ES256"], keys: { _tag: "Discovery" } }), {
  algorithms: ["ES256"],
  transport: "http"
})

// A verifier whose layer needs nothing, of an issuer that runs already.
const running = await Effect.runPromise(
  Scope.provide(TestIssuer.make({ algorithms: ["ES256"] }), Scope.makeUnsafe())
)

TokenVerifierTest.suite(
  "a closed layer",
  jwtVerifier({ algorithms: ["ES256"] }).pipe(
    Layer.provide([Layer.succeed(TestIssuer, running), FetchHttpClient.layer])
  ),
  { algorithms: ["ES256"], issuer: running }
)

TokenVerifierTest.suite("one public key, any audience", WithPublicKey, {
  algorithms: ["ES384"],
  keys: "given",
  checksAudience: false
})

TokenVerifierTest.suite("access tokens only", jwtVerifier({ algorithms: ["EdDSA"], requireAccessTokenType: true }), {
  algorithms: ["EdDSA"],
  header: { typ: "at+jwt" },
  claims: { client_id: "desktop", scope: "mcp:read", email: "ada@example.com" }
})

TokenVerifierTest.suiteOpaque(
  "userinfo",
  gatewayVerifier((issuer) => [userinfoProvider(issuer)]),
  TokenVerifierTest.issuerTokens(),
  { says: ["email", "name"] }
)

TokenVerifierTest.suiteOpaque(
  "introspection, in Node",
  asInNode(gatewayVerifier((issuer) => [introspectionProvider(issuer)])),
  TokenVerifierTest.issuerTokens({ introspected: true })
)

TokenVerifierTest.suiteOpaque(
  "introspection of tokens with a prefix, in addition to JWTs, over HTTP",
  gatewayVerifier((issuer) => [jwtProvider(issuer), introspectionProvider(issuer, { tokenPrefix: "mat_" })]),
  TokenVerifierTest.issuerTokens({ prefix: "mat_", introspected: true }),
  { transport: "http" }
)

TokenVerifierTest.suiteOpaque("static tokens", listedVerifier, listedTokens, { remembers: Duration.zero })

TokenVerifierTest.suiteOpaque("API keys by prefix, next to JWTs", ApiKeyVerifier, apiKeys, { remembers: Duration.zero })
