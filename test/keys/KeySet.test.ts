import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { generateKeyPairSync } from "node:crypto"
import type { JwsAlgorithm } from "../../src/config/GatewaySettings.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import * as KeySet from "../../src/keys/KeySet.ts"
import { fromPem } from "../../src/keys/publicKey.ts"
import type { NamedCertificate } from "../../src/keys/thumbprint.ts"

const key = (algorithm: JwsAlgorithm, kid: string, modulusLength?: number) =>
  makeSigningKey({ algorithm, kid, modulusLength })

const reasons = (members: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  KeySet.fromJwks(members).skipped.map(({ index, reason }) => `${index} ${reason}`)

const finds = (
  members: ReadonlyArray<unknown>,
  alg: JwsAlgorithm,
  kid?: string,
  certificate: NamedCertificate = {}
) =>
  Effect.match(KeySet.find(KeySet.fromJwks(members), { alg, kid, ...certificate }), {
    onFailure: ({ reason }) => reason,
    onSuccess: (found) => found.type
  })

/** A public RSA key with a modulus of so many bits and any exponent. No one has the private half. */
const rsaJwk = (bits: number, exponent: Uint8Array) => {
  const modulus = new Uint8Array(Math.ceil(bits / 8)).fill(0xff)
  modulus[0] = 0xff >> (modulus.length * 8 - bits)
  return {
    kty: "RSA",
    kid: "a",
    n: Buffer.from(modulus).toString("base64url"),
    e: Buffer.from(exponent).toString("base64url")
  }
}

const usual = Uint8Array.of(1, 0, 1)

describe("KeySet", () => {
  it.effect("JWKS-09 keeps the good keys among broken ones", () =>
    Effect.gen(function*() {
      const good = (yield* key("RS256", "good")).publicJwk
      const ec = (yield* key("ES256", "ec")).publicJwk
      const members = [
        null,
        "key",
        [],
        {},
        { kty: "XYZ" },
        { ...good, n: undefined },
        { ...good, n: "not base64url!" },
        { ...good, n: "AAAAA" },
        { ...good, kid: 7 },
        { ...ec, crv: "P-224" },
        { ...ec, x: "AAAA" },
        { kty: "OKP", crv: "X25519", x: good.n },
        { kty: "OKP", crv: "Ed25519", x: "AAAA" },
        good
      ]
      assert.deepStrictEqual(reasons(members), [
        "1 NotAnObject",
        "2 NotAnObject",
        "3 UnsupportedType",
        "4 UnsupportedType",
        "5 MalformedMaterial",
        "6 MalformedMaterial",
        "7 MalformedMaterial",
        "8 MalformedKeyId",
        "9 UnsupportedType",
        "10 MalformedMaterial",
        "11 ForEncryption",
        "12 MalformedMaterial"
      ])
      assert.strictEqual(yield* finds(members, "RS256", "good"), "public")
    }))

  it.effect("JWKS-10 JWKS-11 rejects private and symmetric keys", () =>
    Effect.gen(function*() {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
      const whole = privateKey.export({ format: "jwk" })
      const members = [
        { ...whole, kid: "a" },
        { kty: "oct", k: "c2VjcmV0", kid: "a", alg: "RS256" },
        { kty: "RSA", n: whole["n"], e: whole["e"], p: whole["p"], kid: "a" }
      ]
      assert.deepStrictEqual(reasons(members), ["0 Private", "1 Symmetric", "2 Private"])
      assert.strictEqual(yield* finds(members, "RS256", "a"), "None")
      assert.strictEqual(yield* finds([{ kty: "RSA", n: whole["n"], e: whole["e"], kid: "a" }], "RS256", "a"), "public")
    }))

  it.effect("JWKS-12 rejects weak and oversized RSA keys", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [bits: number, exponent: Uint8Array, reasons: ReadonlyArray<string>]> = [
        [2048, usual, []],
        [8192, usual, []],
        [2048, Uint8Array.of(3), []],
        [2048, Uint8Array.of(0, 0, 1, 0, 1), []],
        [1024, usual, ["0 WeakModulus"]],
        [2047, usual, ["0 WeakModulus"]],
        [8193, usual, ["0 HugeModulus"]],
        [16_384, usual, ["0 HugeModulus"]],
        [2048, Uint8Array.of(1), ["0 WeakExponent"]],
        [2048, Uint8Array.of(0, 1), ["0 WeakExponent"]],
        [2048, Uint8Array.of(0), ["0 WeakExponent"]],
        [2048, Uint8Array.of(1, 0, 0), ["0 WeakExponent"]],
        [2048, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1), ["0 WeakExponent"]]
      ]
      for (const [bits, exponent, expected] of cases) {
        assert.deepStrictEqual(reasons([rsaJwk(bits, exponent)]), expected, `${bits} ${exponent.join(" ")}`)
      }
      // A leading zero byte does not make a modulus longer.
      const padded = Buffer.concat([Buffer.alloc(130), Buffer.from(rsaJwk(1024, usual).n, "base64url")])
      assert.deepStrictEqual(reasons([{ ...rsaJwk(1024, usual), n: padded.toString("base64url") }]), ["0 WeakModulus"])
      const small = yield* key("RS256", "small", 1024)
      assert.strictEqual(yield* finds([small.publicJwk], "RS256", "small"), "None")
    }))

  it.effect("JWKS-13 does not use a point that is not on its curve", () =>
    Effect.gen(function*() {
      const { publicJwk } = yield* key("ES256", "a")
      const off = { ...publicJwk, y: publicJwk.x }
      assert.strictEqual(yield* finds([off], "ES256", "a"), "None")
      assert.strictEqual(yield* finds([publicJwk], "ES256", "a"), "public")
      // Nor does it hide a usable key if the token has no kid.
      assert.strictEqual(yield* finds([{ ...off, kid: "b" }, publicJwk], "ES256"), "public")
    }))

  it.effect("JWKS-14 uses a key only for what it declares", () =>
    Effect.gen(function*() {
      const { publicJwk } = yield* key("RS256", "a")
      const { alg: _, use: __, ...bare } = publicJwk
      const uses: ReadonlyArray<readonly [object, string]> = [
        [bare, "public"],
        [{ ...bare, use: "sig" }, "public"],
        [{ ...bare, key_ops: ["verify"] }, "public"],
        [{ ...bare, key_ops: ["sign", "verify"] }, "public"],
        [{ ...bare, ext: true }, "public"],
        [{ ...bare, use: "enc" }, "None"],
        [{ ...bare, use: "encryption" }, "None"],
        [{ ...bare, key_ops: ["encrypt"] }, "None"],
        [{ ...bare, key_ops: ["sign"] }, "None"],
        [{ ...bare, key_ops: "verify" }, "None"],
        [{ ...bare, ext: false }, "None"],
        [{ ...bare, alg: "PS256" }, "None"],
        [{ ...bare, alg: "RS512" }, "None"],
        [{ ...bare, alg: "RSA-OAEP" }, "None"],
        [{ ...bare, alg: ["RS256"] }, "None"],
        [{ ...bare, alg: "" }, "None"],
        [{ ...bare, kty: "EC" }, "None"]
      ]
      for (const [jwk, expected] of uses) {
        assert.strictEqual(yield* finds([jwk], "RS256", "a"), expected, JSON.stringify({ ...jwk, n: "" }))
      }
      const { publicJwk: p384 } = yield* key("ES384", "b")
      assert.strictEqual(yield* finds([p384], "ES256", "b"), "None")
      assert.strictEqual(yield* finds([p384], "ES384", "b"), "public")
    }))

  it.effect("JWKS-15 assigns a kid that two keys have to neither", () =>
    Effect.gen(function*() {
      const first = (yield* key("RS256", "same")).publicJwk
      const second = (yield* key("RS256", "same")).publicJwk
      const third = (yield* key("RS256", "other")).publicJwk
      const members = [first, third, second]
      assert.deepStrictEqual(reasons(members), ["0 RepeatedKeyId", "2 RepeatedKeyId"])
      assert.strictEqual(yield* finds(members, "RS256", "same"), "None")
      assert.strictEqual(yield* finds(members, "RS256", "other"), "public")
    }))

  it.effect("JWKS-15 accepts one key that is listed for several algorithms", () =>
    Effect.gen(function*() {
      const { publicJwk } = yield* key("RS256", "same")
      const members = [publicJwk, { ...publicJwk, alg: "RS512" }, { ...publicJwk, use: "enc" }]
      assert.deepStrictEqual(reasons(members), ["2 ForEncryption"])
      for (const alg of ["RS256", "RS512"] as const) {
        assert.strictEqual(yield* finds(members, alg, "same"), "public")
        assert.strictEqual(yield* finds(members, alg), "public")
      }
      assert.strictEqual(yield* finds(members, "RS384", "same"), "None")
    }))

  it.effect("JWKS-16 accepts a token without kid only if one key fits", () =>
    Effect.gen(function*() {
      const first = (yield* key("RS256", "a")).publicJwk
      const second = (yield* key("RS256", "b")).publicJwk
      const ec = (yield* key("ES256", "c")).publicJwk
      assert.strictEqual(yield* finds([first, ec], "RS256"), "public")
      assert.strictEqual(yield* finds([first, second, ec], "RS256"), "Ambiguous")
      assert.strictEqual(yield* finds([first, second, ec], "ES256"), "public")
      assert.strictEqual(yield* finds([ec], "RS256"), "None")
      assert.strictEqual(yield* finds([{ ...first, kid: undefined }], "RS256"), "public")
      assert.strictEqual(yield* finds([{ ...first, kid: undefined }], "RS256", "a"), "None")
    }))

  it.effect("JWKS-08 reads 100 keys at most", () =>
    Effect.gen(function*() {
      const { publicJwk } = yield* key("ES256", "k")
      const members = Array.from({ length: 10_000 }, (_, index) => ({ ...publicJwk, kid: `k${index}` }))
      assert.deepStrictEqual(reasons(members), ["100 TooMany"])
      assert.strictEqual(yield* finds(members, "ES256", "k99"), "public")
      assert.strictEqual(yield* finds(members, "ES256", "k100"), "None")
    }))
})

