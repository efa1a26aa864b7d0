import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import type { Provider } from "../../src/config/GatewaySettings.ts"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { introspectionProvider, userinfoProvider } from "../fixtures/providers.ts"
import { skew, start, withProviders } from "./support.ts"

const userinfo = "/oauth/userinfo"
const introspection = "/oauth2/introspection"

const setUp = Effect.fnUntraced(function*(provider: Provider) {
  yield* TestClock.setTime(start * 1000)
  const { readiness, select } = yield* ProviderRegistry.make({ providers: [provider], clockSkewSeconds: skew })
  return {
    /** The state of the provider; it is ready in no other than `ready`. */
    state: Effect.map(readiness, ([only]) => {
      assert.strictEqual(only?.ready, only?.state === "ready")
      return only?.state
    }),
    verify: (token: string) => Effect.flatMap(select(BearerToken.make(token)), ({ verify }) => verify)
  }
})

const down = Misbehaviour.Respond({ status: 503 })

describe("the readiness of an opaque token provider", () => {
  it.effect("is that of its endpoint, which is probed without a client's token, at most once in 5 seconds", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const { state } = yield* setUp(introspectionProvider(issuer))
      const states = yield* Effect.all(Array.from({ length: 100 }, () => state), { concurrency: "unbounded" })
      assert.deepStrictEqual([...new Set(states)], ["ready"])
      assert.strictEqual(yield* issuer.hits(introspection), 1)
      const [request] = yield* issuer.requests(introspection)
      assert.strictEqual(new URLSearchParams(request?.body).get("token"), "mcp-authorizer-readiness")
      yield* issuer.misbehave(introspection, down, Infinity)
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(yield* state, "ready")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* state, "unavailable")
      yield* issuer.behave()
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* state, "ready")
      assert.strictEqual(yield* issuer.hits(introspection), 3)
    })))

  it.effect("ends with a failed connection, and returns with the next response", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const { state, verify } = yield* setUp(introspectionProvider(issuer))
      const token = yield* issuer.issueOpaque()
      assert.strictEqual(yield* state, "ready")
      yield* issuer.misbehave(introspection, Misbehaviour.Disconnect({ after: "Request" }))
      assert.strictEqual((yield* Effect.flip(verify(token)))._tag, "ProviderUnavailable")
      assert.strictEqual(yield* state, "unavailable")
      yield* verify(token)
      assert.strictEqual(yield* state, "ready")
      assert.strictEqual(yield* issuer.hits(introspection), 3)
    })))

  it.effect("cannot be ended by clients: what their tokens provoke is probed first", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const { state, verify } = yield* setUp(introspectionProvider(issuer))
      assert.strictEqual(yield* state, "ready")
      for (const behaviour of [Misbehaviour.Respond({ status: 500 }), Misbehaviour.Respond({ status: 403 })]) {
        yield* issuer.misbehave(introspection, behaviour)
        assert.strictEqual((yield* Effect.flip(verify("odd")))._tag, "ProviderUnavailable")
        assert.strictEqual(yield* state, "ready")
        yield* TestClock.adjust("1 second")
        const before = yield* issuer.hits(introspection)
        assert.strictEqual(yield* state, "ready")
        assert.strictEqual(yield* issuer.hits(introspection), before + 1)
      }
    })))

  it.effect("is missing where the endpoint rejects the gateway's credentials", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const clientSecret = Redacted.make("another secret")
      const wrong = introspectionProvider(issuer, {
        clientAuth: { method: "basic", clientId: issuer.client.id, clientSecret }
      })
      assert.strictEqual(yield* (yield* setUp(wrong)).state, "refused")
      const states = [
        [Misbehaviour.Respond({ status: 400, body: "{\"error\":\"invalid_client\"}" }), "refused"],
        [Misbehaviour.Respond({ body: "{\"error\":\"invalid_client\"}" }), "refused"],
        [Misbehaviour.Respond({ status: 400, body: "{\"error\":\"invalid_request\"}" }), "ready"],
        [Misbehaviour.Respond({ status: 404, body: "{\"active\":false}" }), "ready"],
        [Misbehaviour.Respond({ status: 404, body: "" }), "unavailable"],
        [Misbehaviour.Respond({ status: 429 }), "unavailable"],
        [Misbehaviour.Respond({ body: "<html>" }), "unavailable"],
        [Misbehaviour.Respond({ body: "{\"error\":\"server_error\"}" }), "unavailable"]
      ] as const
      const { state } = yield* setUp(introspectionProvider(issuer))
      for (const [behaviour, expected] of states) {
        yield* issuer.misbehave(introspection, behaviour)
        assert.strictEqual(yield* state, expected)
        yield* TestClock.adjust("5 seconds")
      }
      assert.strictEqual(yield* state, "ready")
    })))

  it.effect("is given for userinfo that rejects the probe's token", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const { state } = yield* setUp(userinfoProvider(issuer))
      const states = [
        [Misbehaviour.Respond({ status: 400 }), "ready"],
        [Misbehaviour.Respond({ status: 403, body: "no" }), "ready"],
        [Misbehaviour.Respond({ body: "{\"ok\":false}" }), "ready"],
        [Misbehaviour.Respond({ status: 404 }), "unavailable"],
        [Misbehaviour.Redirect({ location: "https://login.example/" }), "unavailable"],
        [Misbehaviour.Disconnect({ after: "Request" }), "unavailable"]
      ] as const
      for (const [behaviour, expected] of states) {
        yield* issuer.misbehave(userinfo, behaviour)
        assert.strictEqual(yield* state, expected)
        yield* TestClock.adjust("5 seconds")
      }
      assert.strictEqual(yield* state, "ready")
    })))
})
