/** A JWT verifier made by hand, step by step, so that each step can be replaced by a known mistake. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { createPublicKey, type JsonWebKey, type KeyObject, verify as verifyBytes } from "node:crypto"
import { InvalidToken, ProviderUnavailable, type VerificationError } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { isJsonObject, type JsonObject, own, parseJsonObject } from "../../src/remote/JsonObject.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"

const skew = 60

/** A token taken apart. */
export interface Parsed {
  readonly header: JsonObject
  readonly claims: JsonObject
  readonly input: string
  readonly signature: Buffer
}

/** The inputs of the steps, apart from the token. */
export interface Known {
  readonly issuer: string
  readonly audience: string
  /** In seconds. */
  readonly now: number
  readonly keys: ReadonlyArray<JsonWebKey>
}

/** Every step; `undefined` and `false` reject. What a step throws rejects too, unless `throws`. */
export interface Steps {
  readonly split: (token: string) => ReadonlyArray<string>
  readonly decode: (part: string) => Buffer | undefined
  readonly parse: (json: string) => JsonObject | undefined
  readonly algorithm: (header: JsonObject) => boolean
  readonly header: (header: JsonObject) => boolean
  readonly key: (header: JsonObject, known: Known) => KeyObject | undefined
  readonly signature: (parsed: Parsed, key: KeyObject | undefined) => boolean
  readonly issuer: (iss: unknown, known: Known) => boolean
  readonly audience: (aud: unknown, known: Known) => boolean
  readonly end: (exp: unknown, known: Known) => boolean
  readonly begin: (nbf: unknown, known: Known) => boolean
  readonly issued: (iat: unknown, known: Known) => boolean
  readonly kind: (parsed: Parsed) => boolean
  readonly subject: (claims: JsonObject) => unknown
  readonly scopes: (claims: JsonObject) => ReadonlyArray<string>
  /** The keys from now on, given those that were known and the key set that was fetched. */
  readonly replace: (known: ReadonlyArray<JsonWebKey>, fetched: ReadonlyArray<JsonWebKey>) => ReadonlyArray<JsonWebKey>
  /** Whether an unknown key id makes it fetch again, so many milliseconds after it last did. */
  readonly refetch: (sinceMillis: number) => boolean
  readonly throws: boolean
}

export const jwkToKey = (jwk: JsonWebKey): KeyObject => createPublicKey({ key: jwk, format: "jwk" })

export const verifyEs256 = ({ input, signature }: Parsed, key: KeyObject): boolean =>
  verifyBytes("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }, signature)

const isDate = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

const word = /^[^\s\p{C}]+$/u

const right: Steps = {
  split: (token) => token.split("."),
  decode: (part) => {
    const bytes = Buffer.from(part, "base64url")
    return bytes.toString("base64url") === part ? bytes : undefined
  },
  parse: (json) => Result.getOrUndefined(parseJsonObject(json)),
  algorithm: ({ alg }) => alg === "ES256",
  header: ({ kid, typ, ...header }) =>
    typeof kid === "string" && (typ === undefined || typ === "JWT") &&
    !["crit", "b64", "cty", "zip"].some((name) => Object.hasOwn(header, name)),
  key: ({ kid }, { keys }) => {
    const jwk = keys.find((key) => key["kid"] === kid && key["alg"] === "ES256")
    return jwk === undefined ? undefined : jwkToKey(jwk)
  },
  signature: (parsed, key) => key !== undefined && parsed.signature.length === 64 && verifyEs256(parsed, key),
  issuer: (iss, { issuer }) => iss === issuer,
  audience: (aud, { audience }) =>
    [aud].flat().some((one) => one === audience) && (Array.isArray(aud) || aud === audience),
  end: (exp, { now }) => isDate(exp) && exp <= 253_402_300_799 && now < exp + skew,
  begin: (nbf, { now }) => nbf === undefined || (isDate(nbf) && nbf <= now + skew),
  issued: (iat, { now }) => iat === undefined || (isDate(iat) && iat <= now + skew),
  kind: ({ claims }) => {
    const says = ["typ", "token_use", "token_type"].flatMap((name) => own(claims, name) ?? [])
    const isOther = ["events", "vp", "vc", "at_hash", "c_hash", "cnf"].some((name) => own(claims, name) !== undefined)
    if (isOther || !says.every((word) => /^(bearer|access)/i.test(textOf(word) ?? ""))) return false
    return says.length > 0 || !own(claims, "nonce") || own(claims, "scope") !== undefined ||
      own(claims, "scp") !== undefined
  },
  subject: (claims) => own(claims, "sub"),
  scopes: (claims) => {
    const scopes = own(claims, "scope") ?? own(claims, "scp") ?? []
    const words: unknown = typeof scopes === "string" ? scopes.split(" ") : scopes
    return Array.isArray(words) && words.every((one) => typeof one === "string")
      ? words.filter((one) => word.test(one))
      : []
  },
  replace: (_known, fetched) => fetched,
  refetch: (sinceMillis) => sinceMillis >= 30_000,
  throws: false
}

const textOf = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const KeySet = Schema.Struct({ keys: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)) })

