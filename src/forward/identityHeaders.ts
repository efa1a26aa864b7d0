import type { Identity } from "../identity/Identity.ts"
import type { identityFields } from "../identity/identityFields.ts"

const encoder = new TextEncoder()
const plain = /^[A-Za-z0-9._~:/@+|=-]*$/
const isPlain = (byte: number): boolean => plain.test(String.fromCharCode(byte))

/**
 * Encodes any string as a field value: bytes of its UTF-8 form other than `A-Za-z0-9._~:/@+|=-` become `%XX`.
 *
 * `decodeURIComponent` restores the string, except that a lone surrogate becomes U+FFFD.
 */
export const encodeFieldValue = (value: string): string => {
  if (plain.test(value)) return value
  let encoded = ""
  for (const byte of encoder.encode(value)) {
    encoded += isPlain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
  }
  return encoded
}

const encode = (identity: Identity): Record<string, string> => {
  const headers: { [Name in (typeof identityFields)[number]]?: string } = {
    "x-auth-user-id": encodeFieldValue(identity.subject),
    "x-auth-issuer": encodeFieldValue(identity.issuer),
    "x-auth-provider": encodeFieldValue(identity.provider)
  }
  if (identity.principal !== undefined) headers["x-auth-principal"] = identity.principal
  if (identity.clientId !== undefined) headers["x-auth-client-id"] = encodeFieldValue(identity.clientId)
  if (identity.scopes.length > 0) headers["x-auth-scopes"] = identity.scopes.map(encodeFieldValue).join(" ")
  if (identity.email !== undefined) headers["x-auth-email"] = encodeFieldValue(identity.email)
  return headers
}

// All requests with one verified token share one identity object.
const encoded = new WeakMap<Identity, Readonly<Record<string, string>>>()

/**
 * The fields that name the caller to the MCP server.
 *
 * A field is left out if the identity has no value for it. Scopes are encoded one by one and joined by spaces.
 */
export const identityHeaders = (identity: Identity): Readonly<Record<string, string>> => {
  const known = encoded.get(identity)
  if (known !== undefined) return known
  const headers = encode(identity)
  encoded.set(identity, headers)
  return headers
}
