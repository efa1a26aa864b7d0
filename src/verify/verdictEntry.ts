/**
 * The verdict about a token as an entry of the host's key-value store. Pure.
 *
 * Entry `verdict:<slot>` or `rejection:<slot>`: `{"digest", "until", …}`. The digest is computed from the token and the
 * settings that verified it; the token itself is never stored. The slot is a part of the digest, which limits the
 * number of entries.
 */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type InvalidToken, invalidTokenReasons } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { SharedKeys } from "../keys/JwksSource.ts"
import { usableDocument } from "../remote/documentStore.ts"
import { isJsonObject, type JsonObject, own } from "../remote/JsonObject.ts"

/** An accepted token, and how long the verdict is valid, in milliseconds since 1970. */
export interface Accepted {
  readonly until: number
  readonly identity: Identity
  /** If set, the verdict also ends when the issuer no longer publishes these keys. */
  readonly keys: SharedKeys | undefined
  /**
   * When the provider was requested, and when it should be requested again in the background. Only replicas share these
   * times.
   */
  readonly madeAt?: number | undefined
  readonly renewFrom?: number | undefined
}

/** A rejection, and how long it is valid, in milliseconds since 1970. */
export interface Rejected {
  readonly until: number
  readonly provider: string | undefined
  readonly reason: InvalidToken["reason"]
}

/** How many characters of the digest name the slot. A character is 6 bits, so there are 4096 entries of each kind. */
const slotLength = 2

export const verdictEntry = (digest: string): string => `verdict:${digest.slice(0, slotLength)}`
export const rejectionEntry = (digest: string): string => `rejection:${digest.slice(0, slotLength)}`

/** The name of an entry with either kind of verdict, in a store whose entries expire. */
export const replicaEntry = (digest: string): string => `verdict:${digest}`

const encoder = new TextEncoder()

/**
 * Returns the digest under which the verdict about a token is stored: SHA-256 in Base64.
 *
 * The settings are part of it, because a verdict must not be used with other settings. Secrets are not part of it.
 */
export const digestOf = async (
  { clockSkewSeconds, providers }: Pick<GatewaySettings, "clockSkewSeconds" | "providers">,
  token: string
): Promise<string> => {
  const subject = encoder.encode(JSON.stringify([providers, clockSkewSeconds, token]))
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", subject))))
}

export const written = (digest: string, verdict: Accepted | Rejected): string => JSON.stringify({ ...verdict, digest })

const isText = (value: unknown): value is string => typeof value === "string"
const isTextIfGiven = (value: unknown): value is string | undefined => value === undefined || isText(value)

/**
 * Reads the members of an entry, if it is for this digest and has not expired. The content is not trusted: others can
 * write to the store.
 */
const current = (text: string | undefined, digest: string, now: number) => {
  const parsed = text === undefined ? undefined : Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))
  const entry = isJsonObject(parsed) ? parsed : {}
  const until = own(entry, "until")
  return own(entry, "digest") === digest && typeof until === "number" && now < until ? { entry, until } : undefined
}

const isPrincipal = (value: unknown): value is Identity["principal"] =>
  value === undefined || value === "user" || value === "client"

const isGroups = (value: unknown): value is Identity["groups"] =>
  value === undefined || (Array.isArray(value) && value.every(isText))

const isIncomplete = (value: unknown): value is Identity["incomplete"] =>
  value === undefined || (Array.isArray(value) && value.every((part) => part === "claims" || part === "groups"))

const isBooleanIfGiven = (value: unknown): value is boolean | undefined =>
  value === undefined || typeof value === "boolean"

const identityOf = (stored: JsonObject): Identity | undefined => {
  const { claims, clientId, email, expiresAt, issuer, name, principal, provider, scopes, subject } = stored
  const { emailVerified, groups, incomplete } = stored
  return isText(subject) && subject !== "" && isText(issuer) && isText(provider) && isTextIfGiven(clientId) &&
      isTextIfGiven(email) && isTextIfGiven(name) && (expiresAt === undefined || typeof expiresAt === "number") &&
      Array.isArray(scopes) && scopes.every(isText) && isJsonObject(claims) && isPrincipal(principal) &&
      isGroups(groups) && isIncomplete(incomplete) && isBooleanIfGiven(emailVerified)
    ? {
      subject,
      ...(principal === undefined ? {} : { principal }),
      clientId,
      issuer,
      scopes,
      email,
      ...(emailVerified === undefined ? {} : { emailVerified }),
      name,
      provider,
      expiresAt,
      ...(groups === undefined ? {} : { groups }),
      ...(incomplete === undefined ? {} : { incomplete }),
      claims
    }
    : undefined
}

const timeIn = (entry: JsonObject, name: string): number | undefined => {
  const time = own(entry, name)
  return typeof time === "number" ? time : undefined
}

/** Reads an entry with an accepted token, if it is for this digest and has not expired. */
export const accepted = (text: string | undefined, digest: string, now: number): Accepted | undefined => {
  const found = current(text, digest, now)
  const stored = found && own(found.entry, "identity")
  const identity = isJsonObject(stored) ? identityOf(stored) : undefined
  if (found === undefined || identity === undefined) return undefined
  const keys = own(found.entry, "keys")
  if (!Object.hasOwn(found.entry, "keys")) {
    return {
      until: found.until,
      identity,
      keys: undefined,
      madeAt: timeIn(found.entry, "madeAt"),
      renewFrom: timeIn(found.entry, "renewFrom")
    }
  }
  return isJsonObject(keys) && isText(keys["entry"]) && isText(keys["digest"])
    ? { until: found.until, identity, keys: { entry: keys["entry"], digest: keys["digest"] } }
    : undefined
}

/**
 * Returns whether the stored keys of an issuer still contain the key that verified a token, and are fresh enough to be
 * used without a fetch.
 */
export const stillPublished = (text: string | undefined, { digest }: SharedKeys, now: number): boolean => {
  const value = text === undefined ? undefined : usableDocument(text, "jwks", now)
  return value !== undefined && own(value, "digest") === digest
}

/** Reads an entry with a rejection, if it is for this digest and has not expired. */
export const rejected = (text: string | undefined, digest: string, now: number): Rejected | undefined => {
  const found = current(text, digest, now)
  const provider = found && own(found.entry, "provider")
  const reason = invalidTokenReasons.find((known) => found !== undefined && own(found.entry, "reason") === known)
  return found !== undefined && reason !== undefined && isTextIfGiven(provider)
    ? { until: found.until, provider, reason }
    : undefined
}
