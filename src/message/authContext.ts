/** The caller's data in messages to the MCP server. */
import type { Identity } from "../identity/Identity.ts"

const encoder = new TextEncoder()

// All requests with one verified token share one identity object.
const serialised = new WeakMap<Identity, Uint8Array>()

/**
 * Serialises `{authenticated_user, email, provider}` for `params._authContext` and `result.serverInfo.authInfo`.
 *
 * The result is one line of ASCII for all claims, so that later encodings do not change it. A lone surrogate remains an
 * escape, because replacing it could make two subjects equal.
 */
export const authContext = (identity: Identity): Uint8Array => {
  const known = serialised.get(identity)
  if (known !== undefined) return known
  const json = JSON.stringify({
    authenticated_user: identity.subject,
    email: identity.email ?? null,
    provider: identity.provider
  })
  const bytes = encoder.encode(json.replace(/[^\u0020-\u007e]/g, escape))
  serialised.set(identity, bytes)
  return bytes
}

const escape = (codeUnit: string): string => `\\u${codeUnit.charCodeAt(0).toString(16).padStart(4, "0")}`
