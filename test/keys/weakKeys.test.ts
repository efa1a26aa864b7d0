/** Keys that anyone could sign with, rejected even if the runtime accepts them. */
import { assert, describe, it } from "@effect/vitest"
import { ed25519, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js"
import { p256, p384, p521 } from "@noble/curves/nist.js"
import * as Effect from "effect/Effect"
import { checkPrimeSync, createPublicKey, generateKeyPairSync, randomInt } from "node:crypto"
import { edwardsProblem, primeCurveProblem } from "../../src/keys/curvePoints.ts"
import { powerModulo } from "../../src/keys/integers.ts"
import * as KeySet from "../../src/keys/KeySet.ts"
import { fromPem } from "../../src/keys/publicKey.ts"
import { hasRocaFingerprint } from "../../src/keys/roca.ts"

const octets = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"))
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url")

const reasons = (...members: ReadonlyArray<unknown>) => KeySet.fromJwks(members).skipped.map(({ reason }) => reason)

const okp = (encoded: Uint8Array) => ({ kty: "OKP", crv: "Ed25519", kid: "a", x: base64url(encoded) })

/** An Ed25519 key as PEM, which is 12 octets and the point. */
const okpPem = (encoded: Uint8Array) => {
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), encoded])
  return `-----BEGIN PUBLIC KEY-----\n${der.toString("base64")}\n-----END PUBLIC KEY-----`
}

/** Little-endian, in 32 octets. */
const encodeY = (y: bigint, sign: bigint) => octets((y | sign << 255n).toString(16).padStart(64, "0")).toReversed()

const p = 2n ** 255n - 19n

describe("Ed25519 keys of small order", () => {
  it("are rejected: all eight points, with either sign, and their longer encodings", () => {
    const points = [
      ...ED25519_TORSION_SUBGROUP.map(octets),
      ...[0n, 1n].flatMap((sign) => [0n, 1n, p - 1n, p, p + 1n].map((y) => encodeY(y, sign)))
    ]
    assert.strictEqual(new Set(points.map(base64url)).size, 14)
    for (const point of points) assert.deepStrictEqual(reasons(okp(point)), ["SmallOrder"], base64url(point))
  })

  it.effect("are rejected as a configured public key too", () =>
    Effect.gen(function*() {
      for (const point of ED25519_TORSION_SUBGROUP.map(octets)) {
        const error = yield* Effect.flip(fromPem("main", okpPem(point), ["EdDSA"]))
        assert.strictEqual(error.reason, "SmallOrder")
      }
      const good = ed25519.getPublicKey(ed25519.utils.randomSecretKey())
      assert.lengthOf((yield* fromPem("main", okpPem(good), ["EdDSA"])).keys, 1)
    }))

  it("do not affect other points, and what is not a point is rejected", () => {
    for (let round = 0; round < 20; round++) {
      const good = ed25519.getPublicKey(ed25519.utils.randomSecretKey())
      assert.isUndefined(edwardsProblem(good))
      assert.deepStrictEqual(reasons(okp(good)), [])
      // The same verdict as that of another implementation, for random octets.
      const any = Uint8Array.from({ length: 32 }, () => randomInt(256))
      let isPoint = true
      try {
        ed25519.Point.fromBytes(any)
      } catch {
        isPoint = false
      }
      assert.strictEqual(edwardsProblem(any) === undefined, isPoint, base64url(any))
    }
    for (const y of [p + 2n, 2n ** 255n - 1n]) assert.strictEqual(edwardsProblem(encodeY(y, 0n)), "NotOnCurve")
  })
})

const ec = (crv: string) => (x: Uint8Array, y: Uint8Array) => ({
  kty: "EC",
  crv,
  kid: "a",
  x: base64url(x),
  y: base64url(y)
})

describe("points of NIST curves", () => {
  const curves = [["P-256", p256, 32], ["P-384", p384, 48], ["P-521", p521, 66]] as const

  for (const [crv, curve, length] of curves) {
    it(`of ${crv} are rejected unless they are on it`, () => {
      const jwk = ec(crv)
      for (let round = 0; round < 5; round++) {
        const point = curve.getPublicKey(curve.utils.randomSecretKey(), false)
        const x = point.slice(1, 1 + length)
        const y = point.slice(1 + length)
        assert.isUndefined(primeCurveProblem(crv, x, y))
        assert.deepStrictEqual(reasons(jwk(x, y)), [])
        for (const index of [0, length - 1]) {
          const off = Uint8Array.from(y)
          off[index] = (off[index] ?? 0) ^ 1
          assert.deepStrictEqual(reasons(jwk(x, off), jwk(off, y)), ["NotOnCurve", "NotOnCurve"])
        }
      }
      const zero = new Uint8Array(length)
      const full = new Uint8Array(length).fill(0xff)
      assert.deepStrictEqual(reasons(jwk(zero, zero), jwk(full, full)), ["NotOnCurve", "NotOnCurve"])
    })
  }
})

const firstPrimes = (count: number): ReadonlyArray<bigint> => {
  const primes: Array<bigint> = []
  for (let n = 2n; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0n)) primes.push(n)
  return primes
}

/** As the vulnerable library generates primes of 2048-bit keys: k·M + (65537^a mod M), M the product of 126 primes. */
const weakPrime = (): bigint => {
  const product = firstPrimes(126).reduce((product, prime) => product * prime, 1n)
  for (;;) {
    const k = BigInt(randomInt(2 ** 47)) | 1n << 53n
    const candidate = k * product + powerModulo(65_537n, BigInt(randomInt(2 ** 47)), product)
    if (checkPrimeSync(candidate)) return candidate
  }
}

const number = (value: bigint) => {
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + hex.length % 2, "0"), "hex").toString("base64url")
}

const pem = (n: string) =>
  String(createPublicKey({ key: { kty: "RSA", n, e: "AQAB" }, format: "jwk" }).export({ type: "spki", format: "pem" }))

describe("RSA moduli of guessable primes (CVE-2017-15361)", () => {
  it("are rejected", () => {
    const modulus = weakPrime() * weakPrime()
    assert.isTrue(hasRocaFingerprint(modulus))
    const jwk = { kty: "RSA", kid: "a", n: number(modulus), e: "AQAB" }
    assert.deepStrictEqual(reasons(jwk), ["RocaModulus"])
    // The same key without the fingerprint's last bit of truth.
    assert.isFalse(hasRocaFingerprint(modulus + 2n))
  })

  it.effect("are rejected as a configured public key, while others are accepted", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(fromPem("main", pem(number(weakPrime() * weakPrime())), ["RS256"]))
      assert.strictEqual(error.reason, "RocaModulus")
      for (let round = 0; round < 4; round++) {
        const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
        const jwk = publicKey.export({ format: "jwk" })
        assert.deepStrictEqual(reasons({ ...jwk, kid: "a" }), [])
        assert.lengthOf((yield* fromPem("main", pem(jwk.n ?? ""), ["RS256"])).keys, 1)
      }
    }))
})