describe("fromPem", () => {
  it.effect("JOSE-04 makes a key for the algorithms that fit it", () =>
    Effect.gen(function*() {
      const rsa = yield* key("RS256", "a")
      const set = yield* fromPem("main", `\n${rsa.publicPem}\n`, ["RS256", "ES256", "PS384"])
      assert.deepStrictEqual(set.keys[0]?.algorithms, ["RS256", "PS384"])
      const found = yield* KeySet.find(set, { alg: "PS384", kid: undefined })
      assert.strictEqual(found.algorithm.name, "RSA-PSS")
      const ec = yield* fromPem("main", (yield* key("ES384", "b")).publicPem, ["ES256", "ES384"])
      assert.deepStrictEqual(ec.keys[0]?.algorithms, ["ES384"])
    }))

  it.effect("JWKS-12 rejects weak keys, keys of other types and text that is not a key", () =>
    Effect.gen(function*() {
      const weak = yield* Effect.flip(fromPem("main", (yield* key("RS256", "a", 1024)).publicPem, ["RS256"]))
      assert.strictEqual(weak.reason, "WeakModulus")
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
      const pems = [
        (yield* key("ES256", "b")).publicPem,
        String(privateKey.export({ type: "pkcs8", format: "pem" })),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ""
      ]
      for (const pem of pems) {
        const error = yield* Effect.flip(fromPem("main", pem, ["RS256"]))
        assert.strictEqual(error.message, "public key of provider main: not a PEM (SPKI) key for RS256")
      }
    }))
})
