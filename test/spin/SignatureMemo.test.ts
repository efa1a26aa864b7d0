/** Signatures that one instance has verified and the next does not verify again. */
import { assert, describe, it } from "@effect/vitest"
import { generateKeyPairSync, sign } from "node:crypto"
import { makeVerification } from "../../src/spin/crypto/verification.ts"
import type { Bucket } from "../../src/spin/Host.ts"
import { makeSignatureMemo } from "../../src/spin/SignatureMemo.ts"

const es256 = { name: "ECDSA", namedCurve: "P-256" }
const signing = { name: "ECDSA", hash: "SHA-256" }
const message = new TextEncoder().encode("header.payload")

const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" })

const signed = ({ privateKey }: ReturnType<typeof pair>, signedMessage = message) =>
  new Uint8Array(sign("sha256", signedMessage, { key: privateKey, dsaEncoding: "ieee-p1363" }))

/** A digest of its own for each number. */
const digest = (number: number) => {
  const octets = new Uint8Array(32)
  new DataView(octets.buffer).setUint32(0, number * 2_654_435_761 >>> 0)
  return octets
}

const fail = () => {
  throw new Error("out of order")
}

/** A store, and instances over it that count how often the engine verifies. */
const setUp = (bucket?: Bucket) => {
  const entries = new Map<string, Uint8Array>()
  const opened = bucket ?? {
    get: (key) => entries.get(key),
    set: (key, value) => entries.set(key, value),
    delete: (key) => entries.delete(key)
  }
  let verifications = 0
  const { subtle } = crypto
  const instance = () =>
    makeVerification({
      digest: subtle.digest.bind(subtle),
      importKey: subtle.importKey.bind(subtle),
      verify: (...given) => {
        verifications++
        return subtle.verify(...given)
      }
    }, makeSignatureMemo({ variables: () => [], openStore: () => opened }))

  /** What an instance of its own says. */
  const judge = async (
    { publicKey }: ReturnType<typeof pair>,
    signature: Uint8Array,
    of = message,
    hash = "SHA-256"
  ) => {
    const own = instance()
    const key = await own.importKey("jwk", publicKey.export({ format: "jwk" }), es256, true, ["verify"])
    return own.verify({ ...signing, hash }, key, new Uint8Array(signature), new Uint8Array(of))
  }
  return { entries, judge, verifications: () => verifications }
}

describe("SignatureMemo", () => {
  it("SPIN-VERDICT-01 MUST NOT verify again in the next instance what has been found good", async () => {
    const { judge, verifications } = setUp()
    const key = pair()
    const signature = signed(key)
    for (let count = 0; count < 5; count++) assert.isTrue(await judge(key, signature))
    assert.strictEqual(verifications(), 1)
  })

  it("SPIN-VERDICT-02 MUST verify anew whatever differs: key, signature, message, hash", async () => {
    const { judge, verifications } = setUp()
    const key = pair()
    const signature = signed(key)
    assert.isTrue(await judge(key, signature))
    assert.isFalse(await judge(pair(), signature))
    assert.isFalse(await judge(key, signed(pair())))
    assert.isFalse(await judge(key, signature, new TextEncoder().encode("header.payloae")))
    assert.isFalse(await judge(key, signature, message, "SHA-384"))
    // The same octets, cut elsewhere.
    assert.isFalse(await judge(key, signature.subarray(0, 63), Uint8Array.of(signature[63] ?? 0, ...message)))
    assert.strictEqual(verifications(), 6)
  })

  it("SPIN-VERDICT-03 MUST NOT remember a refusal", async () => {
    const { entries, judge, verifications } = setUp()
    const key = pair()
    const bad = signed(pair())
    assert.isFalse(await judge(key, bad))
    assert.isFalse(await judge(key, bad))
    assert.strictEqual(verifications(), 2)
    assert.strictEqual(entries.size, 0)
  })

  it("SPIN-VERDICT-04 MUST hold a bounded number of entries, whatever number of tokens there is", () => {
    const { entries } = setUp()
    const memo = makeSignatureMemo({
      variables: () => [],
      openStore: () => ({
        get: (key) => entries.get(key),
        set: (key, value) => entries.set(key, value),
        delete: () => {}
      })
    })
    for (let number = 0; number < 50_000; number++) memo.remember(digest(number))
    assert.isAtMost(entries.size, 4096)
    assert.isTrue(memo.isKnown(digest(49_999)))
    assert.isFalse(memo.isKnown(digest(50_000)))
  })

  it("SPIN-VERDICT-05 MUST verify although the store fails", async () => {
    const { judge, verifications } = setUp({ get: fail, set: fail, delete: fail })
    const key = pair()
    assert.isTrue(await judge(key, signed(key)))
    assert.isTrue(await judge(key, signed(key)))
    assert.strictEqual(verifications(), 2)
  })
})
