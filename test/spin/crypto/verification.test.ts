/** The component's own verification, on Node: test vectors with known results, and comparisons with Node's own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { constants, createHash, generateKeyPairSync, type KeyObject, privateEncrypt, sign } from "node:crypto"
import { makeVerification } from "../../../src/spin/crypto/verification.ts"

const leave = () => Promise.reject(new Error("left to the engine"))

/** An engine that can hash and do nothing else, so that what verifies is ours. */
const own = makeVerification({ digest: crypto.subtle.digest.bind(crypto.subtle), importKey: leave, verify: leave })

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64url"))

const rsa = (name: "RSASSA-PKCS1-v1_5" | "RSA-PSS", bits: string) => ({ name, hash: `SHA-${bits}` })

type Algorithm = ReturnType<typeof rsa> | { readonly name: "Ed25519" }

/** The result of `own` for a signature by the key of this pair. */
const verdict = async (algorithm: Algorithm, key: KeyObject, signature: Uint8Array, message: Uint8Array) => {
  const [fromJwk, fromSpki] = await Promise.all([
    own.importKey("jwk", key.export({ format: "jwk" }), algorithm, true, ["verify"]),
    own.importKey("spki", new Uint8Array(key.export({ format: "der", type: "spki" })), algorithm, true, ["verify"])
  ])
  assert.deepStrictEqual(fromJwk.algorithm, fromSpki.algorithm)
  const [one, other] = await Promise.all([
    own.verify(algorithm, fromJwk, new Uint8Array(signature), new Uint8Array(message)),
    own.verify(algorithm, fromSpki, new Uint8Array(signature), new Uint8Array(message))
  ])
  assert.strictEqual(one, other)
  return one
}

const message = new TextEncoder().encode("eyJhbGciOiJSUzI1NiJ9.e30")
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 })
// A modulus whose length in bits is not that of its octets: the encoded message of PSS is an octet shorter or cut.
const odd = generateKeyPairSync("rsa", { modulusLength: 2049 })
const edwards = generateKeyPairSync("ed25519")