const unavailable = new ProviderUnavailable({ provider: "hand", detail: "no keys", retryAfter: 10 })

const invalid = new InvalidToken({ provider: "hand", reason: "ValidationFailed", detail: "a step rejected it" })

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const readPart = (steps: Steps, part: string): JsonObject | undefined => {
  const bytes = steps.decode(part)
  const json = bytes === undefined ? undefined : steps.parse(utf8.decode(bytes))
  return isJsonObject(json) ? json : undefined
}

const takeApart = (steps: Steps, token: string): Parsed | undefined => {
  const [head = "", payload = "", ending = "", ...more] = steps.split(token)
  const [header, claims, signature] = [readPart(steps, head), readPart(steps, payload), steps.decode(ending)]
  return more.length > 0 || header === undefined || claims === undefined || signature === undefined
    ? undefined
    : { header, claims, input: `${head}.${payload}`, signature }
}

const mayBeOwn = (verified: unknown): boolean => verified === undefined || verified === true || verified === "true"

const identityOf = (steps: Steps, claims: JsonObject, issuer: string): Identity | undefined => {
  const subject = steps.subject(claims)
  return typeof subject !== "string" || subject === "" ? undefined : {
    subject,
    issuer,
    clientId: textOf(own(claims, "client_id")) ?? textOf(own(claims, "azp")),
    scopes: steps.scopes(claims),
    email: mayBeOwn(own(claims, "email_verified")) ? textOf(own(claims, "email")) : undefined,
    name: textOf(own(claims, "name")),
    provider: "hand",
    // Already checked.
    expiresAt: Number(own(claims, "exp")),
    claims
  }
}

const check = (steps: Steps, { claims, header, input, signature }: Parsed, known: Known): Identity | undefined => {
  const holds = steps.algorithm(header) && steps.header(header) &&
    steps.signature({ claims, header, input, signature }, steps.key(header, known)) &&
    steps.issuer(own(claims, "iss"), known) && steps.audience(own(claims, "aud"), known) &&
    steps.end(own(claims, "exp"), known) && steps.begin(own(claims, "nbf"), known) &&
    steps.issued(own(claims, "iat"), known) && steps.kind({ claims, header, input, signature })
  return holds ? identityOf(steps, claims, known.issuer) : undefined
}

/** The verifier with some of its steps replaced. */
export const handMade = (
  changes: Partial<Steps> = {}
): Layer.Layer<TokenVerifier, never, TestIssuer | HttpClient.HttpClient> => {
  const steps = { ...right, ...changes }
  return Layer.effect(
    TokenVerifier,
    Effect.gen(function*() {
      const { issuer, jwksUri } = yield* TestIssuer
      const client = yield* HttpClient.HttpClient
      let keys: ReadonlyArray<JsonWebKey> = []
      let freshUntil = 0
      let fetchedAt = Number.NEGATIVE_INFINITY

      const fetchKeys = Effect.gen(function*() {
        const response = yield* client.get(jwksUri)
        if (response.status !== 200) return yield* unavailable
        const set = yield* Schema.decodeUnknownEffect(KeySet)(yield* response.json)
        keys = steps.replace(keys, set.keys)
        fetchedAt = yield* Clock.currentTimeMillis
        freshUntil = fetchedAt + 300_000
      }).pipe(Effect.timeout("5 seconds"), Effect.mapError(() => unavailable))

      return TokenVerifier.of({
        verify: Effect.fnUntraced(function*(token): Effect.fn.Return<Identity, VerificationError> {
          const millis = yield* Clock.currentTimeMillis
          const attempt = <A>(step: () => A) =>
            steps.throws ? Effect.sync(step) : Effect.mapError(Effect.try(step), () => invalid)
          const parsed = yield* attempt(() => takeApart(steps, Redacted.value(token)))
          if (parsed === undefined) return yield* invalid
          const isKnown = keys.some(({ kid }) => kid === own(parsed.header, "kid"))
          if (millis >= freshUntil || (!isKnown && steps.refetch(millis - fetchedAt))) yield* fetchKeys
          const known = { issuer, audience: "https://mcp.example/mcp", now: millis / 1000, keys }
          const identity = yield* attempt(() => check(steps, parsed, known))
          return identity === undefined ? yield* invalid : identity
        })
      })
    })
  )
}
