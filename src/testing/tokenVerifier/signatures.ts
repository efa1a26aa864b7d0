/** A token needs a signature by a key of the issuer, with a configured algorithm. */
import * as Effect from "effect/Effect"
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"
import type { Issuer } from "../../issuer/Issuer.ts"
import { hmacSigner, type SigningKey } from "../../issuer/SigningKey.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { oneOf, text } from "./arbitrary.ts"
import { decodeBytes, encode, headerOf, partsOf } from "./compactToken.ts"
import { otherSignatures, trivialSignatures } from "./ecdsa.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { accepted, rejected, rejectedAlongside } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

/** `none` in all combinations of upper and lower case. */
const nones = Array.from(
  { length: 16 },
  (_, upper) => [..."none"].map((letter, at) => (upper >> at) % 2 === 1 ? letter.toUpperCase() : letter).join("")
)

/** Everything of a key that a verifier might mistake for the secret of an HMAC. */
const publicSecrets = (key: SigningKey): ReadonlyArray<string | Uint8Array> => {
  const { publicJwk, publicPem } = key
  const { alg: _alg, kid: _kid, use: _use, ...material } = publicJwk
  const pem = publicPem.trim()
  const der = pem.replaceAll(/-----[^-]+-----|\s/g, "")
  const numbers = [publicJwk.n, publicJwk.x, publicJwk.y].flatMap((number) => number ?? [])
  const pems = [pem, pem.replaceAll("\n", "\r\n"), pem.replaceAll("\n", "\\n")]
  return [
    ...["", " ", "\n"].flatMap((before) => pems.flatMap((pem) => [`${before}${pem}`, `${before}${pem}\n`])),
    der,
    Uint8Array.from(atob(der), (character) => character.charCodeAt(0)),
    JSON.stringify(publicJwk),
    JSON.stringify(material),
    JSON.stringify({ keys: [publicJwk] }),
    ...numbers,
    ...numbers.map(decodeBytes),
    key.kid,
    "",
    "secret",
    "null",
    "undefined",
    "[object Object]"
  ]
}

// Cheap keys first, because a suite needs only one of them.
const allAlgorithms: ReadonlyArray<JwsAlgorithm> = ["ES256", "EdDSA", "ES384", "ES512", "PS256", "RS256"]

const unlistedAlgorithms = (algorithms: ReadonlyArray<JwsAlgorithm>): ReadonlyArray<Requirement<VerifierUnderTest>> => {
  const unlisted = allAlgorithms.filter((algorithm) => !algorithms.includes(algorithm)).slice(0, 2)
  return unlisted.length === 0 ? [] : [requirement(
    {
      id: "JWT-23",
      title: "MUST reject an algorithm that is not listed, even if the issuer publishes a key for it",
      source: "RFC 8725, section 3.1; CVE-2026-22817",
      runs: 2
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const subject = yield* VerifierUnderTest
        const checkOne = Effect.fnUntraced(function*(algorithm: JwsAlgorithm) {
          const publish = Effect.fnUntraced(function*(issuer: Issuer) {
            const { alg: _alg, ...publicJwk } = (yield* issuer.key(algorithm)).publicJwk
            // Without its `alg`, so that only the header would select the algorithm.
            yield* issuer.publishKey({ ...publicJwk, kid: "any" })
          })
          const { sign, verify } = yield* subject.anew(publish)
          const good = yield* sign({ claims: { sub } })
          yield* rejectedAlongside(verify, good, yield* sign({ key: algorithm, claims: { sub } }))
          yield* rejectedAlongside(
            verify,
            good,
            yield* sign({ key: algorithm, claims: { sub }, header: { kid: "any" } })
          )
        }, Effect.scoped)
        yield* Effect.forEach(unlisted, checkOne, { discard: true })
      })
  )]
}

const otherForms = (algorithms: ReadonlyArray<JwsAlgorithm>): ReadonlyArray<Requirement<VerifierUnderTest>> => {
  const ecdsa = algorithms.filter((algorithm) => algorithm.startsWith("ES"))
  return ecdsa.length === 0 ? [] : [requirement(
    {
      id: "JWT-25",
      title: "MUST reject an ECDSA signature in another form: DER, padded, truncated",
      source: "RFC 7518, section 3.4",
      runs: 8
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        for (const algorithm of ecdsa) {
          const good = yield* sign({ key: algorithm, claims: { sub } })
          const [header, payload, signature] = partsOf(good)
          for (const form of otherSignatures(decodeBytes(signature))) {
            yield* rejectedAlongside(verify, good, `${header}.${payload}.${encode(form)}`)
          }
        }
      })
  )]
}

