/** The log lines about unusable members of a key set: which and why, once for each change. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { JwksCache, type JwksSource } from "../../src/keys/JwksCache.ts"
import { jwksPath, warnings, withChaos } from "./chaos.ts"

const setUp = Effect.gen(function*() {
  const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
  const cache = yield* JwksCache
  const source: JwksSource = { _tag: "Jwks", uri: issuer.jwksUri, allowedDomains: [] }
  const { kid } = yield* issuer.key()
  const { keys: good } = yield* issuer.jwks
  /** The warnings when the set has these members next to the good key, after the previous set expired. */
  const warnedAt = Effect.fnUntraced(function*(...members: ReadonlyArray<unknown>) {
    const before = (yield* warnings("unusable")).length
    yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ body: JSON.stringify({ keys: [...members, ...good] }) }))
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual((yield* cache.keyFor(source, { alg: "ES256", kid })).type, "public")
    return (yield* warnings("unusable")).slice(before)
  })
  return { warnedAt }
})

const half = { kty: "RSA", kid: "half", e: "AQAB" }
const curve = { kty: "EC", kid: "curve", crv: "P-192", x: "AA", y: "AA" }

describe("log entries about unusable keys", () => {
  it.effect("name kid and reason once, not with each fetch, and again when the keys change", () =>
    withChaos(Effect.gen(function*() {
      const { warnedAt } = yield* setUp
      const [line, ...more] = yield* warnedAt(half, curve)
      assert.deepStrictEqual(more, [])
      for (const part of ["\\\"half\\\": MalformedMaterial", "\\\"curve\\\": UnsupportedType", "\"unusable\":2"]) {
        assert.include(line ?? "", part)
      }
      // The same in another order is not a change.
      for (const members of [[half, curve], [curve, half], [curve, half]]) {
        assert.deepStrictEqual(yield* warnedAt(...members), [])
      }
      assert.lengthOf(yield* warnedAt(half), 1)
      assert.lengthOf(yield* warnedAt(half), 0)
      // Repaired: no log line. Broken again: news.
      assert.lengthOf(yield* warnedAt(), 0)
      assert.lengthOf(yield* warnedAt(half), 1)
      // The same key for another reason.
      assert.lengthOf(yield* warnedAt({ ...half, d: "AA" }), 1)
      // A member without a name is shown by its position.
      assert.include((yield* warnedAt({ kty: "AKP" }))[0] ?? "", "#0: UnsupportedType")
    })))

  it.effect("leave out keys that are meant for encryption", () =>
    withChaos(Effect.gen(function*() {
      const { warnedAt } = yield* setUp
      const { publicJwk: { alg: _, use: __, ...rsa } } = yield* makeSigningKey({ algorithm: "RS256", kid: "rsa" })
      const { publicJwk: { alg: ___, use: ____, ...ec } } = yield* makeSigningKey({ algorithm: "ES256", kid: "ec" })
      const silent = [
        { ...rsa, use: "enc" },
        { ...rsa, use: "enc", alg: "RSA-OAEP" },
        { ...rsa, alg: "RSA-OAEP" },
        { ...rsa, alg: "RSA-OAEP-256" },
        { ...rsa, alg: "RSA1_5", use: null },
        { ...ec, alg: "ECDH-ES" },
        { ...ec, alg: "ECDH-ES+A256KW" },
        { ...rsa, key_ops: ["encrypt"] },
        { ...rsa, key_ops: ["wrapKey", "unwrapKey"] },
        { ...ec, key_ops: ["deriveBits"] },
        { kty: "OKP", crv: "X25519", kid: "x", x: ec.x },
        // An unknown type, for encryption.
        { kty: "AKP", kid: "pq", use: "enc", pub: "AA" },
        null
      ]
      assert.deepStrictEqual(yield* warnedAt(...silent), [])
      const loud = [
        { ...rsa, use: "signature" },
        { ...rsa, key_ops: ["sign"] },
        { ...rsa, key_ops: "verify" },
        { ...rsa, alg: "HS256" },
        { ...rsa, use: "enc", d: "AA" }
      ]
      for (const member of loud) {
        yield* warnedAt(...silent)
        assert.lengthOf(yield* warnedAt(...silent, member), 1, JSON.stringify({ ...member, n: "" }))
      }
    })))

  it.effect("cannot be forged or inflated by a key's name", () =>
    withChaos(Effect.gen(function*() {
      const { warnedAt } = yield* setUp
      const members = Array.from({ length: 90 }, (_, index) => ({
        kty: "EC",
        kid: `${index}\r\nlevel=ERROR\u2028\u202e${"x".repeat(5_000)}`
      }))
      const [line, ...more] = yield* warnedAt(...members)
      assert.deepStrictEqual(more, [])
      assert.isBelow(line?.length ?? 0, 3_500)
      assert.notMatch(line ?? "", /[\p{C}\p{Zl}\p{Zp}]|\\r|\\n|\\u2028|\\u202e/u)
      assert.include(line ?? "", "\"unusable\":90")
    })))
})
