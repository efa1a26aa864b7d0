/** Checks a verifier of API keys with its conformance suite: run it by vitest, or by `node --test`. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Identity, InvalidToken, TokenVerifier } from "mcp-authorizer"
import { TokenVerifierTest } from "mcp-authorizer/testing"

/** The table of keys; an application would have it in its database. */
class ApiKeys extends Context.Service<ApiKeys, Map<string, Identity>>()("examples/conformance/ApiKeys") {}

const unknownKey = new InvalidToken({ reason: "UnknownToken", provider: "keys", detail: "no such API key" })

const ApiKeyVerifier = Layer.effect(
  TokenVerifier,
  Effect.map(ApiKeys, (keys) => ({
    verify: Effect.fnUntraced(function*(token) {
      const identity = keys.get(Redacted.value(token))
      const now = yield* Clock.currentTimeMillis
      if (identity?.expiresAt === undefined || identity.expiresAt * 1000 <= now) return yield* unknownKey
      return identity
    })
  }))
).pipe(Layer.provideMerge(Layer.sync(ApiKeys, () => new Map())))

TokenVerifierTest.suiteOpaque("API keys", ApiKeyVerifier, {
  issue: Effect.fnUntraced(function*({ expiresIn, ...bearer }) {
    const key = `key_${crypto.randomUUID()}`
    const expiresAt = (yield* Clock.currentTimeMillis) / 1000 + Duration.toSeconds(expiresIn)
    const keys = yield* ApiKeys
    keys.set(key, { ...bearer, expiresAt, issuer: "https://example.com", provider: "keys", claims: {} })
    return key
  }),
  revoke: (key) => ApiKeys.useSync((keys) => void keys.delete(key)),
  outages: Effect.succeed([])
}, { remembers: "0 seconds" })
