import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { importJWK, type JWK } from "jose"
import { type JwsAlgorithm, jwsAlgorithms } from "../../src/config/GatewaySettings.ts"
import { makeSigningKey, type SigningKey } from "../../src/issuer/SigningKey.ts"
import { verifyAtOnce } from "../../src/node/signature.ts"
import type { CompactJws } from "../../src/verify/jwt/CompactJws.ts"
import { makeCheckSignature, VerifyAtOnce } from "../../src/verify/jwt/signature.ts"

/** Those that Web Crypto is left with. */
const slow: ReadonlySet<JwsAlgorithm> = new Set(["ES384", "ES512"])

const jwsOf = (alg: JwsAlgorithm, signed: string, signature: Uint8Array): CompactJws => ({
  token: `${signed}.${Buffer.from(signature).toString("base64url")}`,
  header: { alg, kid: undefined, typ: undefined },
  claims: {},
  signature
})

const fromToken = (alg: JwsAlgorithm, token: string): CompactJws => {
  const end = token.lastIndexOf(".")
  return jwsOf(alg, token.slice(0, end), Buffer.from(token.slice(end + 1), "base64url"))
}

const imported = (jwk: JWK, alg: string) =>
  Effect.promise(async () => {
    const key = await importJWK(jwk, alg)
    if (key instanceof Uint8Array) throw new Error("symmetric")
    return key
  })

const withNode = Effect.provideService(makeCheckSignature, VerifyAtOnce, verifyAtOnce)

/** The synchronous result of Node and the result of jose, which must be the same. */
const verdicts = Effect.fnUntraced(function*(jws: CompactJws, key: CryptoKey) {
  const atOnce = (yield* withNode)(jws, key)
  const [node, jose] = [yield* atOnce, yield* (yield* makeCheckSignature)(jws, key)]
  assert.deepStrictEqual(node, jose)
  return { isAtOnce: Exit.isExit(atOnce), reason: node?.reason }
})

