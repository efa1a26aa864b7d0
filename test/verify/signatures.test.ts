import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { constants, createHash, generateKeyPairSync, type KeyObject, privateEncrypt, sign } from "node:crypto"
import type { Signer } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { verifyAtOnce } from "../../src/node/signature.ts"
import { VerifyAtOnce } from "../../src/verify/jwt/signature.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { assertAccepted, assertRejected, ProviderLayer, start, verifierOf } from "./support.ts"

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const ed25519 = generateKeyPairSync("ed25519")
const ed448 = generateKeyPairSync("ed448")

const published = [
  { ...rsa.publicKey.export({ format: "jwk" }), kid: "rsa" },
  { ...ec.publicKey.export({ format: "jwk" }), kid: "ec" },
  { ...ed25519.publicKey.export({ format: "jwk" }), kid: "ed25519" },
  { ...ed448.publicKey.export({ format: "jwk" }), kid: "ed448" }
]

const signer = (algorithm: string, kid: string, make: (input: Uint8Array) => Uint8Array): Signer => ({
  algorithm,
  kid,
  sign: (input) => Effect.sync(() => make(input))
})

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex")

const sha256 = (input: Uint8Array): Buffer => createHash("sha256").update(input).digest()

/** DigestInfo of SHA-256 (RFC 8017, section 9.2, note 1), before the digest. */
const digestInfo = hex("30 31 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00 04 20")

/** Signs a whole block unchanged, which PKCS #1 v1.5 would have padded correctly. */
const raw = (block: (digest: Buffer) => ReadonlyArray<Uint8Array>) =>
  signer(
    "RS256",
    "rsa",
    (input) =>
      privateEncrypt({ key: rsa.privateKey, padding: constants.RSA_NO_PADDING }, Buffer.concat(block(sha256(input))))
  )

const padding = (length: number): Buffer => Buffer.alloc(length, 0xff)

const forgeries: ReadonlyArray<readonly [string, Signer]> = [
  ["block type 2", raw((digest) => [hex("00 02"), padding(202), hex("00"), digestInfo, digest])],
  ["a leading byte", raw((digest) => [hex("01 01"), padding(202), hex("00"), digestInfo, digest])],
  ["padding that is not all ones", raw((digest) => [hex("00 01 fe"), padding(201), hex("00"), digestInfo, digest])],
  ["no separator", raw((digest) => [hex("00 01"), padding(203), digestInfo, digest])],
  [
    "short padding and garbage after the digest",
    raw((digest) => [hex("00 01"), padding(8), hex("00"), digestInfo, digest, Buffer.alloc(194, 7)])
  ],
  [
    "garbage in the parameters of the algorithm",
    raw((digest) => [
      hex("00 01"),
      padding(194),
      hex("00 30 39 30 15 06 09 60 86 48 01 65 03 04 02 01 05 08 01 02 03 04 05 06 07 08 04 20"),
      digest
    ])
  ],
  [
    "the DigestInfo of SHA-384",
    raw((digest) => [
      hex("00 01"),
      padding(202),
      hex("00 30 31 30 0d 06 09 60 86 48 01 65 03 04 02 02 05 00 04 20"),
      digest
    ])
  ],
  ["no DigestInfo", raw((digest) => [hex("00 01"), padding(221), hex("00"), digest])],
  ["a signature of PS256", signer("RS256", "rsa", (input) => pss(input, 32))]
]

const pss = (input: Uint8Array, saltLength: number): Buffer =>
  sign("sha256", input, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })

const ps256 = (saltLength: number): Signer => signer("PS256", "rsa", (input) => pss(input, saltLength))

const order = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")

const word = (value: bigint): Buffer => hex(value.toString(16).padStart(64, "0"))

const ecdsa = (input: Uint8Array, key: KeyObject): Buffer => sign("sha256", input, { key, dsaEncoding: "ieee-p1363" })

