import type { ForwardedClaim } from "../config/kinds/forwardClaims.ts"
import { claimsAt } from "../identity/claimPath.ts"
import type { Identity } from "../identity/Identity.ts"
import { encodeFieldValue } from "./identityHeaders.ts"

/**
 * The maximum length of one field, and of all fields of one caller together, in characters. Servers accept some 8 KiB.
 */
const maxField = 4_096
const maxTotal = 8_192

/**
 * Converts a string, number or boolean to text. Objects have no textual form that all servers would read in the same
 * way.
 */
const scalar = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
    ? String(value)
    : undefined

/** The value of a field: values are encoded and joined by spaces. `undefined` if one of them has no textual form. */
const fieldValue = (values: ReadonlyArray<unknown>): string | undefined => {
  const texts = values.flat().filter((value) => value !== undefined && value !== null && value !== "").map(scalar)
  return texts.length === 0 || texts.includes(undefined)
    ? undefined
    : texts.map((text) => encodeFieldValue(text ?? "")).join(" ")
}

/**
 * Builds the fields of `forward_claims`. A value that is too long is left out entirely: half a list would be
 * misleading.
 */
const encode = (claims: ReadonlyArray<ForwardedClaim>, identity: Identity): Readonly<Record<string, string>> => {
  const fields: Record<string, string> = {}
  let total = 0
  for (const { claim, field } of claims) {
    const value = fieldValue(claimsAt(identity.claims, claim))
    if (value === undefined || value.length > maxField || total + value.length > maxTotal) continue
    total += value.length
    fields[field] = value
  }
  return fields
}

const nothing: Readonly<Record<string, string>> = {}

/**
 * Builds the function that returns the fields with claims of a caller (`MCP_FORWARD_CLAIMS`).
 *
 * A field is left out if the caller has no such claim, or if its value is an object or longer than 4,096 characters.
 * Values are encoded as those of the identity fields; the values of a list are joined by spaces.
 */
export const makeClaimHeaders = (
  claims: ReadonlyArray<ForwardedClaim>
): (identity: Identity) => Readonly<Record<string, string>> => {
  if (claims.length === 0) return () => nothing
  // All requests with one verified token share one identity object.
  const encoded = new WeakMap<Identity, Readonly<Record<string, string>>>()
  return (identity) => {
    const known = encoded.get(identity)
    if (known !== undefined) return known
    const fields = encode(claims, identity)
    encoded.set(identity, fields)
    return fields
  }
}
