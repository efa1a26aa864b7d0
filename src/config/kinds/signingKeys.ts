/** The private keys with which the gateway signs its own tokens. Pure: keys are imported where the gateway is built. */
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Mistake } from "../InvalidConfiguration.ts"
import { parseJson } from "../sources/jsonText.ts"
import { type Checked, fromText, invalid, type Kind, makeKind } from "./kind.ts"
import { hidden, RedactedText } from "./kinds.ts"
import { privateKey } from "./privateKey.ts"

/** A private key as it was given. */
export interface ConfiguredSigningKey {
  readonly algorithm: "ES256" | "EdDSA"
  readonly form: "Pkcs8" | "Jwk"
  /** PEM, or a JWK as JSON. */
  readonly text: Redacted.Redacted<string>
  /** The `kid` of a JWK; `undefined`: the thumbprint. */
  readonly keyId: string | undefined
}

const make = "Make one with: openssl genpkey -algorithm ed25519, or -algorithm EC -pkeyopt ec_paramgen_curve:P-256"

const noKey: Mistake = { problem: "is neither a PEM private key nor a JWK", fix: make }

const otherKey = (): Checked<never> => invalid("has a key that is neither Ed25519 nor EC on P-256", make)

// RFC 8410, section 3, and RFC 5480, section 2.1.1: the object identifiers of Ed25519 and of P-256.
const ed25519 = "\x06\x03\x2b\x65\x70"
const p256 = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"

const latin1Of = (pem: string): string => {
  const der = Base64.decode(pem.replace(/-----[A-Z ]+-----/g, "").replace(/\s/g, ""))
  return Result.isSuccess(der) ? String.fromCharCode(...der.success) : ""
}

const readPem = (text: string): Checked<ConfiguredSigningKey> =>
  Result.flatMap(fromText(privateKey, text), (pem) => {
    // The algorithm is at the beginning (RFC 5958, section 2).
    const head = latin1Of(Redacted.value(pem)).slice(0, 40)
    const algorithm = head.indexOf(ed25519) >= 0 ? "EdDSA" : head.indexOf(p256) >= 0 ? "ES256" : undefined
    return algorithm === undefined
      ? otherKey()
      : Result.succeed({ algorithm, form: "Pkcs8", text: pem, keyId: undefined })
  })

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const octets32 = (value: unknown): boolean => typeof value === "string" && /^[A-Za-z0-9_-]{43}$/.test(value)

const readJwk = (jwk: Json): Checked<ConfiguredSigningKey> => {
  const { alg, crv, d, kid, kty, use, x, y } = jwk
  const algorithm = kty === "OKP" && crv === "Ed25519" && octets32(x)
    ? "EdDSA"
    : kty === "EC" && crv === "P-256" && octets32(x) && octets32(y)
    ? "ES256"
    : undefined
  if (algorithm === undefined) return otherKey()
  if (!octets32(d)) return invalid("has a JWK without its private part", "Give the whole key, with the member d")
  if (alg !== undefined && alg !== algorithm && !(alg === "Ed25519" && algorithm === "EdDSA")) {
    return invalid("has a JWK whose alg does not fit its curve", `Write ${algorithm}, or leave alg out`)
  }
  if (use !== undefined && use !== "sig") {
    return invalid("has a JWK for another use than sig", "Make a key for signatures")
  }
  if (kid !== undefined && (typeof kid !== "string" || !/^[\x21-\x7e]{1,128}$/.test(kid))) {
    return invalid(
      "has a JWK whose kid is not a short text",
      "Use up to 128 visible ASCII characters, or leave kid out"
    )
  }
  const text = Redacted.make(JSON.stringify(algorithm === "EdDSA" ? { kty, crv, d, x } : { kty, crv, d, x, y }))
  return Result.succeed({ algorithm, form: "Jwk", text, keyId: kid })
}

const all = (read: ReadonlyArray<Checked<ConfiguredSigningKey>>): Checked<ReadonlyArray<ConfiguredSigningKey>> => {
  const problems = read.flatMap((key) => Result.isFailure(key) ? key.failure : [])
  if (problems.length > 0) return Result.fail(problems)
  const keys = read.flatMap((key) => Result.isSuccess(key) ? [key.success] : [])
  if (keys.length === 0) return Result.fail([noKey])
  if (keys.length > 2) {
    return invalid("has more than two keys", "Keep the one that signs, and one that verifiers may see as well")
  }
  const [first, second] = keys
  return second !== undefined && first?.keyId !== undefined && first.keyId === second.keyId
    ? invalid("has two keys with one kid", "Give each key a kid of its own, or leave kid out")
    : Result.succeed(keys)
}

const blocks = /-----BEGIN [A-Z ]+-----[^-]*-----END [A-Z ]+-----/g

const readText = (text: string): Checked<ReadonlyArray<ConfiguredSigningKey>> => {
  const trimmed = text.trim()
  if (/^[{[]/.test(trimmed)) {
    const parsed = parseJson(trimmed)
    if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
    return readValue(parsed.success)
  }
  const found = trimmed.match(blocks) ?? []
  return found.length === 0 || trimmed.replace(blocks, "").replace(/\\n|\\r|[\s,]/g, "") !== ""
    ? Result.fail([noKey])
    : all(found.map(readPem))
}

const readOne = (value: unknown): Checked<ReadonlyArray<ConfiguredSigningKey>> =>
  Redacted.isRedacted(value)
    ? readText(String(Redacted.value(value)))
    : typeof value === "string"
    ? readText(value)
    : isObject(value)
    ? Result.map(readJwk(value), (key) => [key])
    : Result.fail([noKey])

const readValue = (value: unknown): Checked<ReadonlyArray<ConfiguredSigningKey>> => {
  const members = isObject(value) && !Redacted.isRedacted(value) && Array.isArray(value["keys"])
    ? value["keys"]
    : Array.isArray(value)
    ? value
    : [value]
  return all(members.flatMap((member): ReadonlyArray<Checked<ConfiguredSigningKey>> => {
    const read = readOne(member)
    return Result.isFailure(read) ? [Result.fail(read.failure)] : read.success.map((key) => Result.succeed(key))
  }))
}

const Jwk = Schema.Record(Schema.String, Schema.Unknown)

type Input = string | Redacted.Redacted<string> | Json | ReadonlyArray<string | Json | Redacted.Redacted<string>>

/** The keys of the gateway: the first signs, and all are published. */
export const signingKeys: Kind<ReadonlyArray<ConfiguredSigningKey>, Input> = makeKind<
  ReadonlyArray<ConfiguredSigningKey>,
  Input
>({
  label: "PEM or JWK, or two while it is changed",
  input: Schema.Union([
    Schema.NonEmptyString,
    RedactedText,
    Schema.Array(Schema.Union([Schema.NonEmptyString, RedactedText, Jwk])),
    Jwk
  ]),
  file: Schema.Union([
    Schema.NonEmptyString,
    Schema.Array(Schema.Union([Schema.NonEmptyString, Jwk])).check(Schema.isMinLength(1)),
    Jwk
  ]),
  mistyped: () => noKey,
  fromJson: readValue,
  fromText: readText,
  show: () => hidden
})