const published = [{
  title: "RFC 7515 A.2 (RS256)",
  algorithm: rsa("RSASSA-PKCS1-v1_5", "256"),
  jwk: {
    kty: "RSA",
    n: "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ" +
      "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2" +
      "CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9g" +
      "b54h4FRWyuXpoQ",
    e: "AQAB"
  },
  input:
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp" +
    "0cnVlfQ",
  signature:
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb" +
    "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d" +
    "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_I" +
    "oypGlUPQGe77Rw"
}, {
  title: "RFC 8037 A.4 (EdDSA)",
  algorithm: { name: "Ed25519" },
  jwk: { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
  input: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
  signature: "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
}]

/** Signs an encoded message of a test's own, valid or not. */
const signEncoded = (encoded: Uint8Array) =>
  privateEncrypt({ key: pair.privateKey, padding: constants.RSA_NO_PADDING }, encoded)

const integer = (octets: Uint8Array) => BigInt(`0x${Buffer.from(octets).toString("hex")}`)

const rejected = (key: object, algorithm: Algorithm) =>
  own.importKey("jwk", key, algorithm, true, ["verify"]).then(() => false, () => true)

const digestInfo = Buffer.from("3031300d060960864801650304020105000420", "hex")

/** An encoded message of PKCS #1 v1.5 with parts to exchange. */
const encode = (
  parts: { readonly fill?: number; readonly info?: Uint8Array; readonly after?: number },
  hash: Uint8Array
) => {
  const info = parts.info ?? digestInfo
  const after = parts.after ?? 0
  const fill = parts.fill ?? 256 - 3 - info.length - hash.length - after
  return Buffer.concat([
    Uint8Array.of(0, 1),
    Buffer.alloc(fill, 0xff),
    Uint8Array.of(0),
    info,
    hash,
    Buffer.alloc(after + Math.max(0, 256 - 3 - fill - info.length - hash.length - after))
  ])
}

const sha256 = (...parts: ReadonlyArray<Uint8Array>) => createHash("sha256").update(Buffer.concat(parts)).digest()

// A modulus of 256 octets less trailer, hash, and a salt as long as the hash.
const saltAt = 256 - 1 - 32 - 32

/** An encoded PSS message whose data block is changed before it is masked; its first octet is zero. */
const encodePss = (of: Uint8Array, spoil: (block: Buffer) => void = () => {}, trailer = 0xbc) => {
  for (let number = 0;; number++) {
    const salt = sha256(Uint8Array.of(number & 0xff, number >> 8))
    const proof = sha256(Buffer.alloc(8), sha256(of), salt)
    const block = Buffer.concat([Buffer.alloc(saltAt), salt])
    block[saltAt - 1] = 1
    spoil(block)
    const masks = [0, 1, 2, 3, 4, 5, 6].map((counter) => sha256(proof, Uint8Array.of(0, 0, 0, counter)))
    const masked = block.map((octet, index) => octet ^ (Buffer.concat(masks)[index] ?? 0))
    if (masked[0] === 0) return Buffer.concat([masked, proof, Uint8Array.of(trailer)])
  }
}

describe("Verification in the component", () => {
  it.each(published)("SPIN-CRYPTO-01 MUST know the published signature: $title", async (known) => {
    const key = await own.importKey("jwk", known.jwk, known.algorithm, true, ["verify"])
    const input = new TextEncoder().encode(known.input)
    assert.isTrue(await own.verify(known.algorithm, key, bytes(known.signature), input))
    assert.isFalse(await own.verify(known.algorithm, key, bytes(known.signature), input.subarray(1)))
  })

  for (const bits of ["256", "384", "512"]) {
    it.each([["2048", pair], ["2049", odd]])(
      `SPIN-CRYPTO-02 MUST verify RS${bits} and PS${bits} with a key of %s bits, and neither as the other`,
      async (_, { privateKey, publicKey }) => {
        const pkcs1 = sign(`sha${bits}`, message, privateKey)
        const pss = sign(`sha${bits}`, message, {
          key: privateKey,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: Number(bits) / 8
        })
        assert.isTrue(await verdict(rsa("RSASSA-PKCS1-v1_5", bits), publicKey, pkcs1, message))
        assert.isTrue(await verdict(rsa("RSA-PSS", bits), publicKey, pss, message))
        assert.isFalse(await verdict(rsa("RSASSA-PKCS1-v1_5", bits), publicKey, pss, message))
        assert.isFalse(await verdict(rsa("RSA-PSS", bits), publicKey, pkcs1, message))
      }
    )
  }

  it.effect.prop(
    "SPIN-CRYPTO-03 MUST reject a signature with any changed bit",
    { at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 256 * 8 - 1 })) },
    ({ at }) =>
      Effect.promise(async () => {
        const signed = [
          [rsa("RSASSA-PKCS1-v1_5", "256"), pair, sign("sha256", message, pair.privateKey)],
          [
            rsa("RSA-PSS", "256"),
            pair,
            sign("sha256", message, { key: pair.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
          ],
          [{ name: "Ed25519" }, edwards, sign(null, message, edwards.privateKey)]
        ] as const
        for (const [algorithm, { publicKey }, signature] of signed) {
          assert.isTrue(await verdict(algorithm, publicKey, signature, message))
          const bit = at % (signature.length * 8)
          const changed = signature.map((octet, index) => index === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet)
          assert.isFalse(await verdict(algorithm, publicKey, changed, message))
        }
      }),
    { arbitrary: { runs: 20 } }
  )

  it("SPIN-CRYPTO-04 MUST reject every encoding but one (CVE-2006-4339, CVE-2014-1568, CVE-2021-30246)", async () => {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", message))
    const verifies = (encoded: Uint8Array) =>
      verdict(rsa("RSASSA-PKCS1-v1_5", "256"), pair.publicKey, signEncoded(encoded), message)
    assert.isTrue(await verifies(encode({}, hash)), "the right encoding")

    assert.isFalse(await verifies(encode({ after: 100 }, hash)), "octets after the digest")
    assert.isFalse(await verifies(encode({ fill: 8 }, hash)), "short padding, the rest behind")
    assert.isFalse(
      await verifies(encode({ info: Buffer.from("302f300b06096086480165030402010420", "hex") }, hash)),
      "no NULL"
    )
    const withGarbage = encode({}, hash)
    withGarbage[20] = 0xfe
    assert.isFalse(await verifies(withGarbage), "other octets in the padding")
    const blockType = encode({}, hash)
    blockType[1] = 2
    assert.isFalse(await verifies(blockType), "the block type of encryption")
  })

  it("SPIN-CRYPTO-05 MUST reject salts of other lengths, short signatures and representatives out of range", async () => {
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const verifies = (signature: Uint8Array, name: "RSASSA-PKCS1-v1_5" | "RSA-PSS" = "RSA-PSS") =>
      verdict(rsa(name, "256"), pair.publicKey, signature, message)
    assert.isTrue(await verifies(sign("sha256", message, { key: pair.privateKey, padding, saltLength: 32 })))
    for (const saltLength of [0, 20, 31, 33, 64]) {
      assert.isFalse(
        await verifies(sign("sha256", message, { key: pair.privateKey, padding, saltLength })),
        `${saltLength}`
      )
    }
    const signature = sign("sha256", message, pair.privateKey)
    assert.isFalse(await verifies(signature.subarray(1), "RSASSA-PKCS1-v1_5"))
    assert.isFalse(await verifies(Buffer.concat([Buffer.alloc(1), signature]), "RSASSA-PKCS1-v1_5"))
    assert.isFalse(await verifies(new Uint8Array(0), "RSASSA-PKCS1-v1_5"))
    assert.isFalse(await verifies(new Uint8Array(256), "RSASSA-PKCS1-v1_5"))

    // The representative plus the modulus has the same power, and must not count as the same signature. Some message
    // has a signature that leaves room for that.
    const modulus = integer(bytes(pair.publicKey.export({ format: "jwk" }).n ?? ""))
    let tried = message
    let shifted = integer(signature) + modulus
    while (shifted >= 1n << 2048n) {
      tried = Uint8Array.of(...tried, 0)
      shifted = integer(sign("sha256", tried, pair.privateKey)) + modulus
    }
    const octets = Buffer.from(shifted.toString(16).padStart(512, "0"), "hex")
    assert.isFalse(await verdict(rsa("RSASSA-PKCS1-v1_5", "256"), pair.publicKey, octets, tried))
  })

  it("SPIN-CRYPTO-07 MUST reject every encoding of PSS but the right ones", async () => {
    const verifies = (spoil?: (block: Buffer) => void, trailer?: number) =>
      verdict(rsa("RSA-PSS", "256"), pair.publicKey, signEncoded(encodePss(message, spoil, trailer)), message)
    assert.isTrue(await verifies(), "the right encoding")
    assert.isFalse(await verifies((block) => block.writeUInt8(2, saltAt - 1)), "no 01 before the salt")
    assert.isFalse(await verifies((block) => block.writeUInt8(1, 10)), "padding that is not zero")
    assert.isFalse(await verifies(undefined, 0xcc), "another trailer")
    const highest = encodePss(message)
    highest[0] = 0x80
    assert.isFalse(
      await verdict(rsa("RSA-PSS", "256"), pair.publicKey, signEncoded(highest), message),
      "a bit beyond the modulus's length less one"
    )
  })

  it("SPIN-CRYPTO-06 MUST NOT import what is not a public key of the algorithm", async () => {
    const [pkcs1, ed] = [rsa("RSASSA-PKCS1-v1_5", "256"), { name: "Ed25519" } as const]
    const [rsaJwk, edJwk] = [pair.publicKey.export({ format: "jwk" }), edwards.publicKey.export({ format: "jwk" })]
    assert.isFalse(await rejected(rsaJwk, pkcs1))
    assert.isFalse(await rejected(edJwk, ed))
    assert.isTrue(await rejected(edJwk, pkcs1))
    assert.isTrue(await rejected(rsaJwk, ed))
    assert.isTrue(await rejected({ ...edJwk, x: "AAAA" }, ed))
    assert.isTrue(await rejected({ ...edJwk, crv: "X25519" }, ed))
    assert.isTrue(await rejected({ ...rsaJwk, n: "!" }, pkcs1))
    assert.isTrue(await rejected(pair.privateKey.export({ format: "jwk" }), pkcs1))

    const der = new Uint8Array(pair.publicKey.export({ format: "der", type: "spki" }))
    const read = (octets: Uint8Array<ArrayBuffer>) =>
      own.importKey("spki", octets, pkcs1, true, ["verify"]).then(() => true, () => false)
    assert.isTrue(await read(der))
    for (const length of [0, 1, 4, 20, 60, der.length - 1]) {
      assert.isFalse(await read(der.slice(0, length)), `${length}`)
    }
    assert.isFalse(await read(new Uint8Array([...der, 0])))
  })
})
