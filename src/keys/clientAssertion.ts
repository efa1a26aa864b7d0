/** Assertions by which a client authenticates (RFC 7523, section 2.2; OpenID Connect Core 1.0, section 9). */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { importPKCS8, SignJWT } from "jose"

/** The key of a client, and how the provider knows it. */
export interface AssertionKey {
  /** PKCS#8, in PEM. */
  readonly clientKey: Redacted.Redacted<string>
  readonly algorithm: "RS256" | "PS256" | "ES256"
  readonly keyId: string | undefined
  readonly certificateThumbprint: string | undefined
}

export interface AssertionClaims {
  readonly clientId: string
  readonly audience: string
  readonly id: string
  /** Seconds since 1970. */
  readonly now: number
}

/** Short, because an assertion is used immediately. */
const lifeSeconds = 60

/** The client's key cannot sign with the configured algorithm. */
export class UnusableClientKey extends Data.TaggedError("UnusableClientKey")<{
  /** For the log. Contains no key material. */
  readonly detail: string
}> {}

export const signAssertion = (
  { algorithm, certificateThumbprint, clientKey, keyId }: AssertionKey,
  { audience, clientId, id, now }: AssertionClaims
): Effect.Effect<Redacted.Redacted<string>, UnusableClientKey> =>
  Effect.tryPromise({
    try: async () => {
      const key = await importPKCS8(Redacted.value(clientKey), algorithm)
      const jwt = await new SignJWT({})
        .setProtectedHeader({
          alg: algorithm,
          typ: "JWT",
          ...(keyId === undefined ? {} : { kid: keyId }),
          ...(certificateThumbprint === undefined ? {} : { "x5t#S256": certificateThumbprint })
        })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(audience)
        .setJti(id)
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + lifeSeconds)
        .sign(key)
      return Redacted.make(jwt)
    },
    // The library's error may quote the key.
    catch: () => new UnusableClientKey({ detail: `client_key cannot be used with ${algorithm}` })
  })
