/** Key sets as providers publish them, and how tokens name their keys. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { JwsAlgorithm } from "../../src/config/GatewaySettings.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { unknownKey } from "../../src/keys/keyFetch.ts"
import * as KeySet from "../../src/keys/KeySet.ts"

const jwkOf = (algorithm: JwsAlgorithm, kid: string) =>
  Effect.map(makeSigningKey({ algorithm, kid }), ({ publicJwk }) => publicJwk)

/** The modulus or x of the found key, to identify it, or the reason why no key was found. */
const finds = (members: ReadonlyArray<unknown>, header: Omit<KeySet.KeyHeader, "kid"> & { readonly kid?: string }) =>
  Effect.gen(function*() {
    const set = KeySet.fromJwks(members)
    const wanted = { kid: undefined, ...header }
    const found = yield* Effect.result(KeySet.find(set, wanted))
    if (found._tag === "Failure") {
      assert.isUndefined(KeySet.peek(set, wanted))
      return found.failure.reason
    }
    // A key that was found once is found synchronously.
    assert.strictEqual(KeySet.peek(set, wanted), found.success)
    const { n, x } = yield* Effect.promise(() => crypto.subtle.exportKey("jwk", found.success))
    return n ?? x
  })

const skipped = (members: ReadonlyArray<unknown>) =>
  KeySet.fromJwks(members).skipped.map(({ kid, reason }) => `${kid} ${reason}`)

const absent = ["kid", "use", "alg", "key_ops", "ext", "x5c", "x5t", "x5t#S256", "x5u", "issuer"]
const secret = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]

describe("null in a key set", () => {
  it.effect("counts as an absent member, for each member and for all at once", () =>
    Effect.gen(function*() {
      for (const algorithm of ["RS256", "ES256", "EdDSA"] as const) {
        const { kid: _, ...jwk } = yield* jwkOf(algorithm, "a")
        const expected = jwk.n ?? jwk.x
        for (const name of [...absent, ...secret]) {
          assert.strictEqual(yield* finds([{ ...jwk, [name]: null }], { alg: algorithm }), expected, name)
        }
        const all = Object.fromEntries([...absent, ...secret].map((name) => [name, null]))
        assert.strictEqual(yield* finds([{ ...jwk, ...all }], { alg: algorithm }), expected)
        assert.strictEqual(yield* finds([{ ...jwk, ...all, kid: "a" }], { alg: algorithm, kid: "a" }), expected)
        // Empty lists are ignored in the same way.
        assert.strictEqual(yield* finds([{ ...jwk, key_ops: [], oth: [], x5c: [] }], { alg: algorithm }), expected)
      }
    }))

  it.effect("does not hide secrets, other uses or missing numbers", () =>
    Effect.gen(function*() {
      const jwk = yield* jwkOf("RS256", "a")
      for (const name of secret) {
        for (const value of ["", "AAAA", 0, false, [{}]]) {
          assert.deepStrictEqual(skipped([{ ...jwk, [name]: value }]), ["a Private"], name)
        }
      }
      assert.deepStrictEqual(skipped([{ ...jwk, n: null }, { ...jwk, e: null }]), [
        "a MalformedMaterial",
        "a MalformedMaterial"
      ])
      assert.deepStrictEqual(skipped([{ ...jwk, kty: null }]), ["a UnsupportedType"])
    }))

  it.effect("is not a key in `keys`, and causes no fault", () =>
    Effect.gen(function*() {
      const jwk = yield* jwkOf("ES256", "a")
      assert.strictEqual(yield* finds([null, jwk, null], { alg: "ES256", kid: "a" }), jwk.x)
      assert.deepStrictEqual(skipped([null, jwk, null]), [])
      assert.deepStrictEqual(skipped([undefined, 1, "x", []]).length, 4)
    }))
})

