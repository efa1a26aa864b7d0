/**
 * Request fields that claim an identity, a client address or a method, which only the gateway or its platform may set.
 *
 * Names are compared after folding: lower case, and every character that is neither a letter nor a digit as `-`,
 * because MCP servers turn `X_Auth_User_Id` and `X-Auth-User-Id` into the same variable.
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
  "x-amzn-mtls-",
  "x-ms-client-principal",
  "x-ms-token-",
  "cf-access-",
  "x-client-cert",
  // RFC 9440
  "client-cert",
  "x-ssl-client",
  "ssl-client",
  "x-consumer-",
  "x-credential-",
  "x-authentik-",
  "x-pomerium-",
  "x-vouch-",
  "x-endpoint-api-",
  "x-jwt-",
  "x-userinfo",
  "x-userid",
  "x-anonymous-consumer",
  "oidc-",
  "mellon-",
  "sm-user",
  "teleport-",
  "tailscale-user-",
  "impersonate-"
]

/**
 * Fields in which a platform describes the request to the program that it runs: the route, the client's address, the
 * function's context. Programs read the first value, so a client's own value must not be forwarded.
 *
 * Sources: Spin (HTTP trigger, additional request information); App Engine (request headers); Azure App Service (ARR);
 * AWS Lambda Web Adapter; Dapr (service invocation).
 */
const platformPrefixes = ["spin-", "x-appengine-", "x-arr-", "x-amzn-request-context", "x-amzn-lambda-context", "dapr-"]

const identityNames: ReadonlySet<string> = new Set([
  "x-auth",
  "x-user",
  "x-groups",
  "x-roles",
  "x-email",
  "x-username",
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

// Set by proxies, and by platforms at the network edge.
const forwardingPrefixes = [
  "x-forwarded-",
  "x-original-",
  "x-envoy-",
  "cf-",
  "fly-",
  "fastly-",
  "cloudfront-",
  "x-vercel-",
  "x-azure-",
  "x-nf-",
  "x-appservice-",
  "x-scheme",
  "x-url-scheme",
  "x-script-name"
]

const forwardingNames: ReadonlySet<string> = new Set([
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-rewrite-url",
  "x-host",
  "true-client-ip",
  "do-connecting-ip",
  "wl-proxy-client-ip",
  "proxy-client-ip",
  "front-end-https",
  "script-name",
  "path-info"
])

const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/-$/, "")

export interface FieldName {
  /** The folded name, which is the same for all names that an MCP server may treat as the same. */
  readonly folded: string
  /**
   * Whether the field claims an identity, carries a credential, overrides the method, or comes from a platform. Such
   * fields are never forwarded.
   */
  readonly claimsIdentity: boolean
  /**
   * Whether the field describes the route of a request through proxies. Such fields are forwarded only from a trusted
   * proxy.
   */
  readonly describesRoute: boolean
}

const startsWithOneOf = (prefixes: ReadonlyArray<string>, folded: string): boolean =>
  prefixes.some((prefix) => folded.startsWith(prefix))

const classify = (name: string): FieldName => {
  const folded = fold(name)
  return {
    folded,
    claimsIdentity: identityNames.has(folded) || methodOverrides.has(folded) ||
      startsWithOneOf(identityPrefixes, folded) || identityPrefixes.includes(`${folded}-`) ||
      startsWithOneOf(platformPrefixes, folded),
    describesRoute: forwardingNames.has(folded) || startsWithOneOf(forwardingPrefixes, folded)
  }
}

// Most requests have the same few names, but clients can invent others, so the size of the cache is limited.
const maxRemembered = 500
const remembered = new Map<string, FieldName>()

export const fieldName = (name: string): FieldName => {
  const known = remembered.get(name)
  if (known !== undefined) return known
  const classified = classify(name)
  if (remembered.size < maxRemembered && name.length <= 64) remembered.set(name, classified)
  return classified
}
