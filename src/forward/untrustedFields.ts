/**
 * Request fields that say who calls, from where, or with what method, and that only the gateway may say.
 *
 * Names are compared after folding: lower case, and every character that is neither letter nor digit read as `-`,
 * because servers behind turn `X_Auth_User_Id` and `X-Auth-User-Id` into the same variable.
 */

const identityPrefixes = [
  "x-auth-",
  "x-user-",
  "x-authenticated-",
  "x-remote-",
  "remote-",
  "x-webauth-",
  "x-forwarded-user",
  "x-forwarded-email",
  "x-forwarded-group",
  "x-forwarded-preferred-username",
  "x-forwarded-access-token",
  "x-forwarded-client-cert",
  "x-access-token",
  "x-goog-authenticated-",
  "x-goog-iap-",
  "x-amzn-oidc-",
  "x-ms-client-principal",
  "x-ms-token-",
  "cf-access-",
  "x-client-cert",
  "x-ssl-client",
  "ssl-client",
  "x-consumer-",
  "x-credential-",
  "x-authentik-",
  "x-pomerium-",
  "x-vouch-",
  "x-endpoint-api-",
  "tailscale-user-",
  "impersonate-"
]

const identityNames: ReadonlySet<string> = new Set([
  "x-auth",
  "x-user",
  "x-groups",
  "x-roles",
  "x-email",
  "x-username",
  "x-jwt-assertion",
  "x-id-token",
  "proxy",
  "authorization",
  "proxy-authorization",
  "cookie",
  "cookie2"
])

const methodOverrides: ReadonlySet<string> = new Set([
  "x-http-method-override",
  "x-http-method",
  "x-method-override"
])

const forwardingPrefixes = ["x-forwarded-", "x-original-", "x-envoy-"]

const forwardingNames: ReadonlySet<string> = new Set([
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-rewrite-url",
  "x-host",
  "true-client-ip",
  "cf-connecting-ip"
])

const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/-$/, "")

/** What the gateway knows about a field by its name. */
export interface FieldName {
  /** One spelling for all names that a server behind may take for the same. */
  readonly folded: string
  /** It claims an identity, carries a credential, or overrides the method: never handed on. */
  readonly claimsIdentity: boolean
  /** It describes the way that a request came: handed on only from a trusted proxy. */
  readonly describesRoute: boolean
}

const startsWithOneOf = (prefixes: ReadonlyArray<string>, folded: string): boolean =>
  prefixes.some((prefix) => folded.startsWith(prefix))

const judge = (name: string): FieldName => {
  const folded = fold(name)
  return {
    folded,
    claimsIdentity: identityNames.has(folded) || methodOverrides.has(folded) ||
      startsWithOneOf(identityPrefixes, folded) || identityPrefixes.includes(`${folded}-`),
    describesRoute: forwardingNames.has(folded) || startsWithOneOf(forwardingPrefixes, folded)
  }
}

// Nearly all requests have the same few names. Clients can invent others, so no more than these are remembered.
const maxRemembered = 500
const remembered = new Map<string, FieldName>()

/** Judges a field by its name. */
export const fieldName = (name: string): FieldName => {
  const known = remembered.get(name)
  if (known !== undefined) return known
  const judged = judge(name)
  if (remembered.size < maxRemembered && name.length <= 64) remembered.set(name, judged)
  return judged
}