describe("one key under two ids", () => {
  it.effect("is one key for a token without kid, however its numbers are written", () =>
    Effect.gen(function*() {
      const jwk = yield* jwkOf("RS256", "a")
      const padded = Buffer.concat([Buffer.alloc(1), Buffer.from(jwk.n ?? "", "base64url")]).toString("base64url")
      const members = [jwk, { ...jwk, kid: "b" }, { ...jwk, kid: undefined }, { ...jwk, kid: "c", n: padded }]
      assert.deepStrictEqual(skipped(members), [])
      assert.strictEqual(yield* finds(members, { alg: "RS256" }), jwk.n)
      for (const kid of ["a", "b", "c"]) assert.strictEqual(yield* finds(members, { alg: "RS256", kid }), jwk.n)
      assert.strictEqual(yield* finds(members, { alg: "RS256", kid: "d" }), "None")
      // Another key makes it a choice again.
      assert.strictEqual(yield* finds([...members, yield* jwkOf("RS256", "d")], { alg: "RS256" }), "Ambiguous")
    }))

  it.effect("is not ambiguous when it is listed twice under one id", () =>
    Effect.gen(function*() {
      const jwk = yield* jwkOf("ES256", "a")
      assert.deepStrictEqual(skipped([jwk, jwk, { ...jwk, use: undefined }]), [])
      assert.strictEqual(yield* finds([jwk, jwk], { alg: "ES256", kid: "a" }), jwk.x)
    }))
})

describe("one id for several keys", () => {
  it.effect("is resolved by type, curve and `alg` (RFC 7517, section 4.5)", () =>
    Effect.gen(function*() {
      const rs256 = yield* jwkOf("RS256", "same")
      const rs512 = yield* jwkOf("RS512", "same")
      const es256 = yield* jwkOf("ES256", "same")
      const es384 = yield* jwkOf("ES384", "same")
      const edDsa = yield* jwkOf("EdDSA", "same")
      const members = [rs256, rs512, es256, es384, edDsa, { ...yield* jwkOf("RS256", "same"), use: "enc" }]
      assert.deepStrictEqual(skipped(members), ["same ForEncryption"])
      for (
        const [alg, expected] of [
          ["RS256", rs256.n],
          ["RS512", rs512.n],
          ["ES256", es256.x],
          ["ES384", es384.x],
          ["EdDSA", edDsa.x],
          ["PS256", "None"],
          ["RS384", "None"]
        ] as const
      ) assert.strictEqual(yield* finds(members, { alg, kid: "same" }), expected, alg)
    }))

  it.effect("belongs to no key among several for the same algorithm, and the other keys stay usable", () =>
    Effect.gen(function*() {
      const one = yield* jwkOf("RS256", "same")
      const { alg: _, ...any } = yield* jwkOf("RS256", "same")
      assert.deepStrictEqual(skipped([one, any]), ["same RepeatedKeyId", "same RepeatedKeyId"])
      assert.strictEqual(yield* finds([one, any], { alg: "RS256", kid: "same" }), "None")
      assert.strictEqual(yield* finds([one, any], { alg: "RS512", kid: "same" }), any.n)
    }))
})

// A certificate is digested, not read: any octets do.
const certificate = (text: string) => Buffer.from(`certificate of ${text}`)
const sha = (hash: "sha1" | "sha256", text: string) => createHash(hash).update(certificate(text)).digest("base64url")