const scalars: ReadonlyArray<readonly [string, (r: Buffer, s: Buffer) => ReadonlyArray<Buffer>]> = [
  ["r = 0", (_, s) => [word(0n), s]],
  ["s = 0", (r) => [r, word(0n)]],
  ["r = s = 0", () => [word(0n), word(0n)]],
  ["r = n", (_, s) => [word(order), s]],
  ["s = n", (r) => [r, word(order)]],
  ["r = s = n", () => [word(order), word(order)]],
  ["r = s = 1", () => [word(1n), word(1n)]],
  ["r and s swapped", (r, s) => [s, r]],
  ["a leading zero", (r, s) => [word(0n).subarray(0, 1), r, s]]
]

const edOrder = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes.toReversed()).toString("hex")}`)

/** A signature whose S is larger by the order of the group: equal modulo the order, and not canonical. */
const malleated = (input: Uint8Array): Buffer => {
  const signature = sign(null, input, ed25519.privateKey)
  const scalar = littleEndian(signature.subarray(32)) + edOrder
  return Buffer.concat([signature.subarray(0, 32), word(scalar).toReversed()])
}

const hosts: ReadonlyArray<readonly [string, VerifyAtOnce]> = [
  ["Web Crypto", () => undefined],
  ["Node", verifyAtOnce]
]

for (const [host, atOnce] of hosts) {
  layer(Layer.mergeAll(ProviderLayer, TestIssuer.layer()))(`signatures, verified by ${host}`, (it) => {
    const subject = Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer
      if ((yield* issuer.jwks).keys.length < published.length) yield* Effect.forEach(published, issuer.publishKey)
      const verify = yield* verifierOf(jwtProvider(issuer, { algorithms: ["RS256", "PS256", "ES256", "EdDSA"] })).pipe(
        Effect.provideService(VerifyAtOnce, atOnce)
      )
      return { issuer, verify }
    })

    for (const [what, key] of forgeries) {
      it.effect(`JOSE-07 rejects an RSA signature with ${what}`, () =>
        Effect.gen(function*() {
          const { issuer, verify } = yield* subject
          const good = raw((digest) => [hex("00 01"), padding(202), hex("00"), digestInfo, digest])
          yield* assertAccepted(verify, yield* issuer.sign({ key: good }))
          yield* assertRejected(verify, yield* issuer.sign({ key }), "InvalidSignature")
        }))
    }

    for (const saltLength of [0, 20, 31, 33, 64]) {
      it.effect(`JOSE-08 rejects PS256 with a salt of ${saltLength} bytes`, () =>
        Effect.gen(function*() {
          const { issuer, verify } = yield* subject
          yield* assertAccepted(verify, yield* issuer.sign({ key: ps256(32) }))
          yield* assertRejected(verify, yield* issuer.sign({ key: ps256(saltLength) }), "InvalidSignature")
        }))
    }

    for (const [what, change] of scalars) {
      it.effect(`JOSE-09 JOSE-10 rejects an ECDSA signature with ${what}`, () =>
        Effect.gen(function*() {
          const { issuer, verify } = yield* subject
          const es256 = (make: typeof change) =>
            signer("ES256", "ec", (input) => {
              const signature = ecdsa(input, ec.privateKey)
              return Buffer.concat(make(signature.subarray(0, 32), signature.subarray(32)))
            })
          yield* assertAccepted(verify, yield* issuer.sign({ key: es256((r, s) => [r, s]) }))
          yield* assertRejected(verify, yield* issuer.sign({ key: es256(change) }), "InvalidSignature")
        }))
    }

    it.effect("JOSE-12 rejects an Ed25519 signature that is not canonical", () =>
      Effect.gen(function*() {
        const { issuer, verify } = yield* subject
        const good = signer("EdDSA", "ed25519", (input) => sign(null, input, ed25519.privateKey))
        yield* assertAccepted(verify, yield* issuer.sign({ key: good }))
        yield* assertRejected(
          verify,
          yield* issuer.sign({ key: signer("EdDSA", "ed25519", malleated) }),
          "InvalidSignature"
        )
      }))

    it.effect("JOSE-12 rejects Ed448, which EdDSA does not mean here", () =>
      Effect.gen(function*() {
        const { issuer, verify } = yield* subject
        const key = signer("EdDSA", "ed448", (input) => sign(null, input, ed448.privateKey))
        yield* assertRejected(verify, yield* issuer.sign({ key }), "UnknownKey")
      }))
  })
}
