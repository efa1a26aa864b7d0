/** With any bytes in the store, and with any entries swapped, verdicts are those of the provider. */
import { assert, describe, it } from "@effect/vitest"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { InvalidToken } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { makeSealedEntries } from "../../src/store/sealedEntries.ts"
import type { ProviderOrigin } from "../../src/verify/ProviderRegistry.ts"
import { makeReplicaVerdicts, SharedVerdictEntries } from "../../src/verify/replicaVerdicts.ts"
import { introspectionProvider } from "../fixtures/providers.ts"

const crypto = Layer.provideMerge(
  Layer.mergeAll(Aead.layerWebCrypto, Mac.layerWebCrypto, Digest.layerWebCrypto),
  SecureRandom.layerWebCrypto
)

const origin: ProviderOrigin = {
  provider: introspectionProvider({
    issuer: "https://idp.example",
    audience: "mcp-api",
    introspectionEndpoint: "https://idp.example/introspect",
    client: { id: "gateway", secret: "secret" }
  }),
  clockSkewSeconds: 60,
  http: { send: () => Effect.die("nothing is sent") }
}

const which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))

/** What an attacker does to the store between two requests. */
const tampering = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("write"), at: which, text: Schema.String }),
  Schema.Struct({ kind: Schema.Literal("swap"), at: which, from: which }),
  Schema.Struct({ kind: Schema.Literal("cut"), at: which, length: which }),
  Schema.Struct({ kind: Schema.Literal("remove"), at: which })
])

const identityOf = (token: string): Identity => ({
  subject: token,
  clientId: undefined,
  issuer: "https://idp.example",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "opaque",
  expiresAt: undefined,
  claims: { sub: token }
})

/** Tokens with an even number are good. */
const tokens = ["good-0", "bad-1", "good-2", "bad-3", "good-4", "bad-5"]

describe("verdicts of replicas", () => {
  it.effect.prop(
    "REPL-03 MUST be those of the provider regardless of what is done to the store",
    [Schema.Array(tampering).check(Schema.isMaxLength(12))],
    ([actions]) =>
      Effect.gen(function*() {
        const stored = new Map<string, string>()
        let asked = 0
        const entries = yield* makeSealedEntries(
          { sessionKeys: [Redacted.make("k".repeat(32))], storeKeyPrefix: "p:" },
          {
            read: (key, length) => Effect.sync(() => stored.get(key)?.slice(0, length)),
            write: (key, value) => Effect.sync(() => void stored.set(key, value)),
            remove: (key) => Effect.sync(() => void stored.delete(key)),
            claim: () => Effect.succeed(true)
          }
        )
        const verdicts = yield* Effect.provideService(makeReplicaVerdicts, SharedVerdictEntries, entries)
        const verify = (token: string) =>
          verdicts?.({
            token: Redacted.value(BearerToken.make(token)),
            origin,
            rejectionMillis: 10_000,
            renews: undefined,
            verify: Effect.suspend(() => {
              asked++
              return token.startsWith("good")
                ? Effect.succeed({
                  identity: identityOf(token),
                  validity: { until: 300_000 }
                })
                : Effect.fail(new InvalidToken({ provider: "opaque", reason: "Inactive", detail: "" }))
            })
          }) ?? Effect.die("there is a store")

        const checkAll = Effect.forEach(tokens, (token) =>
          Effect.map(
            Effect.match(verify(token), { onSuccess: ({ identity }) => identity.subject, onFailure: () => "rejected" }),
            (found) => assert.strictEqual(found, token.startsWith("good") ? token : "rejected")
          ))

        yield* checkAll
        // A positive control: without tampering, all verdicts come from the store.
        yield* checkAll
        assert.strictEqual(asked, tokens.length)
        for (const action of actions) {
          const keys = [...stored.keys()]
          const key = keys[action.at]
          if (key === undefined) continue
          switch (action.kind) {
            case "write":
              stored.set(key, action.text)
              break
            case "swap":
              stored.set(key, [...stored.values()][action.from] ?? "")
              break
            case "cut":
              stored.set(key, (stored.get(key) ?? "").slice(0, action.length * 40))
              break
            case "remove":
              stored.delete(key)
              break
          }
          yield* checkAll
        }
      }).pipe(Effect.provide(crypto))
  )
})
