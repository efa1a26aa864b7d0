import { assert, layer } from "@effect/vitest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createHmac, hkdfSync } from "node:crypto"
import { makeSessionSeal } from "../../src/forward/SessionSeal.ts"
import type { Identity } from "../../src/identity/Identity.ts"

const secret = "the-key-of-all-replicas-000000000000"
const second = "the-key-that-was-before-000000000000"

const alice: Identity = {
  issuer: "https://issuer.example",
  subject: "alice",
  clientId: "app",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "main",
  expiresAt: undefined,
  claims: {}
}

const sealOf = (...keys: ReadonlyArray<string>) =>
  makeSessionSeal({ sessionKeys: keys.map((key) => Redacted.make(key)) })

/** The same by the platform's own HKDF (RFC 5869) and HMAC. */
const sealed = (issuer: string | null, subject: string | null, client: string | null, id: string) => {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "mcp-authorizer sessions", 32))
  return `${createHmac("sha256", key).update(JSON.stringify([issuer, subject, client, id])).digest("base64url")}.${id}`
}

layer(Layer.provideMerge(Mac.layerWebCrypto, SecureRandom.layerWebCrypto))("SessionSeal", (it) => {
  it.effect("MCP-07 MCP-08 is an HMAC over issuer, subject, client and id, by a key for this purpose alone", () =>
    Effect.gen(function*() {
      const { seal } = yield* sealOf(secret, second)
      const { issuer } = alice
      assert.strictEqual(yield* seal(alice, "s-1"), sealed(issuer, "alice", "app", "s-1"))
      assert.strictEqual(yield* seal({ ...alice, clientId: undefined }, "s-1"), sealed(issuer, "alice", null, "s-1"))
      assert.strictEqual(yield* seal(undefined, "s-1"), sealed(null, null, null, "s-1"))
      // Another token of the same caller.
      const refreshed: Identity = {
        ...alice,
        scopes: ["more"],
        email: "a@example.com",
        expiresAt: 1,
        claims: { jti: "2" }
      }
      assert.strictEqual(yield* seal(refreshed, "s-1"), sealed(issuer, "alice", "app", "s-1"))
    }))

  it.effect("MCP-08 opens for no caller whose parts could be read as those of another", () =>
    Effect.gen(function*() {
      const { open, seal } = yield* sealOf(secret)
      const known = yield* seal(alice, "s-1")
      assert.strictEqual((yield* open(alice, known)).id, "s-1")
      const others: ReadonlyArray<Identity | undefined> = [
        { ...alice, issuer: `${alice.issuer}","alice`, subject: "app" },
        { ...alice, subject: "alice\",\"app", clientId: undefined },
        { ...alice, clientId: "null" },
        { ...alice, clientId: undefined },
        { ...alice, subject: "Alice" },
        { ...alice, issuer: `${alice.issuer}/` },
        undefined
      ]
      for (const other of others) assert.strictEqual((yield* Effect.flip(open(other, known)))._tag, "SessionNotFound")
    }))
})