/** Published signatures: RFC 7515, appendices A.2 to A.4; RFC 8037, appendix A.4. */
const published: ReadonlyArray<readonly [string, JwsAlgorithm, JWK, string]> = [
  [
    "RFC 7515, A.2",
    "RS256",
    {
      kty: "RSA",
      n: "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
      e: "AQAB"
    },
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
  ],
  [
    "RFC 7515, A.3",
    "ES256",
    {
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    },
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
  ],
  [
    "RFC 8037, A.4",
    "EdDSA",
    { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
  ]
]

describe("signatures that Node verifies in its own thread", () => {
  for (const [source, alg, jwk, token] of published) {
    it.effect(`agree with ${source}`, () =>
      Effect.gen(function*() {
        const key = yield* imported(jwk, alg)
        const good = fromToken(alg, token)
        assert.deepStrictEqual(yield* verdicts(good, key), { isAtOnce: true, reason: undefined })
        const forged = fromToken(alg, token.replace(".", ".A"))
        assert.deepStrictEqual(yield* verdicts(forged, key), { isAtOnce: true, reason: "InvalidSignature" })
      }))
  }

  it.effect("leave keys that take too long, and keys of other algorithms, to Web Crypto", () =>
    Effect.gen(function*() {
      const [rsa, signed] = [yield* makeSigningKey({ algorithm: "RS256", kid: "a" }), "a.b"]
      const signature = yield* rsa.sign(Buffer.from(signed))
      const key = yield* imported(rsa.publicJwk, "RS256")
      assert.isTrue(verifyAtOnce("RS256", key, signature, signed))
      assert.isFalse(verifyAtOnce("RS256", key, signature, "a.c"))
      for (const alg of jwsAlgorithms.filter((other) => other !== "RS256")) {
        assert.isUndefined(verifyAtOnce(alg, key, signature, signed), alg)
      }
      assert.isUndefined(verifyAtOnce("RS256", rsa.privateKey, signature, signed))
      for (const [bits, expected] of [[4096, false], [4104, undefined], [8192, undefined]] as const) {
        const n = Buffer.alloc(bits / 8, 0xff).toString("base64url")
        const large = yield* imported({ kty: "RSA", n, e: "AQAB" }, "RS256")
        assert.strictEqual(verifyAtOnce("RS256", large, new Uint8Array(bits / 8), signed), expected)
      }
    }))
})

interface Subject {
  readonly signed: string
  readonly signer: SigningKey
  readonly key: CryptoKey
  readonly signature: Uint8Array
}

const signedOf = (alg: JwsAlgorithm, payload: string): string =>
  `${Buffer.from(JSON.stringify({ alg })).toString("base64url")}.${payload}`

class Subjects extends Context.Service<Subjects, ReadonlyMap<JwsAlgorithm, Subject>>()(
  "mcp-authorizer/test/node/signature.test/Subjects"
) {
  static readonly layer = Layer.effect(
    Subjects,
    Effect.map(
      Effect.forEach(
        jwsAlgorithms,
        Effect.fnUntraced(function*(algorithm) {
          const signer = yield* makeSigningKey({ algorithm, kid: algorithm })
          const key = yield* imported(signer.publicJwk, algorithm)
          const signed = signedOf(algorithm, "eyJ5IjoyfQ")
          const signature = yield* signer.sign(Buffer.from(signed))
          return [algorithm, { signer, key, signed, signature }] as const
        })
      ),
      (subjects) => new Map(subjects)
    )
  )
}

const subjectOf = (algorithm: JwsAlgorithm) =>
  Subjects.useSync((subjects) => {
    const subject = subjects.get(algorithm)
    assert.isDefined(subject)
    return subject
  })

const change = Schema.Union([
  Schema.Struct({
    kind: Schema.Literals(["signature", "signed"]),
    at: Schema.Finite,
    bit: Schema.Literals([1, 16, 128])
  }),
  Schema.Struct({
    kind: Schema.Literals(["cut", "cutFront", "append", "prepend"]),
    bytes: Schema.Literals([1, 2, 32])
  }),
  Schema.Struct({ kind: Schema.Literal("fill"), byte: Schema.Literals([0, 1, 255]) }),
  Schema.Struct({ kind: Schema.Literal("swap") }),
  Schema.Struct({ kind: Schema.Literal("none") })
])

const flipped = (bytes: Uint8Array, at: number, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  const index = Math.abs(Math.trunc(at)) % copy.length
  copy[index] = (copy[index] ?? 0) ^ bit
  return copy
}

const changed = (applied: typeof change.Type, { signature, signed }: Subject): readonly [string, Uint8Array] => {
  switch (applied.kind) {
    case "signature":
      return [signed, flipped(signature, applied.at, applied.bit)]
    case "signed": {
      const [header = "", payload = ""] = signed.split(".")
      return [`${header}.${Buffer.from(flipped(Buffer.from(payload), applied.at, 1)).toString("latin1")}`, signature]
    }
    case "cut":
      return [signed, signature.slice(0, -applied.bytes)]
    case "cutFront":
      return [signed, signature.slice(applied.bytes)]
    case "append":
      return [signed, Buffer.concat([signature, new Uint8Array(applied.bytes)])]
    case "prepend":
      return [signed, Buffer.concat([new Uint8Array(applied.bytes), signature])]
    case "fill":
      return [signed, new Uint8Array(signature.length).fill(applied.byte)]
    case "swap":
      return [signed, Buffer.concat([signature.slice(signature.length / 2), signature.slice(0, signature.length / 2)])]
    case "none":
      return [signed, signature]
  }
}

layer(Subjects.layer)("signatures of each algorithm", (it) => {
  for (const algorithm of jwsAlgorithms) {
    it.effect(`are verified ${slow.has(algorithm) ? "elsewhere" : "at once"}: ${algorithm}`, () =>
      Effect.gen(function*() {
        const { key, signature, signed } = yield* subjectOf(algorithm)
        const isAtOnce = !slow.has(algorithm)
        assert.deepStrictEqual(yield* verdicts(jwsOf(algorithm, signed, signature), key), {
          isAtOnce,
          reason: undefined
        })
        assert.deepStrictEqual(yield* verdicts(jwsOf(algorithm, `${signed}A`, signature), key), {
          isAtOnce,
          reason: "InvalidSignature"
        })
      }))
  }

  it.effect.prop(
    "JOSE-07 JOSE-09 are verified with the same result as by jose, after every change",
    { algorithm: Schema.Literals(jwsAlgorithms), applied: change },
    ({ algorithm, applied }) =>
      Effect.gen(function*() {
        const subject = yield* subjectOf(algorithm)
        const [text, bytes] = changed(applied, subject)
        const { reason } = yield* verdicts(jwsOf(algorithm, text, bytes), subject.key)
        const isSame = text === subject.signed && Buffer.compare(bytes, subject.signature) === 0
        assert.strictEqual(reason, isSame ? undefined : "InvalidSignature")
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect("JOSE-08 are rejected without their leading zeros, which OpenSSL requires", () =>
    Effect.gen(function*() {
      const { key, signer } = yield* subjectOf("PS256")
      for (let attempt = 0;; attempt++) {
        const text = signedOf("PS256", Buffer.from(`{"attempt":${attempt}}`).toString("base64url"))
        const signature = yield* signer.sign(Buffer.from(text))
        if (signature[0] !== 0) continue
        assert.strictEqual((yield* verdicts(jwsOf("PS256", text, signature), key)).reason, undefined)
        const { reason } = yield* verdicts(jwsOf("PS256", text, signature.slice(1)), key)
        assert.strictEqual(reason, "InvalidSignature")
        return
      }
    }))
})
