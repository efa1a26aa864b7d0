/** Only the exact text that was signed is a valid token. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { CompactEncrypt, importJWK } from "jose"
import type { SigningKey } from "../../issuer/SigningKey.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { either, int, oneOf, text, textOf, tokenCharacters } from "./arbitrary.ts"
import { claimsOf, decodeText, encode, headerOf, jsonText, membersOf, partsOf, signParts } from "./compactToken.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { accepted, decided, rejected, rejectedAlongside } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

const alphabet = tokenCharacters.slice(0, 64)

const replaceAt = (token: string, at: number, characters: string, removed: number): string =>
  token.slice(0, at) + characters + token.slice(at + removed)

/** Replaces the character at `at` by another one. */
const flip = (token: string, at: number, by: number): string => {
  const old = token[at] ?? ""
  const index = tokenCharacters.indexOf(old)
  return replaceAt(token, at, tokenCharacters[(index + by) % tokenCharacters.length] ?? "A", 1)
}

/** Sets an unused bit of the last character: other text, the same bytes (RFC 4648, section 3.5). */
const respelled = (part: string): string => {
  const unused = [0, 0, 4, 2][part.length % 4] ?? 0
  const last = alphabet.indexOf(part.slice(-1))
  return unused === 0 ? `${part}=` : part.slice(0, -1) + (alphabet[last + 1] ?? "A")
}

const padded = (part: string): string => part + "=".repeat((4 - (part.length % 4)) % 4)

