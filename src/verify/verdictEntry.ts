/**
 * What was found about a token, as an entry of the host's key-value store. Pure.
 *
 * Entry `verdict:<slot>` or `rejection:<slot>`: `{"digest", "until", …}`, the digest that of the token and of the settings it
 * was judged by, never the token; the slot a part of the digest, so that there is a bounded number of entries.
 */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type InvalidToken, invalidTokenReasons } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { SharedKeys } from "../keys/JwksSource.ts"
import { usableDocument } from "../remote/documentStore.ts"
import { isJsonObject, type JsonObject, own } from "../remote/JsonObject.ts"

/** A yes, and how long it may be believed, in milliseconds since 1970. */
export interface Accepted {
  readonly until: number
  readonly identity: Identity
  /** Set where the yes also ends when the issuer no longer publishes these keys. */
  readonly keys: SharedKeys | undefined
}

/** A no, and how long it may be believed, in milliseconds since 1970. */
export interface Refused {
  readonly until: number
  readonly provider: string | undefined
  readonly reason: InvalidToken["reason"]
}

/** Characters of the digest, 6 bits each: 4096 entries of each kind. */
const slotLength = 2

export const verdictEntry = (digest: string): string => `verdict:${digest.slice(0, slotLength)}`
export const rejectionEntry = (digest: string): string => `rejection:${digest.slice(0, slotLength)}`

const encoder = new TextEncoder()

/**
 * The digest that the verdict about a token goes by: SHA-256 in Base64.
 *
 * A verdict belongs to the settings that it was made with; secrets are left out of them here.
 */
export const digestOf = async (
  { clockSkewSeconds, providers }: Pick<GatewaySettings, "clockSkewSeconds" | "providers">,
  token: string
): Promise<string> => {
  const subject = encoder.encode(JSON.stringify([providers, clockSkewSeconds, token]))
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", subject))))
}

/** The text of an entry. */
export const written = (digest: string, verdict: Accepted | Refused): string => JSON.stringify({ ...verdict, digest })

const isText = (value: unknown): value is string => typeof value === "string"
const isTextIfGiven = (value: unknown): value is string | undefined => value === undefined || isText(value)

/** The members of an entry for this digest that has not expired; anyone may have written it. */
const current = (text: string | undefined, digest: string, now: number) => {
  const parsed = text === undefined ? undefined : Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))
  const entry = isJsonObject(parsed) ? parsed : {}
  const until = own(entry, "until")
  return own(entry, "digest") === digest && typeof until === "number" && now < until ? { entry, until } : undefined
}

const isPrincipal = (value: unknown): value is Identity["principal"] =>
  value === undefined || value === "user" || value === "client"

const identityOf = (stored: JsonObject): Identity | undefined => {
  const { claims, clientId, email, expiresAt, issuer, name, principal, provider, scopes, subject } = stored
  return isText(subject) && subject !== "" && isText(issuer) && isText(provider) && isTextIfGiven(clientId) &&
      isTextIfGiven(email) && isTextIfGiven(name) && (expiresAt === undefined || typeof expiresAt === "number") &&
      Array.isArray(scopes) && scopes.every(isText) && isJsonObject(claims) && isPrincipal(principal)
    ? {
      subject,
      ...(principal === undefined ? {} : { principal }),
      clientId,
      issuer,
      scopes,
      email,
      name,
      provider,
      expiresAt,
      claims
    }
    : undefined
}

/** The yes that stands in an entry, if it is about this digest and is still to be believed as far as time goes. */
export const accepted = (text: string | undefined, digest: string, now: number): Accepted | undefined => {
  const found = current(text, digest, now)
  const stored = found && own(found.entry, "identity")
  const identity = isJsonObject(stored) ? identityOf(stored) : undefined
  if (found === undefined || identity === undefined) return undefined
  const keys = own(found.entry, "keys")
  if (!Object.hasOwn(found.entry, "keys")) return { until: found.until, identity, keys: undefined }
  return isJsonObject(keys) && isText(keys["entry"]) && isText(keys["digest"])
    ? { until: found.until, identity, keys: { entry: keys["entry"], digest: keys["digest"] } }
    : undefined
}

/** Says whether the entry of an issuer's keys still has those that a token was verified with, and may be used unasked. */
export const stillPublished = (text: string | undefined, { digest }: SharedKeys, now: number): boolean => {
  const value = text === undefined ? undefined : usableDocument(text, "jwks", now)
  return value !== undefined && own(value, "digest") === digest
}

/** The no that stands in an entry, if it is about this digest and is still to be believed. */
export const refused = (text: string | undefined, digest: string, now: number): Refused | undefined => {
  const found = current(text, digest, now)
  const provider = found && own(found.entry, "provider")
  const reason = invalidTokenReasons.find((known) => found !== undefined && own(found.entry, "reason") === known)
  return found !== undefined && reason !== undefined && isTextIfGiven(provider)
    ? { until: found.until, provider, reason }
    : undefined
}