/** The requirements on signatures. */
export const signatures = ({ algorithms }: JwtVerifierSettings): ReadonlyArray<Requirement<VerifierUnderTest>> => [
  requirement(
    {
      id: "JWT-20",
      title: "MUST reject an unsigned token, however alg spells none",
      source: "RFC 8725, section 3.1; CVE-2022-23540",
      runs: 4
    },
    { algorithm: oneOf(algorithms), disguise: oneOf([" ", "\u0000", "\t"]), keepsKid: oneOf([true, false]) },
    ({ algorithm, disguise, keepsKid }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const good = yield* sign({ key: algorithm })
        const [, payload, signature] = partsOf(good)
        const { alg: _alg, kid, ...rest } = headerOf(good)
        const kept = keepsKid ? { ...rest, kid } : rest
        const algorithms = [...nones, ...nones.map((alg) => alg + disguise), "", null, ["none"], undefined]
        for (const alg of algorithms) {
          const header = encode(JSON.stringify({ alg, ...kept }))
          for (const ending of [".", `.${signature}`, ".AA", ""]) {
            yield* rejected(verify, `${header}.${payload}${ending}`)
          }
        }
        yield* accepted(verify, good)
      })
  ),
  requirement(
    {
      id: "JWT-21",
      title: "MUST reject an HMAC that uses the public key as its secret, in any encoding",
      source: "RFC 8725, section 2.1; CVE-2023-48223, CVE-2026-34950",
      runs: 2
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const { issuer, sign, verify } = yield* VerifierUnderTest
        const keys = yield* Effect.forEach(algorithms, (algorithm) => issuer.key(algorithm))
        for (const key of keys) {
          for (const secret of publicSecrets(key)) {
            for (const hash of ["256", "384", "512"] as const) {
              const forged = { key: hmacSigner(secret, key.kid, hash), claims: { sub } }
              yield* rejected(verify, yield* sign(forged))
              // A verifier that only looks at the secret would compute an HMAC under this name, too.
              yield* rejected(verify, yield* sign({ ...forged, header: { alg: key.algorithm } }))
            }
          }
        }
        yield* accepted(verify, yield* sign({ claims: { sub } }))
      })
  ),
  requirement(
    {
      id: "JWT-22",
      title: "MUST reject tokens signed by another party with a key of the same id",
      source: "RFC 7519, section 7.2; CVE-2025-59936",
      runs: 6
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const { issuer, sign, stranger, verify } = yield* VerifierUnderTest
        for (const algorithm of algorithms) {
          const good = yield* sign({ key: algorithm, claims: { sub } })
          const key = yield* stranger.key(algorithm)
          for (const kid of [(yield* issuer.key(algorithm)).kid, undefined]) {
            const header = { kid }
            yield* rejectedAlongside(verify, good, yield* sign({ key, header, claims: { sub } }))
            // The token is valid for its own issuer, which the verifier does not trust.
            yield* rejectedAlongside(verify, good, yield* sign({ key, header, claims: { sub, iss: stranger.issuer } }))
          }
          yield* rejectedAlongside(verify, good, yield* sign({ key: algorithm, claims: { sub, iss: stranger.issuer } }))
        }
      })
  ),
  ...unlistedAlgorithms(algorithms),
  requirement(
    {
      id: "JWT-24",
      title: "MUST reject trivial signatures: empty, zero, one, the order of the curve",
      source: "RFC 7515, section 5.2; CVE-2022-21449",
      runs: 4
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        for (const algorithm of algorithms) {
          const good = yield* sign({ key: algorithm, claims: { sub } })
          const [header, payload, signature] = partsOf(good)
          for (const trivial of trivialSignatures(algorithm, decodeBytes(signature).length)) {
            yield* rejected(verify, `${header}.${payload}.${encode(trivial)}`)
          }
          yield* accepted(verify, good)
        }
      })
  ),
  ...otherForms(algorithms)
]