/** Other texts for the bytes of one part. */
const spellings: ReadonlyArray<(part: string) => string> = [
  respelled,
  padded,
  (part) => `${part}=`,
  (part) => `${part}==`,
  (part) => part.replaceAll("-", "+").replaceAll("_", "/"),
  (part) => padded(part.replaceAll("-", "+").replaceAll("_", "/")),
  (part) => `${part}\n`,
  (part) => ` ${part}`,
  (part) => `${part.slice(0, 4)}\r\n${part.slice(4)}`,
  (part) => `${part.slice(0, 4)}%${part.slice(4)}`,
  (part) => `${part}\u0000`,
  (part) => part.replace(/[A-Za-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
]

/** Encrypts for the issuer's own public key, which everyone has (RFC 7516). */
const encrypted = (key: SigningKey, plaintext: string): Effect.Effect<string> => {
  const alg = key.algorithm.startsWith("ES") ? "ECDH-ES" : key.algorithm === "EdDSA" ? undefined : "RSA-OAEP-256"
  const header = { alg: alg ?? "dir", enc: "A256GCM", kid: key.kid, cty: "JWT" }
  return Effect.promise(async () => {
    const { alg: _alg, key_ops: _ops, use: _use, ...material } = key.publicJwk
    const secret = alg === undefined ? new Uint8Array(32) : await importJWK(material, alg)
    return new CompactEncrypt(new TextEncoder().encode(plaintext)).setProtectedHeader(header).encrypt(secret)
  })
}

const unsecured = (token: string): string => `${encode(JSON.stringify({ alg: "none" }))}.${partsOf(token)[1]}.`

const shapes: ReadonlyArray<(token: string) => string> = [
  () => "",
  () => ".",
  () => "..",
  (token) => partsOf(token)[1],
  (token) => partsOf(token).slice(0, 2).join("."),
  (token) => `${partsOf(token).slice(0, 2).join(".")}.`,
  (token) => partsOf(token).slice(1).join("."),
  (token) => `${token}.`,
  (token) => `.${token}`,
  (token) => `${token}.${partsOf(token)[2]}`,
  (token) => `${token}.${token}`,
  (token) => token.replaceAll(".", ".."),
  (token) => `${token},${token}`,
  (token) => `Bearer ${token}`,
  (token) => JSON.stringify(token),
  (token) => encode(token),
  (token) => {
    const [header, payload, signature] = partsOf(token)
    return JSON.stringify({ protected: header, payload, signature })
  },
  (token) => {
    const [header, payload, signature] = partsOf(token)
    return JSON.stringify({ payload, signatures: [{ protected: header, signature }] })
  },
  (token) => token.toLowerCase(),
  (token) => token.toUpperCase()
]

/** JSON that is not an object, and text that is not JSON. */
const notObjects: ReadonlyArray<(object: string) => string> = [
  (object) => `[${object}]`,
  (object) => JSON.stringify(object),
  () => "null",
  () => "7",
  () => "",
  (object) => `\ufeff${object}`,
  (object) => object.slice(0, -1),
  (object) => `${object}${object}`,
  (object) => object.replaceAll("\"", "'"),
  (object) => `${object}//`,
  (object) => `${object.slice(0, -1)},}`,
  (object) => `${object}\u0000`
]

/** JSON that is short to write and expensive to read. */
const bombs: ReadonlyArray<(size: number) => string> = [
  (size) => `${"[".repeat(size)}${"]".repeat(size)}`,
  (size) => `${"{\"a\":".repeat(size)}1${"}".repeat(size)}`,
  (size) => `{${Array.from({ length: size }, (_, index) => `"${index}":0`).join(",")}}`,
  (size) => JSON.stringify("x".repeat(size * 10)),
  (size) => "9".repeat(size)
]

/** The position of a part in one of several tokens. */
interface Piece {
  readonly token: number
  readonly part: number
}

const piece = (part: Arbitrary.Arbitrary<number>): Arbitrary.Arbitrary<Piece> =>
  Arbitrary.all({ token: int(0, 100), part })

const anyPiece = piece(int(0, 2))

/** Three parts, each in its own position or in any order. */
const pieces: Arbitrary.Arbitrary<ReadonlyArray<Piece>> = either<ReadonlyArray<Piece>>(
  Arbitrary.all([piece(Arbitrary.Constant(0)), piece(Arbitrary.Constant(1)), piece(Arbitrary.Constant(2))]),
  Arbitrary.all([anyPiece, anyPiece, anyPiece])
)

/** The requirements on the text of a token. */
export const spelling = ({ algorithms }: JwtVerifierSettings): ReadonlyArray<Requirement<VerifierUnderTest>> => [
  requirement(
    {
      id: "JWT-10",
      title: "MUST reject a token with any single character changed",
      source: "RFC 7515, section 5.2",
      runs: 2
    },
    { by: int(1, tokenCharacters.length - 1) },
    ({ by }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        for (const key of algorithms) {
          const token = yield* sign({ key })
          yield* accepted(verify, token)
          for (let at = 0; at < token.length; at++) yield* rejected(verify, flip(token, at, by))
          yield* accepted(verify, token)
        }
      })
  ),
  requirement(
    {
      id: "JWT-11",
      title: "MUST reject a token assembled from parts of valid ones",
      source: "RFC 7515, section 5.2",
      runs: 10
    },
    { mixed: Arbitrary.array(pieces, { minLength: 8, maxLength: 16 }) },
    ({ mixed }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const signed = yield* Effect.forEach(
          algorithms,
          (key) => Effect.forEach(["ada", "bob"], (sub) => sign({ key, claims: { sub } }))
        )
        const good = signed.flat()
        const take = ({ part, token }: Piece) => partsOf(good[token % good.length] ?? "")[part]
        for (const pieces of mixed) {
          const forged = pieces.map(take).join(".")
          if (!good.includes(forged)) yield* rejected(verify, forged)
        }
        yield* Effect.forEach(good, (token) => accepted(verify, token), { discard: true })
      })
  ),
  requirement(
    {
      id: "JWT-12",
      title: "MUST reject a token that was truncated or extended",
      source: "RFC 7515, section 5.2",
      runs: 50
    },
    {
      at: int(0, 100_000),
      removed: int(0, 40),
      added: either(Arbitrary.Constant(""), textOf(tokenCharacters, { maxLength: 8 }))
    },
    ({ added, at, removed }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const token = yield* sign()
        const position = at % (token.length + 1)
        const forged = replaceAt(token, position, added, removed)
        const others = [token.slice(0, position), token.slice(position), token + added + "A", `A${added}${token}`]
        for (const one of [forged, ...others]) {
          if (one !== token) yield* rejectedAlongside(verify, token, one)
        }
      })
  ),
  requirement(
    {
      id: "JWT-13",
      title: "MUST reject another spelling of the same bytes",
      source: "RFC 7515, section 2; RFC 4648, section 3.5",
      runs: 8
    },
    { sub: textOf([..."abcdefgh"], { minLength: 1, maxLength: 8 }) },
    ({ sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const token = yield* sign({ claims: { sub } })
        const parts = partsOf(token)
        const forged = spellings.flatMap((spell) =>
          parts.map((part, at) => parts.map((text, index) => index === at ? spell(part) : text).join("."))
        )
        for (const one of forged.filter((one) => one !== token)) yield* rejected(verify, one)
        yield* accepted(verify, token)
        yield* rejected(verify, forged[0] ?? "")
      })
  ),
  requirement(
    {
      id: "JWT-14",
      title: "MUST reject everything that does not have exactly three parts, such as encrypted tokens",
      source: "RFC 7515, section 7.1; CVE-2026-29000",
      runs: 4
    },
    { algorithm: oneOf(algorithms), sub: text },
    ({ algorithm, sub }) =>
      Effect.gen(function*() {
        const { issuer, sign, verify } = yield* VerifierUnderTest
        const token = yield* sign({ key: algorithm, claims: { sub } })
        for (const shape of shapes) yield* rejectedAlongside(verify, token, shape(token))
        const key = yield* issuer.key(algorithm)
        for (const content of [token, unsecured(token), decodeText(partsOf(token)[1])]) {
          yield* rejectedAlongside(verify, token, yield* encrypted(key, content))
        }
      })
  ),
  requirement(
    {
      id: "JWT-15",
      title: "MUST reject a header or payload that is not a JSON object, even if it is signed",
      source: "RFC 7519, section 7.2",
      runs: 4
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const { issuer, sign, verify } = yield* VerifierUnderTest
        const good = yield* sign({ claims: { sub } })
        const [header, payload] = partsOf(good)
        const key = yield* issuer.key()
        const latin1 = encode(Uint8Array.of(...new TextEncoder().encode("{\"a\":\""), 0xe9, 0x22, 0x7d))
        const spoilt = (part: string) => [latin1, ...notObjects.map((spoil) => encode(spoil(decodeText(part))))]
        for (const bad of spoilt(header)) yield* rejectedAlongside(verify, good, yield* signParts(bad, payload, key))
        for (const bad of spoilt(payload)) yield* rejectedAlongside(verify, good, yield* signParts(header, bad, key))
      })
  ),
  requirement(
    {
      id: "JWT-16",
      title: "MUST accept or reject deep, wide and long tokens without failing",
      source: "CWE-674; CWE-400",
      runs: 2
    },
    { size: int(5_000, 60_000) },
    ({ size }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const good = yield* sign()
        for (const bomb of bombs) {
          const more = ["further", bomb(size)] as const
          yield* decided(verify, yield* sign({ payloadJson: jsonText([...membersOf(claimsOf(good)), more]) }))
          yield* decided(verify, yield* sign({ headerJson: jsonText([...membersOf(headerOf(good)), more]) }))
        }
        yield* accepted(verify, good)
      })
  )
]
