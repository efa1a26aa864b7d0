/** Explanations for a running gateway, whose verifier decides: it caches verdicts, and programs wrap it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { AccessDenied, ProviderUnavailable } from "../../src/errors/GatewayError.ts"
import { explain } from "../../src/explain/explain.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import type { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { makeVerifiedTokens } from "../../src/verify/VerifiedTokens.ts"
import { start, withProviders } from "../verify/support.ts"
import { audience, makeGateway, stepOf } from "./support.ts"

type Verify = TokenVerifier["Service"]["verify"]

const setUp = Effect.gen(function*() {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ audience, algorithms: ["ES256"] })
  const { registry, settings } = yield* makeGateway({
    providers: [{
      type: "introspection",
      name: "opaque",
      issuer: issuer.issuer,
      introspection_endpoint: issuer.introspectionEndpoint,
      client_id: issuer.client.id,
      client_secret: issuer.client.secret,
      audience
    }]
  })
  const { verify } = yield* Effect.provideService(makeVerifiedTokens(), ProviderRegistry, registry)
  const token = yield* issuer.issueOpaque({ subject: "alice" })
  const explained = (verify: Verify) => explain({ settings, registry, verifier: { verify } }, Redacted.make(token))
  return { explained, issuer, token, verify }
})

describe("An explanation for a running gateway", () => {
  it.effect("is that of the providers where the verifier agrees", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer, token, verify } = yield* setUp
      const good = yield* explained(verify)
      assert.strictEqual(good.outcome.decision, "accepted")
      assert.isUndefined(good.steps.find(({ name }) => name === "verifier"))
      yield* issuer.revoke(token)
      yield* TestClock.adjust("6 minutes")
      const revoked = yield* explained(verify)
      assert.deepInclude(revoked.outcome, { decision: "rejected", step: "endpoint", reason: "Inactive" })
      assert.isUndefined(revoked.steps.find(({ name }) => name === "verifier"))
    })))

  it.effect("is the cached verdict while there is one, and says so", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer, token, verify } = yield* setUp
      yield* verify(Redacted.make(token))
      yield* issuer.revoke(token)
      const explanation = yield* explained(verify)
      assert.strictEqual(explanation.outcome.decision, "accepted")
      assert.strictEqual(stepOf(explanation, "endpoint").verdict, "fail")
      assert.match(stepOf(explanation, "verifier").found, /still accepts the token/)
      assert.strictEqual(explanation.upstream?.headers["x-auth-user-id"], "alice")
    })))

  it.effect("is the rejection of a verifier that a program has put around it", () =>
    withProviders(Effect.gen(function*() {
      const { explained } = yield* setUp
      const denied = yield* explained(() =>
        Effect.fail(new AccessDenied({ reason: "Policy", detail: "not in the directory" }))
      )
      assert.deepInclude(denied.outcome, { decision: "rejected", step: "verifier", detail: "not in the directory" })
      assert.strictEqual(denied.outcome.response?.status, 403)
      assert.isUndefined(denied.upstream)
      const down = yield* explained(() =>
        Effect.fail(new ProviderUnavailable({ provider: "opaque", detail: "the directory is down", retryAfter: 10 }))
      )
      assert.deepInclude(down.outcome, { decision: "unknown", step: "verifier" })
    })))
})