describe("a token that names its key by certificate", () => {
  it.effect("finds it by x5t and x5t#S256, as the key says or as its x5c gives", () =>
    Effect.gen(function*() {
      const [a, b, c] = yield* Effect.all([jwkOf("RS256", "a"), jwkOf("RS256", "b"), jwkOf("RS256", "c")])
      const members = [
        { ...a, x5t: sha("sha1", "a"), "x5t#S256": sha("sha256", "a") },
        { ...b, x5c: [certificate("b").toString("base64"), "another"] },
        { ...c, x5t: `${sha("sha1", "c")}=`, x5c: [certificate("c").toString("base64")] }
      ]
      for (const [name, { n }] of [["a", a], ["b", b], ["c", c]] as const) {
        assert.strictEqual(yield* finds(members, { alg: "RS256", x5t: sha("sha1", name) }), n, name)
        assert.strictEqual(yield* finds(members, { alg: "RS256", x5tS256: sha("sha256", name) }), n, name)
        const both = { x5t: sha("sha1", name), x5tS256: sha("sha256", name) }
        assert.strictEqual(yield* finds(members, { alg: "RS256", ...both }), n, name)
      }
      const hexadecimal = Buffer.from(createHash("sha1").update(certificate("b")).digest("hex")).toString("base64url")
      assert.strictEqual(yield* finds(members, { alg: "RS256", x5t: hexadecimal }), b.n)
    }))

  it.effect("finds none by another thumbprint, for another algorithm, or where the two disagree", () =>
    Effect.gen(function*() {
      const [a, b] = yield* Effect.all([jwkOf("RS256", "a"), jwkOf("RS256", "b")])
      const members = [{ ...a, x5c: [certificate("a").toString("base64")] }, {
        ...b,
        x5c: [certificate("b").toString("base64")]
      }]
      assert.strictEqual(yield* finds(members, { alg: "RS256", x5t: sha("sha1", "c") }), "None")
      assert.strictEqual(yield* finds(members, { alg: "ES256", x5t: sha("sha1", "a") }), "None")
      const mixed = { x5t: sha("sha1", "a"), x5tS256: sha("sha256", "b") }
      assert.strictEqual(yield* finds(members, { alg: "RS256", ...mixed }), "None")
      assert.strictEqual(yield* finds(members.slice(0, 1), { alg: "RS256", x5t: sha("sha1", "c") }), "None")
      // A key id decides where there is one.
      assert.strictEqual(yield* finds(members, { alg: "RS256", kid: "b", x5t: sha("sha1", "a") }), b.n)
    }))

  it.effect("counts as one without a key id where no key has certificates", () =>
    Effect.gen(function*() {
      const [a, b] = yield* Effect.all([jwkOf("RS256", "a"), jwkOf("RS256", "b")])
      assert.strictEqual(yield* finds([a], { alg: "RS256", x5t: sha("sha1", "a") }), a.n)
      assert.strictEqual(yield* finds([a, b], { alg: "RS256", x5t: sha("sha1", "a") }), "Ambiguous")
      for (const x5c of ["text", [], [1], ["%%%"], ["A".repeat(100_000)]]) {
        assert.strictEqual(yield* finds([{ ...a, x5c }], { alg: "RS256", x5t: sha("sha1", "a") }), a.n)
      }
    }))
})

const detail = (members: ReadonlyArray<unknown>, header: KeySet.KeyHeader) =>
  Effect.map(Effect.flip(KeySet.find(KeySet.fromJwks(members), header)), (failure) => unknownKey(failure).detail)

describe("the log entry about a missing key", () => {
  it.effect("names what the token names and what the set has", () =>
    Effect.gen(function*() {
      const [a, b] = yield* Effect.all([jwkOf("RS256", "a"), jwkOf("ES256", "b")])
      assert.strictEqual(
        yield* detail([a, b], { alg: "RS256", kid: "c" }),
        "no key fits kid \"c\" for RS256; there are \"a\" (RS256), \"b\" (ES256)"
      )
      assert.strictEqual(
        yield* detail([a, { ...a, kid: undefined, alg: "RS512" }], { alg: "ES256", kid: undefined }),
        "no key fits ES256, and the token names none; there are \"a\" (RS256), one without kid (RS512)"
      )
      assert.strictEqual(
        yield* detail([], { alg: "ES256", kid: "a" }),
        "no key fits kid \"a\" for ES256; there is no usable key"
      )
    }))

  it.effect("is bounded and cannot forge an entry", () =>
    Effect.gen(function*() {
      const a = yield* jwkOf("ES256", "a")
      const many = Array.from({ length: 90 }, (_, index) => ({ ...a, kid: `${"k".repeat(500)}${index}\n\u202e` }))
      const text = yield* detail(many, { alg: "ES256", kid: `x\r\nlevel=error\u2028${"y".repeat(1000)}` })
      assert.isBelow(text.length, 2500)
      assert.notMatch(text, /[\p{C}\p{Zl}\p{Zp}]/u)
      assert.include(text, "and 80 more")
    }))
})
