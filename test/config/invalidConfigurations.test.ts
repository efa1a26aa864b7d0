import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { resolveSources } from "../../src/config/resolve.ts"
import { settingNames, settings } from "../../src/config/settings.ts"
import { ed25519Pem } from "../upstream/keys.ts"
import { complete, problemsOf, rejectionOf, settingsOf } from "./resolving.ts"

const secret = "c4n4ry-s3cret-0123456789"

type Variables = Readonly<Record<string, string>>

/** A setting that must be named, the variables that it is in, and the same with one thing fixed. */
type Case = readonly [title: string, setting: string, spoilt: Variables, fixed: Variables]

const oidc = (spoilt: Variables, fixed: Variables): readonly [Variables, Variables] => [
  { ...complete, ...spoilt },
  { ...complete, ...fixed }
]

const statics = (spoilt: string, fixed: string): readonly [Variables, Variables] => [
  { MCP_STATIC_TOKENS: spoilt },
  { MCP_STATIC_TOKENS: fixed }
]

const several = (spoilt: ReadonlyArray<unknown>, fixed: ReadonlyArray<unknown>): readonly [Variables, Variables] => [
  { MCP_PROVIDERS: JSON.stringify(spoilt) },
  { MCP_PROVIDERS: JSON.stringify(fixed) }
]

const issuer = "https://issuer.example"
const other = "https://other.example"
const opaque = { type: "userinfo", issuer: "https://opaque.example" }
const fixed = { type: "static", tokens: `${secret}:c:s:` }
const asking = {
  type: "introspection",
  issuer: "https://asked.example",
  introspection_endpoint: "https://asked.example/introspect",
  client_id: "gateway",
  client_secret: secret
}

const introspecting = {
  MCP_PROVIDER_TYPE: "introspection",
  MCP_JWT_ISSUER: issuer,
  MCP_INTROSPECTION_URL: "https://issuer.example/introspect"
}

/** TLS settings for an MCP server without TLS. */
const plainUpstream = (name: string, value: string): Case => {
  const pair = { MCP_UPSTREAM_CLIENT_CERT_FILE: "/run/cert.pem", MCP_UPSTREAM_CLIENT_KEY_FILE: "/run/key.pem" }
  const [spoilt, fixed] = oidc(
    { MCP_SERVER_URL: "http://127.0.0.1:8080/mcp", [name]: value },
    { MCP_SERVER_URL: "https://127.0.0.1:8080/mcp", ...pair, [name]: value }
  )
  return ["TLS for an MCP server without it", name, spoilt, fixed]
}

const cases: ReadonlyArray<Case> = [
  ["CFG-01 no provider", "MCP_PROVIDERS", {}, complete],
  ["CFG-01 an empty list of providers", "MCP_PROVIDERS", ...several([], [{ issuer }])],
  ["CFG-01 only an audience", "MCP_PROVIDERS", { MCP_JWT_AUDIENCE: "a" }, complete],
  ["CFG-01 no issuer", "MCP_JWT_ISSUER", { MCP_PROVIDER_TYPE: "oidc" }, { MCP_PROVIDER_TYPE: "oidc", ...complete }],
  [
    "CFG-01 no issuer, though there are keys",
    "MCP_JWT_ISSUER",
    { MCP_JWT_JWKS_URI: "https://issuer.example/jwks" },
    { ...complete, MCP_JWT_JWKS_URI: "https://issuer.example/jwks" }
  ],
  [
    "CFG-01 an http issuer",
    "MCP_JWT_ISSUER",
    ...oidc({ MCP_JWT_ISSUER: "http://issuer.example" }, { MCP_JWT_ISSUER: "http://127.0.0.1:8080" })
  ],
  [
    "CFG-01 an http issuer whose name begins like a loopback address",
    "MCP_JWT_ISSUER",
    ...oidc({ MCP_JWT_ISSUER: "http://127.0.0.1.evil.example" }, { MCP_JWT_ISSUER: "http://localhost:1" })
  ],
  [
    "an issuer that is no URL, without keys",
    "MCP_JWT_ISSUER",
    { MCP_JWT_ISSUER: "my-issuer" },
    { MCP_JWT_ISSUER: "my-issuer", MCP_JWT_JWKS_URI: "https://issuer.example/jwks" }
  ],
  [
    "credentials in a provider's URL",
    "MCP_JWT_JWKS_URI",
    ...oidc(
      { MCP_JWT_JWKS_URI: `https://user:${secret}@issuer.example/jwks` },
      { MCP_JWT_JWKS_URI: "https://issuer.example/jwks?x=a@b" }
    )
  ],
  [
    "a fragment in a provider's URL",
    "MCP_OAUTH_TOKEN_ENDPOINT",
    ...oidc({ MCP_OAUTH_TOKEN_ENDPOINT: "https://issuer.example/t#" }, {
      MCP_OAUTH_TOKEN_ENDPOINT: "https://issuer.example/t"
    })
  ],
  [
    "a query in an issuer",
    "MCP_JWT_ISSUER",
    ...oidc({ MCP_JWT_ISSUER: "https://issuer.example?a=b" }, { MCP_JWT_ISSUER: "https://issuer.example/a" })
  ],
  [
    "an http key set",
    "MCP_JWT_JWKS_URI",
    ...oidc({ MCP_JWT_JWKS_URI: "http://issuer.example/jwks" }, { MCP_JWT_JWKS_URI: "http://[::1]:9/jwks" })
  ],
  [
    "metadata in plain text",
    "MCP_DISCOVERY_URL",
    ...oidc({ MCP_DISCOVERY_URL: "http://idp.example/d" }, { MCP_DISCOVERY_URL: "https://idp.example/d" })
  ],
  [
    "an address for several tenants in place of one",
    "MCP_JWT_TENANTS",
    ...oidc(
      { MCP_JWT_ISSUER: "https://idp.example/{tenantid}", MCP_JWT_TENANTS: "common" },
      { MCP_JWT_ISSUER: "https://idp.example/{tenantid}", MCP_JWT_TENANTS: "a,b" }
    )
  ],
  [
    "a facade that is no object",
    "MCP_FACADE",
    ...oidc({ MCP_FACADE: `["${secret}"]` }, {
      MCP_FACADE: JSON.stringify({ client_id: "c", redirect_uris: "https://client.example/cb" }),
      MCP_PUBLIC_URL: "https://gateway.example",
      MCP_SESSION_KEY: "k".repeat(32)
    })
  ],
  [
    "a word in place of a truth value",
    "MCP_ASSUME_PKCE",
    ...oidc({ MCP_ASSUME_PKCE: "S256" }, { MCP_ASSUME_PKCE: "false" })
  ],
  [
    "another scheme",
    "MCP_JWT_JWKS_URI",
    ...oidc({ MCP_JWT_JWKS_URI: "file:///etc/passwd" }, { MCP_JWT_JWKS_URI: "issuer.example/jwks" })
  ],
  [
    "a host outside the allowed domains",
    "MCP_JWT_JWKS_URI",
    ...oidc(
      { MCP_PROVIDER_HOSTS: "issuer.example", MCP_JWT_JWKS_URI: "https://keys.issuer.example/jwks" },
      { MCP_PROVIDER_HOSTS: "issuer.example,*.issuer.example", MCP_JWT_JWKS_URI: "https://keys.issuer.example/jwks" }
    )
  ],
  [
    "an allowed domain with a scheme",
    "MCP_PROVIDER_HOSTS",
    ...oidc({ MCP_PROVIDER_HOSTS: "https://issuer.example" }, { MCP_PROVIDER_HOSTS: "issuer.example" })
  ],
  [
    "everything as an allowed domain",
    "MCP_PROVIDER_HOSTS",
    ...oidc({ MCP_PROVIDER_HOSTS: "*" }, { MCP_PROVIDER_HOSTS: "*.example" })
  ],
  [
    "any client by a wildcard",
    "MCP_ALLOWED_CLIENTS",
    ...oidc({ MCP_ALLOWED_CLIENTS: "desktop,*" }, { MCP_ALLOWED_CLIENTS: "desktop" })
  ],
  [
    "CFG-01 a wildcard audience",
    "MCP_JWT_AUDIENCE",
    ...oidc({ MCP_JWT_AUDIENCE: "a,*" }, { MCP_JWT_AUDIENCE: "a,b" })
  ],
  [
    "CFG-01 an audience of nothing",
    "MCP_JWT_AUDIENCE",
    ...oidc({ MCP_JWT_AUDIENCE: " , " }, { MCP_JWT_AUDIENCE: ",a" })
  ],
  [
    "the audience auto without a public URL",
    "MCP_JWT_AUDIENCE",
    ...oidc({ MCP_JWT_AUDIENCE: "auto" }, { MCP_JWT_AUDIENCE: "auto", MCP_PUBLIC_URL: "https://mcp.example.com" })
  ],
  ["JOSE-06 no algorithm", "MCP_JWT_ALGORITHM", ...oidc({ MCP_JWT_ALGORITHM: "," }, { MCP_JWT_ALGORITHM: "RS256," })],
  [
    "JOSE-06 alg none",
    "MCP_JWT_ALGORITHM",
    ...oidc({ MCP_JWT_ALGORITHM: "RS256,none" }, { MCP_JWT_ALGORITHM: "ES256" })
  ],
  [
    "JOSE-06 HMAC",
    "MCP_JWT_ALGORITHM",
    ...oidc({ MCP_JWT_ALGORITHM: "HS256" }, { MCP_JWT_ALGORITHM: "PS256,EdDSA" })
  ],
  ["JOSE-06 every algorithm", "MCP_JWT_ALGORITHM", ...oidc({ MCP_JWT_ALGORITHM: "*" }, {})],
  ["JOSE-06 an algorithm in lower case", "MCP_JWT_ALGORITHM", ...oidc({ MCP_JWT_ALGORITHM: "rs256" }, {})],
  ["a scope with a quotation mark", "MCP_REQUIRED_SCOPES", ...oidc({ MCP_REQUIRED_SCOPES: "a\"b" }, {})],
  ["scopes of nothing", "MCP_REQUIRED_SCOPES", ...oidc({ MCP_REQUIRED_SCOPES: "," }, { MCP_REQUIRED_SCOPES: "a," })],
  ["an unknown type", "MCP_PROVIDER_TYPE", ...oidc({ MCP_PROVIDER_TYPE: "saml" }, { MCP_PROVIDER_TYPE: "JWT" })],
  ["STK-02 static without tokens", "MCP_STATIC_TOKENS", { MCP_PROVIDER_TYPE: "static" }, {
    MCP_STATIC_TOKENS: "t:c:s:"
  }],
  ["STK-02 an empty token", "MCP_STATIC_TOKENS", ...statics(":c:s:read", "t:c:s:read")],
  ["STK-02 nothing but separators", "MCP_STATIC_TOKENS", ...statics(";;", ";t:c:s:;")],
  ["STK-02 the word undefined", "MCP_STATIC_TOKENS", ...statics("undefined:c:s:", "undefined1:c:s:")],
  ["STK-02 the word null", "MCP_STATIC_TOKENS", ...statics("null:c:s:", "nulL:c:s:")],
  ["a static token without client", "MCP_STATIC_TOKENS", ...statics(`${secret}::s:read`, `${secret}:c:s:read`)],
  ["a static token without subject", "MCP_STATIC_TOKENS", ...statics(`${secret}:c: :read`, `${secret}:c:s:read`)],
  ["a static token with three fields", "MCP_STATIC_TOKENS", ...statics(`${secret}:c:s`, `${secret}:c:s:`)],
  [
    "a repeated static token",
    "MCP_STATIC_TOKENS",
    ...statics(`${secret}:c:s:;${secret}:d:u:`, `${secret}:c:s:;x:d:u:`)
  ],
  ["STK-06 a token that cannot be sent", "MCP_STATIC_TOKENS", ...statics(`${secret} x:c:s:`, `${secret}x:c:s:`)],
  [
    "a mistyped expiry",
    "MCP_STATIC_TOKENS",
    ...statics(`${secret}:c:s:read:2030-01-01`, `${secret}:c:s:read:1893456000`)
  ],
  [
    "an expiry in milliseconds",
    "MCP_STATIC_TOKENS",
    ...statics(`${secret}:c:s:read:1893456000000`, `${secret}:c:s:read:1893456000`)
  ],
  [
    "a scope that cannot be",
    "MCP_STATIC_TOKENS",
    ...statics(`${secret}:c:s:a\\b`, `${secret}:c:s:a/b`)
  ],
  ["broken JSON in static tokens", "MCP_STATIC_TOKENS", ...statics(`[{"token":"${secret}"`, `${secret}:c:s:`)],
  [
    "static tokens for a provider of JWTs",
    "MCP_STATIC_TOKENS",
    { ...complete, MCP_STATIC_TOKENS: `${secret}:c:s:` },
    { MCP_STATIC_TOKENS: `${secret}:c:s:` }
  ],
  [
    "a client secret for a provider of JWTs",
    "MCP_CLIENT_SECRET",
    ...oidc({ MCP_CLIENT_SECRET: secret }, {})
  ],
  [
    "an unknown way to authenticate",
    "MCP_CLIENT_AUTH",
    { ...introspecting, MCP_CLIENT_ID: "c", MCP_CLIENT_SECRET: secret, MCP_CLIENT_AUTH: "private_key_jwt" },
    { ...introspecting, MCP_CLIENT_ID: "c", MCP_CLIENT_SECRET: secret, MCP_CLIENT_AUTH: "post" }
  ],
  [
    "introspection by a form without a client id",
    "MCP_CLIENT_ID",
    { ...introspecting, MCP_CLIENT_SECRET: secret, MCP_CLIENT_AUTH: "post" },
    { ...introspecting, MCP_CLIENT_ID: "c", MCP_CLIENT_SECRET: secret, MCP_CLIENT_AUTH: "post" }
  ],
  [
    "introspection by a bearer token that is missing",
    "MCP_CLIENT_SECRET",
    { ...introspecting, MCP_CLIENT_AUTH: "bearer" },
    { ...introspecting, MCP_CLIENT_SECRET: secret, MCP_CLIENT_AUTH: "bearer" }
  ],
  [
    "introspection by a bearer token, with a client id",
    "MCP_CLIENT_ID",
    { ...introspecting, MCP_CLIENT_ID: "c", MCP_CLIENT_SECRET: secret, MCP_CLIENT_AUTH: "bearer" },
    { ...introspecting, MCP_CLIENT_SECRET: secret, MCP_CLIENT_AUTH: "bearer" }
  ],
  [
    "introspection without credentials, with a secret",
    "MCP_CLIENT_SECRET",
    { ...introspecting, MCP_CLIENT_SECRET: secret, MCP_CLIENT_AUTH: "none" },
    { ...introspecting, MCP_CLIENT_AUTH: "none" }
  ],
  [
    "MCP_ALLOW_HTTP with a URL",
    "MCP_ALLOW_HTTP",
    ...oidc({ MCP_ALLOW_HTTP: "http://keycloak:8080" }, { MCP_ALLOW_HTTP: "keycloak" })
  ],
  [
    "MCP_ALLOW_HTTP with a wildcard",
    "MCP_ALLOW_HTTP",
    ...oidc({ MCP_ALLOW_HTTP: "*.svc.cluster.local" }, { MCP_ALLOW_HTTP: "keycloak.auth.svc.cluster.local" })
  ],
  [
    "MCP_ALLOW_HTTP true",
    "MCP_ALLOW_HTTP",
    ...oidc({ MCP_ALLOW_HTTP: "*" }, { MCP_ALLOW_HTTP: "10.0.0.7,[fd00::7]" })
  ],
  [
    "http to a host other than the named one",
    "MCP_JWT_ISSUER",
    { ...complete, MCP_ALLOW_HTTP: "keycloak", MCP_JWT_ISSUER: "http://keycloak.evil.example/realms/mcp" },
    { ...complete, MCP_ALLOW_HTTP: "keycloak", MCP_JWT_ISSUER: "http://keycloak:8080/realms/mcp" }
  ],
  [
    "http that one provider is allowed, at another",
    "MCP_PROVIDERS[1].issuer",
    ...several(
      [{ issuer, jwks_uri: "http://keycloak/jwks", allow_http: "keycloak" }, { ...opaque, issuer: "http://keycloak" }],
      [{ issuer, jwks_uri: "http://keycloak/jwks", allow_http: "keycloak" }, opaque]
    )
  ],
  [
    "introspection without secret",
    "MCP_CLIENT_SECRET",
    {
      MCP_PROVIDER_TYPE: "introspection",
      MCP_JWT_ISSUER: issuer,
      MCP_INTROSPECTION_URL: "https://issuer.example/introspect",
      MCP_CLIENT_ID: "gateway"
    },
    {
      MCP_PROVIDER_TYPE: "introspection",
      MCP_JWT_ISSUER: issuer,
      MCP_INTROSPECTION_URL: "https://issuer.example/introspect",
      MCP_CLIENT_ID: "gateway",
      MCP_CLIENT_SECRET: secret
    }
  ],
  ["CFG-01 an unclear boolean", "MCP_AUTH_ENABLED", ...oidc({ MCP_AUTH_ENABLED: "nope" }, { MCP_AUTH_ENABLED: "No" })],
  ["CFG-01 an unclear boolean", "MCP_FORWARD_AUTHORIZATION", ...oidc({ MCP_FORWARD_AUTHORIZATION: "2" }, {})],
  [
    "CFG-01 an unclear boolean",
    "MCP_STORE_VERDICTS",
    ...oidc({ MCP_STORE_VERDICTS: "never" }, { MCP_STORE_VERDICTS: "0" })
  ],
  ["CACHE-09 too much skew", "MCP_CLOCK_SKEW", ...oidc({ MCP_CLOCK_SKEW: "301" }, { MCP_CLOCK_SKEW: "300" })],
  ["CACHE-09 negative skew", "MCP_CLOCK_SKEW", ...oidc({ MCP_CLOCK_SKEW: "-1" }, { MCP_CLOCK_SKEW: "0" })],
  ["CACHE-09 skew that is no number", "MCP_CLOCK_SKEW", ...oidc({ MCP_CLOCK_SKEW: "NaN" }, {})],
  ["CACHE-09 endless skew", "MCP_CLOCK_SKEW", ...oidc({ MCP_CLOCK_SKEW: "Infinity" }, {})],
  ["CACHE-09 skew in another notation", "MCP_CLOCK_SKEW", ...oidc({ MCP_CLOCK_SKEW: "1e1" }, { MCP_CLOCK_SKEW: "10" })],
  ["a port out of range", "PORT", ...oidc({ PORT: "65536" }, { PORT: "0" })],
  ["an unclear wish to watch", "MCP_CONFIG_WATCH", ...oidc({ MCP_CONFIG_WATCH: "5s" }, { MCP_CONFIG_WATCH: "yes" })],
  ["no workers", "MCP_WORKERS", ...oidc({ MCP_WORKERS: "0" }, { MCP_WORKERS: "auto" })],
  [
    "a session key that could be guessed",
    "MCP_SESSION_KEY",
    ...oidc({ MCP_SESSION_KEY: "short" }, { MCP_SESSION_KEY: "x".repeat(32) })
  ],
  [
    "three session keys",
    "MCP_SESSION_KEY",
    ...oidc(
      { MCP_SESSION_KEY: ["a", "b", "c"].map((letter) => letter.repeat(32)).join(",") },
      { MCP_SESSION_KEY: ["a", "b"].map((letter) => letter.repeat(32)).join(",") }
    )
  ],
  [
    "no time for a response",
    "MCP_RESPONSE_TIMEOUT",
    ...oidc({ MCP_RESPONSE_TIMEOUT: "0" }, { MCP_RESPONSE_TIMEOUT: "1" })
  ],
  ["no timeout", "MCP_UPSTREAM_TIMEOUT", ...oidc({ MCP_UPSTREAM_TIMEOUT: "0" }, { MCP_UPSTREAM_TIMEOUT: "1" })],
  [
    "no time for a head",
    "MCP_CLIENT_HEAD_TIMEOUT",
    ...oidc({ MCP_CLIENT_HEAD_TIMEOUT: "0" }, { MCP_CLIENT_HEAD_TIMEOUT: "1" })
  ],
  [
    "no time for a message",
    "MCP_CLIENT_BODY_TIMEOUT",
    ...oidc({ MCP_CLIENT_BODY_TIMEOUT: "0" }, { MCP_CLIENT_BODY_TIMEOUT: "1" })
  ],
  [
    "no time between requests",
    "MCP_CLIENT_IDLE_TIMEOUT",
    ...oidc({ MCP_CLIENT_IDLE_TIMEOUT: "0" }, { MCP_CLIENT_IDLE_TIMEOUT: "1" })
  ],
  ["a negative rate", "MCP_CLIENT_MIN_RATE", ...oidc({ MCP_CLIENT_MIN_RATE: "-1" }, { MCP_CLIENT_MIN_RATE: "0" })],
  ["no room for requests", "MCP_MAX_WAITING", ...oidc({ MCP_MAX_WAITING: "0" }, { MCP_MAX_WAITING: "1" })],
  [
    "an idle time of more than an hour",
    "MCP_UPSTREAM_IDLE_TIMEOUT",
    ...oidc({ MCP_UPSTREAM_IDLE_TIMEOUT: "3601" }, { MCP_UPSTREAM_IDLE_TIMEOUT: "0" })
  ],
  [
    "fewer connections than one client opens",
    "MCP_MAX_CLIENT_CONNECTIONS",
    ...oidc({ MCP_MAX_CLIENT_CONNECTIONS: "15" }, { MCP_MAX_CLIENT_CONNECTIONS: "16" })
  ],
  [
    "no connection",
    "MCP_MAX_UPSTREAM_CONNECTIONS",
    ...oidc({ MCP_MAX_UPSTREAM_CONNECTIONS: "0" }, { MCP_MAX_UPSTREAM_CONNECTIONS: "64" })
  ],
  ["a negative number of streams", "MCP_MAX_STREAMS", ...oidc({ MCP_MAX_STREAMS: "-1" }, { MCP_MAX_STREAMS: "64" })],
  [
    "no room for bodies",
    "MCP_MAX_BUFFERED_BYTES",
    ...oidc({ MCP_MAX_BUFFERED_BYTES: "1" }, { MCP_MAX_BUFFERED_BYTES: "67108864" })
  ],
  ["a unit", "MCP_SHUTDOWN_DELAY", ...oidc({ MCP_SHUTDOWN_DELAY: "5s" }, { MCP_SHUTDOWN_DELAY: "5" })],
  ["a unit", "MCP_SHUTDOWN_TIMEOUT", ...oidc({ MCP_SHUTDOWN_TIMEOUT: "10s" }, { MCP_SHUTDOWN_TIMEOUT: "10" })],
  ["no room for a token", "MCP_MAX_TOKEN_BYTES", ...oidc({ MCP_MAX_TOKEN_BYTES: "0" }, { MCP_MAX_TOKEN_BYTES: "256" })],
  [
    "an address without a domain",
    "MCP_ALLOWED_EMAILS",
    ...oidc({ MCP_ALLOWED_EMAILS: "ann" }, { MCP_ALLOWED_EMAILS: "ann@example.com, Bob@Bücher.example" })
  ],
  [
    "an address where a domain belongs",
    "MCP_ALLOWED_EMAIL_DOMAINS",
    ...oidc({ MCP_ALLOWED_EMAIL_DOMAINS: "@example.com" }, {
      MCP_ALLOWED_EMAIL_DOMAINS: "example.com, *.bücher.example"
    })
  ],
  [
    "every subject",
    "MCP_ALLOWED_SUBJECTS",
    ...oidc({ MCP_ALLOWED_SUBJECTS: "*" }, { MCP_ALLOWED_SUBJECTS: "auth0|1234, robot" })
  ],
  [
    "a path with an empty step",
    "MCP_GROUP_CLAIMS",
    ...oidc({ MCP_GROUP_CLAIMS: "realm_access..roles" }, {
      MCP_GROUP_CLAIMS: "resource_access.*.roles, cognito:groups"
    })
  ],
  [
    "a claim for the subject that is many claims",
    "MCP_SUBJECT_CLAIMS",
    ...oidc({ MCP_SUBJECT_CLAIMS: "users.*.id" }, { MCP_SUBJECT_CLAIMS: "oid, user.id, https://notes.example/id" })
  ],
  [
    "a claim for the client with an empty step",
    "MCP_CLIENT_CLAIMS",
    ...oidc({ MCP_CLIENT_CLAIMS: "application." }, { MCP_CLIENT_CLAIMS: "application.uid, azp" })
  ],
  [
    "claims for scopes separated by blanks",
    "MCP_SCOPE_CLAIMS",
    ...oidc({ MCP_SCOPE_CLAIMS: "permissions scope" }, { MCP_SCOPE_CLAIMS: "permissions, scope" })
  ],
  [
    "scopes to request that are no map",
    "MCP_SCOPES_REQUESTED",
    ...oidc({ MCP_SCOPES_REQUESTED: "read=api://app/read" }, { MCP_SCOPES_REQUESTED: `{"read":"api://app/read"}` })
  ],
  [
    "claims for a field that the gateway fills",
    "MCP_FORWARD_CLAIMS",
    ...oidc({ MCP_FORWARD_CLAIMS: `{"sub":"x-auth-user-id"}` }, { MCP_FORWARD_CLAIMS: `{"sub":"x-auth-sub"}` })
  ],
  [
    "no endpoint for a provider that describes tokens",
    "MCP_TOKENINFO_URL",
    { ...complete, MCP_PROVIDER_TYPE: "tokeninfo" },
    { ...complete, MCP_PROVIDER_TYPE: "tokeninfo", MCP_TOKENINFO_URL: "https://issuer.example/tokeninfo" }
  ],
  [
    "an invalid parameter",
    "MCP_TOKENINFO_PARAMETER",
    { ...complete, MCP_TOKENINFO_URL: "https://issuer.example/tokeninfo", MCP_TOKENINFO_PARAMETER: "access token" },
    { ...complete, MCP_TOKENINFO_URL: "https://issuer.example/tokeninfo", MCP_TOKENINFO_PARAMETER: "access_token" }
  ],
  [
    "limits that are no array",
    "MCP_RATE_LIMITS",
    ...oidc({ MCP_RATE_LIMITS: "{}" }, { MCP_RATE_LIMITS: `[{"by":["subject"],"limit":1,"window":1}]` })
  ],
  [
    "a store that is no Redis server",
    "MCP_STORE_URL",
    ...oidc({ MCP_STORE_URL: "https://store.example" }, { MCP_STORE_URL: "rediss://store.example" })
  ],
  [
    "a password in the URL of the store",
    "MCP_STORE_URL",
    ...oidc({ MCP_STORE_URL: `redis://:${secret}@store.example` }, { MCP_STORE_URL: "redis://gateway@store.example/1" })
  ],
  [
    "an admin port for other machines without credentials",
    "MCP_ADMIN_HOST",
    ...oidc(
      { MCP_ADMIN_PORT: "9464", MCP_ADMIN_HOST: "0.0.0.0" },
      { MCP_ADMIN_PORT: "9464", MCP_ADMIN_HOST: "0.0.0.0", MCP_ADMIN_SCOPES: "gateway:read" }
    )
  ],
  [
    "an admin port on a name that is not of this machine",
    "MCP_ADMIN_HOST",
    ...oidc(
      { MCP_ADMIN_PORT: "9464", MCP_ADMIN_HOST: "gateway.internal" },
      { MCP_ADMIN_PORT: "9464", MCP_ADMIN_HOST: "gateway.internal", MCP_ADMIN_TOKEN: secret.repeat(2) }
    )
  ],
  [
    "an admin port that is the port of the gateway",
    "MCP_ADMIN_PORT",
    ...oidc({ MCP_ADMIN_PORT: "3000" }, { MCP_ADMIN_PORT: "3001" })
  ],
  [
    "a scope of the admin port that no token can have",
    "MCP_ADMIN_SCOPES",
    ...oidc({ MCP_ADMIN_SCOPES: "read \"all\"" }, { MCP_ADMIN_SCOPES: "read all" })
  ],
  [
    "a short secret of the admin port",
    "MCP_ADMIN_TOKEN",
    ...oidc({ MCP_ADMIN_TOKEN: "short-secret" }, { MCP_ADMIN_TOKEN: secret.repeat(2) })
  ],
  [
    "a secret of the admin port that no client can send as a bearer token",
    "MCP_ADMIN_TOKEN",
    ...oidc({ MCP_ADMIN_TOKEN: `${secret} and more ${secret}` }, { MCP_ADMIN_TOKEN: secret.repeat(2) })
  ],
  [
    "a password for no store",
    "MCP_STORE_PASSWORD",
    ...oidc(
      { MCP_STORE_PASSWORD: secret },
      { MCP_STORE_PASSWORD: secret, MCP_STORE_URL: "redis://store.example:6379" }
    )
  ],
  [
    "a blank in the prefix of keys",
    "MCP_STORE_KEY_PREFIX",
    ...oidc({ MCP_STORE_KEY_PREFIX: "a b" }, { MCP_STORE_KEY_PREFIX: "a:" })
  ],
  [
    "no time for the store",
    "MCP_STORE_TIMEOUT_MILLIS",
    ...oidc({ MCP_STORE_TIMEOUT_MILLIS: "0" }, { MCP_STORE_TIMEOUT_MILLIS: "100" })
  ],
  [
    "an unknown word for a store that fails",
    "MCP_STORE_FAILURE",
    ...oidc({ MCP_STORE_FAILURE: "ignore" }, { MCP_STORE_FAILURE: "closed" })
  ],
  ["rules that are no array", "MCP_RULES", ...oidc({ MCP_RULES: "{}" }, { MCP_RULES: `[{"tools":["a"]}]` })],
  [
    "a condition over a variable that does not exist",
    "MCP_RULES",
    ...oidc({ MCP_RULES: `[{"when":"${secret} == 1"}]` }, { MCP_RULES: `[{"when":"claims.level == 1"}]` })
  ],
  [
    "a condition that is not a bool",
    "MCP_RULES",
    ...oidc({ MCP_RULES: `[{"when":"identity.email"}]` }, { MCP_RULES: `[{"when":"'admins' in claims.groups"}]` })
  ],
  [
    "a condition that is not a text",
    "MCP_RULES",
    ...oidc({ MCP_RULES: `[{"when":true}]` }, { MCP_RULES: `[{"when":"true ||\\n false"}]` })
  ],
  [
    "no rules, and deny by default",
    "MCP_DEFAULT_RULE",
    ...oidc({ MCP_DEFAULT_RULE: "deny" }, { MCP_DEFAULT_RULE: "authenticated" })
  ],
  [
    "an unknown default rule",
    "MCP_DEFAULT_RULE",
    ...oidc({ MCP_DEFAULT_RULE: "allow" }, { MCP_DEFAULT_RULE: "authenticated" })
  ],
  [
    "scopes that include each other",
    "MCP_SCOPE_IMPLIES",
    ...oidc({ MCP_SCOPE_IMPLIES: `{"a":["b"],"b":["a"]}` }, { MCP_SCOPE_IMPLIES: `{"a":["b"]}` })
  ],
  ["a relative gateway URL", "MCP_SERVER_URL", ...oidc({ MCP_SERVER_URL: "/mcp" }, { MCP_SERVER_URL: "http://u" })],
  ["the gateway URL none", "MCP_SERVER_URL", ...oidc({ MCP_SERVER_URL: "none" }, {})],
  [
    "credentials in the gateway URL",
    "MCP_SERVER_URL",
    ...oidc({ MCP_SERVER_URL: `http://u:${secret}@mcp.internal` }, { MCP_SERVER_URL: "http://mcp.internal" })
  ],
  [
    "a query in the gateway URL",
    "MCP_SERVER_URL",
    ...oidc({ MCP_SERVER_URL: `http://mcp.internal/?key=${secret}` }, { MCP_SERVER_URL: "http://mcp.internal/" })
  ],
  [
    "an http public URL",
    "MCP_PUBLIC_URL",
    ...oidc({ MCP_PUBLIC_URL: "http://mcp.example.com" }, { MCP_PUBLIC_URL: "http://localhost:3000" })
  ],
  [
    "a public URL without scheme",
    "MCP_PUBLIC_URL",
    ...oidc({ MCP_PUBLIC_URL: "mcp.example.com" }, { MCP_PUBLIC_URL: "https://mcp.example.com" })
  ],
  ["a path without slash", "MCP_PATH", ...oidc({ MCP_PATH: "mcp" }, { MCP_PATH: "/mcp" })],
  ["a path with a slash at its end", "MCP_PATH", ...oidc({ MCP_PATH: "/mcp/" }, { MCP_PATH: "/" })],
  ["a path with dots", "MCP_PATH", ...oidc({ MCP_PATH: "/a/../mcp" }, { MCP_PATH: "/a/..b" })],
  ["the path of the discovery documents", "MCP_PATH", ...oidc({ MCP_PATH: "/.well-known/mcp" }, { MCP_PATH: "/.mcp" })],
  ["the path of the health check", "MCP_PATH", ...oidc({ MCP_PATH: "/healthz" }, { MCP_PATH: "/healthz1" })],
  [
    "an unknown proxy",
    "MCP_TRUSTED_PROXIES",
    ...oidc({ MCP_TRUSTED_PROXIES: "nginx" }, { MCP_TRUSTED_PROXIES: "all" })
  ],
  [
    "CFG-01 a network with bits behind its prefix",
    "MCP_TRUSTED_PROXIES",
    ...oidc({ MCP_TRUSTED_PROXIES: "10.0.0.1/8" }, { MCP_TRUSTED_PROXIES: "10.0.0.0/8" })
  ],
  [
    "CFG-01 everyone and someone",
    "MCP_TRUSTED_PROXIES",
    ...oidc({ MCP_TRUSTED_PROXIES: "all,10.0.0.1" }, { MCP_TRUSTED_PROXIES: "10.0.0.1" })
  ],
  [
    "CFG-01 a wildcard origin next to others",
    "MCP_ALLOWED_ORIGINS",
    ...oidc({ MCP_ALLOWED_ORIGINS: "*,https://a.example" }, { MCP_ALLOWED_ORIGINS: "*" })
  ],
  [
    "CFG-01 a wildcard within an origin",
    "MCP_ALLOWED_ORIGINS",
    ...oidc({ MCP_ALLOWED_ORIGINS: "https://*.example.com" }, { MCP_ALLOWED_ORIGINS: "https://a.example.com" })
  ],
  ["the origin null", "MCP_ALLOWED_ORIGINS", ...oidc({ MCP_ALLOWED_ORIGINS: "null" }, {})],
  ["an origin with a slash", "MCP_ALLOWED_ORIGINS", ...oidc({ MCP_ALLOWED_ORIGINS: "https://a.example/" }, {})],
  ["an origin with capitals", "MCP_ALLOWED_ORIGINS", ...oidc({ MCP_ALLOWED_ORIGINS: "https://A.example" }, {})],
  [
    "an origin with a default port",
    "MCP_ALLOWED_ORIGINS",
    ...oidc({ MCP_ALLOWED_ORIGINS: "https://a.example:443" }, {})
  ],
  ["a trace header of two words", "MCP_TRACE_HEADER", ...oidc({ MCP_TRACE_HEADER: "X Trace" }, {})],
  ["a hop-by-hop trace header", "MCP_TRACE_HEADER", ...oidc({ MCP_TRACE_HEADER: "Transfer-Encoding" }, {})],
  [
    "an identity header for traces",
    "MCP_TRACE_HEADER",
    ...oidc({ MCP_TRACE_HEADER: "X_Auth-User-Id" }, { MCP_TRACE_HEADER: "X-Authority" })
  ],
  [
    "an identity header for traces",
    "MCP_TRACE_HEADER",
    ...oidc({ MCP_TRACE_HEADER: "X_AUTH_USER_ID" }, { MCP_TRACE_HEADER: "X-Authority" })
  ],
  [
    "an identity header for traces",
    "MCP_TRACE_HEADER",
    ...oidc({ MCP_TRACE_HEADER: "x.auth.user.id" }, { MCP_TRACE_HEADER: "X-Authority" })
  ],
  [
    "an identity header for traces",
    "MCP_TRACE_HEADER",
    ...oidc({ MCP_TRACE_HEADER: "x-auth~scopes" }, { MCP_TRACE_HEADER: "X-Authority" })
  ],
  [
    "an identity header for traces",
    "MCP_TRACE_HEADER",
    ...oidc({ MCP_TRACE_HEADER: "X-Auth-" }, { MCP_TRACE_HEADER: "X-Authority" })
  ],
  [
    "an identity header for traces",
    "MCP_TRACE_HEADER",
    ...oidc({ MCP_TRACE_HEADER: "Remote_User" }, { MCP_TRACE_HEADER: "X-Authority" })
  ],
  [
    "a forwarding header for traces",
    "MCP_TRACE_HEADER",
    ...oidc({ MCP_TRACE_HEADER: "X.Real.IP" }, { MCP_TRACE_HEADER: "X.Request.Id" })
  ],
  ["an unknown error style", "MCP_ERROR_STYLE", ...oidc({ MCP_ERROR_STYLE: "html" }, { MCP_ERROR_STYLE: "RFC6750" })],
  ["a host with a port", "HOST", ...oidc({ HOST: "http://0.0.0.0" }, { HOST: "0.0.0.0" })],
  ["a token prefix that cannot begin a token", "MCP_TOKEN_PREFIX", ...oidc({ MCP_TOKEN_PREFIX: "a b" }, {})],
  [
    "a line break within a value",
    "MCP_PROVIDER_NAME",
    ...oidc({ MCP_PROVIDER_NAME: "a\nb" }, { MCP_PROVIDER_NAME: "a b" })
  ],

  ["broken JSON in MCP_PROVIDERS", "MCP_PROVIDERS", { MCP_PROVIDERS: `[{"client_secret": "${secret}"` }, complete],
  ["an object for MCP_PROVIDERS", "MCP_PROVIDERS", { MCP_PROVIDERS: `{"issuer":"${issuer}"}` }, complete],
  ["an entry that is a string", "MCP_PROVIDERS[0]", ...several([secret], [{ issuer }])],
  ["CFG-01 an unknown field", "MCP_PROVIDERS[0].audiences", ...several([{ issuer, audiences: "a" }], [{ issuer }])],
  [
    "CFG-01 a useless field",
    "MCP_PROVIDERS[1].issuer",
    ...several([{ issuer }, { ...fixed, issuer }], [{ issuer }, fixed])
  ],
  [
    "two ways to describe a provider",
    "MCP_PROVIDERS",
    { ...complete, MCP_PROVIDERS: JSON.stringify([{ issuer: other }]) },
    { MCP_REQUIRED_SCOPES: "a", MCP_PROVIDERS: JSON.stringify([{ issuer: other }]) }
  ],
  [
    "equal names",
    "MCP_PROVIDERS[1].name",
    ...several([{ issuer }, { issuer: other }], [{ issuer }, { issuer: other, name: "other" }])
  ],
  [
    "equal issuers but for a slash",
    "MCP_PROVIDERS[1].issuer",
    ...several([{ issuer }, { issuer: `${issuer}/`, name: "b" }], [{ issuer }, { issuer: `${issuer}/b`, name: "b" }])
  ],
  [
    "overlapping prefixes",
    "MCP_PROVIDERS[1].token_prefix",
    ...several(
      [{ ...opaque, token_prefix: "mat_" }, { ...asking, token_prefix: "mat" }],
      [{ ...opaque, token_prefix: "mat_" }, { ...asking, token_prefix: "mat-" }]
    )
  ],
  [
    "two providers for any opaque token",
    "MCP_PROVIDERS[1].token_prefix",
    ...several([opaque, asking], [{ ...opaque, token_prefix: "mat_" }, asking])
  ],
  [
    "one static token in two providers",
    "MCP_PROVIDERS[1].tokens",
    ...several([fixed, { ...fixed, name: "b" }], [fixed, { type: "static", name: "b", tokens: "x:c:s:" }])
  ],
  ["introspection without client", "MCP_PROVIDERS[0].client_id", ...several([{ ...asking, client_id: "" }], [asking])],
  [
    "a secret that is a number",
    "MCP_PROVIDERS[0].client_secret",
    ...several([{ ...asking, client_secret: 7 }], [asking])
  ],
  ["AUTH_CONFIG that is no JSON", "AUTH_CONFIG", { AUTH_CONFIG: `{providers: "${secret}"}` }, complete],
  ["AUTH_CONFIG that is an array", "AUTH_CONFIG", { AUTH_CONFIG: `["${secret}"]` }, complete],
  [
    "an unknown member of AUTH_CONFIG",
    "AUTH_CONFIG",
    { AUTH_CONFIG: JSON.stringify({ providers: [{ issuer }], server_url: "http://x" }) },
    { AUTH_CONFIG: JSON.stringify({ providers: [{ issuer }], mcp_gateway_url: "http://x" }) }
  ],
  ["AUTH_CONFIG without providers", "MCP_PROVIDERS", { AUTH_CONFIG: "{\"providers\":[]}" }, complete],
  [
    "CFG-02 AUTH_CONFIG against a variable",
    "MCP_SERVER_URL",
    {
      AUTH_CONFIG: JSON.stringify({ providers: [{ issuer }], mcp_gateway_url: "http://x" }),
      MCP_SERVER_URL: "http://y"
    },
    {
      AUTH_CONFIG: JSON.stringify({ providers: [{ issuer }], mcp_gateway_url: "http://x" }),
      MCP_SERVER_URL: "http://x"
    }
  ],
  [
    "servers in addition to a server",
    "MCP_SERVERS",
    ...oidc({ MCP_SERVERS: `[{"name":"a","url":"http://x.example/"}]`, MCP_SERVER_URL: "http://x.example/" }, {
      MCP_SERVERS: `[{"name":"a","url":"http://x.example/"}]`
    })
  ],
  [
    "CFG-02 AUTH_CONFIG in addition to MCP_PROVIDERS",
    "MCP_PROVIDERS",
    { AUTH_CONFIG: JSON.stringify({ providers: [{ issuer }] }), MCP_PROVIDERS: JSON.stringify([{ issuer: other }]) },
    { AUTH_CONFIG: JSON.stringify({ enabled: false }), MCP_PROVIDERS: JSON.stringify([{ issuer: other }]) }
  ],
  [
    "a decision point that no proxy may ask",
    "MCP_FORWARD_AUTH",
    ...oidc(
      { MCP_FORWARD_AUTH: "true" },
      { MCP_FORWARD_AUTH: "true", MCP_TRUSTED_PROXIES: "127.0.0.0/8" }
    )
  ],
  [
    "a token field that is no name",
    "MCP_TOKEN_HEADER",
    ...oidc({ MCP_TOKEN_HEADER: "a b" }, { MCP_TOKEN_HEADER: "Cf-Access-Jwt-Assertion" })
  ],
  [
    "an unknown preset",
    "MCP_PROVIDER_PRESET",
    ...oidc({ MCP_PROVIDER_PRESET: "entry" }, {
      MCP_PROVIDER_PRESET: "keycloak",
      MCP_JWT_ISSUER: "https://id.example/realms/one"
    })
  ],
  ["an audit log with a mere word", "MCP_AUDIT_LOG", ...oidc({ MCP_AUDIT_LOG: "true" }, { MCP_AUDIT_LOG: "stdout" })],
  ["an audit log in a directory", "MCP_AUDIT_LOG", ...oidc({ MCP_AUDIT_LOG: "/a/" }, { MCP_AUDIT_LOG: "/a/b" })],
  [
    "pseudonyms without a key",
    "MCP_AUDIT_SUBJECTS",
    ...oidc(
      { MCP_AUDIT_SUBJECTS: "hmac" },
      { MCP_AUDIT_SUBJECTS: "hmac", MCP_SESSION_KEY: "a-key-of-sufficient-length-for-tests" }
    )
  ],
  plainUpstream("MCP_UPSTREAM_CA_FILE", "/run/ca.pem"),
  plainUpstream("MCP_UPSTREAM_CLIENT_CERT_FILE", "/run/cert.pem"),
  plainUpstream("MCP_UPSTREAM_CLIENT_KEY_FILE", "/run/key.pem"),
  plainUpstream("MCP_UPSTREAM_SERVER_NAME", "notes.internal"),
  [
    "a client certificate without its key",
    "MCP_UPSTREAM_CLIENT_KEY_FILE",
    ...oidc({ MCP_SERVER_URL: "https://127.0.0.1:8080/mcp", MCP_UPSTREAM_CLIENT_CERT_FILE: "/run/cert.pem" }, {
      MCP_SERVER_URL: "https://127.0.0.1:8080/mcp"
    })
  ],
  [
    "a name for TLS that is an address",
    "MCP_UPSTREAM_SERVER_NAME",
    ...oidc({ MCP_SERVER_URL: "https://127.0.0.1:8080/mcp", MCP_UPSTREAM_SERVER_NAME: "127.0.0.1" }, {
      MCP_SERVER_URL: "https://127.0.0.1:8080/mcp",
      MCP_UPSTREAM_SERVER_NAME: "localhost"
    })
  ],
  [
    "an unknown way to be trusted upstream",
    "MCP_UPSTREAM_AUTH",
    ...oidc({ MCP_UPSTREAM_AUTH: "jwt" }, { MCP_UPSTREAM_AUTH: "none" })
  ],
  [
    "a secret for the MCP server without a field",
    "MCP_UPSTREAM_AUTH",
    ...oidc(
      { MCP_UPSTREAM_AUTH: JSON.stringify({ type: "header", value: secret }) },
      { MCP_UPSTREAM_AUTH: JSON.stringify({ type: "header", field: "X-Key", value: secret }) }
    )
  ],
  [
    "a signing key of another kind",
    "MCP_SIGNING_KEY",
    ...oidc({ MCP_SIGNING_KEY: secret }, { MCP_SIGNING_KEY: ed25519Pem() })
  ],
  [
    "an audited argument of no tool",
    "MCP_AUDIT_ARGUMENTS",
    ...oidc({ MCP_AUDIT_ARGUMENTS: "amount" }, { MCP_AUDIT_ARGUMENTS: "pay.amount, files.read.path" })
  ],
  [
    "audited arguments by a wildcard",
    "MCP_AUDIT_ARGUMENTS",
    ...oidc({ MCP_AUDIT_ARGUMENTS: "pay.*" }, { MCP_AUDIT_ARGUMENTS: "pay.amount" })
  ]
]

describe("bad configurations", () => {
  it("CFG-01 are at least forty, and cover every setting but free text", () => {
    assert.isAtLeast(cases.length, 40)
    const named = new Set(cases.map(([, setting]) => setting))
    const free = settingNames.filter((name) => !named.has(name))
    assert.deepStrictEqual(free, [
      "MCP_IDENTITY_HEADERS",
      "MCP_INJECT_REQUEST_CONTEXT",
      "MCP_INJECT_RESPONSE_CONTEXT",
      "MCP_BIND_SESSIONS",
      "MCP_SCOPES_SUPPORTED",
      "MCP_FORWARD_AUTH_UNREAD",
      "MCP_CA_FILE",
      "MCP_STAND_IN_METADATA",
      "MCP_JWT_PUBLIC_KEY",
      "MCP_REQUIRE_AT_JWT",
      "MCP_REQUIRE_VERIFIED_EMAIL",
      "MCP_OAUTH_AUTHORIZE_ENDPOINT",
      "MCP_OAUTH_USERINFO_ENDPOINT",
      "MCP_INTROSPECTION_URL",
      "MCP_CONFIG_FILE",
      "MCP_MAX_BODY_BYTES",
      "MCP_MAX_LIST_BYTES",
      "MCP_STEP_UP",
      "MCP_LOG_FORMAT",
      "MCP_LOG_NAMES",
      "MCP_LOG_LEVEL"
    ])
  })

  for (const [title, setting, spoilt, fixed] of cases) {
    it(`are rejected: ${title} (${setting})`, () => {
      const { message, problems } = rejectionOf(spoilt)
      assert.include(problems.map((problem) => problem.setting), setting, message)
      for (const problem of problems) {
        assert.isNotEmpty(problem.problem)
        assert.isNotEmpty(problem.fix)
      }
      assert.notInclude(message, secret)
      assert.strictEqual(message.split("\n").length, problems.length + 1)
      // Positive control.
      settingsOf(fixed)
    })
  }

  it("are all reported at once", () => {
    const problems = problemsOf({
      MCP_JWT_ISSUER: "http://issuer.example",
      MCP_JWT_JWKS_URI: "ftp://issuer.example",
      MCP_JWT_ALGORITHM: "none",
      MCP_PUBLIC_URL: "x",
      MCP_PATH: "x",
      MCP_TYPO: "x",
      AUTH_ENABLED: "perhaps",
      PORT: "x"
    })
    assert.deepStrictEqual(problems.map(({ setting }) => setting).toSorted(), [
      "MCP_AUTH_ENABLED",
      "MCP_JWT_ALGORITHM",
      "MCP_JWT_ISSUER",
      "MCP_JWT_JWKS_URI",
      "MCP_PATH",
      "MCP_PUBLIC_URL",
      "MCP_TYPO",
      "PORT"
    ])
  })

  it("CFG-01 are rejected for control characters anywhere", () => {
    for (const char of ["\n", "\r", "\0", "\t", "\x7f", "\x85"]) {
      for (
        const [setting, text] of [
          ["MCP_PROVIDER_NAME", `a${char}b`],
          ["MCP_JWT_ISSUER", `https://issuer${char}.example`],
          ["MCP_JWT_AUDIENCE", `a,b${char}c`],
          ["MCP_ALLOWED_ORIGINS", `https://a.example,https://b${char}.example`]
        ] as const
      ) {
        const problems = problemsOf({ ...complete, [setting]: text })
        assert.deepStrictEqual(problems.map((problem) => [problem.setting, problem.problem]), [
          [setting, "contains a line break or another control character"]
        ])
      }
    }
  })

  it("CFG-01 are reported without the JSON parser's message, which quotes the text", () => {
    assert.throws(() => JSON.parse("[c4n4ry"), /c4n4ry/)
    for (const name of ["MCP_PROVIDERS", "AUTH_CONFIG", "MCP_STATIC_TOKENS"]) {
      assert.notInclude(rejectionOf({ [name]: "[c4n4ry" }).message, "c4n4ry")
    }
  })

  it("are reported with the problem, its place and the fix", () => {
    assert.strictEqual(
      rejectionOf({ AUTHKIT_DOMAIN: "http://tenant.authkit.app", MCP_JWT_ALGORITM: "RS256" }).message,
      `Invalid configuration, 2 problems:
  MCP_JWT_ALGORITM: is not a setting. Did you mean MCP_JWT_ALGORITHM?
  MCP_JWT_ISSUER (given as AUTHKIT_DOMAIN): is an http URL. Use https; http is for loopback hosts (localhost, 127.0.0.0/8, [::1]) and for those that MCP_ALLOW_HTTP names.`
    )
    assert.match(
      rejectionOf({}).message,
      /^Invalid configuration, 1 problem:\n {2}MCP_PROVIDERS: No authentication providers configured\. Set /
    )
  })
})

const names = [settingNames, ...settingNames.map((name) => settings[name].aliases ?? [])].flat()

describe("arbitrary configurations", () => {
  const value = Schema.Union([
    Schema.String,
    Schema.Literals([
      "true",
      "static",
      "introspection",
      "[{}]",
      "{}",
      "[",
      "https://",
      "http://[",
      "::",
      "a:b:c:d",
      "%"
    ])
  ])

  it.effect.prop(
    "CFG-01 never throw, and never show a value",
    {
      settings: Schema.Array(Schema.Tuple([Schema.Literals(names), value])).check(Schema.isMaxLength(12)),
      before: Schema.Boolean
    },
    ({ before, settings }) =>
      Effect.sync(() => {
        const canary = (text: string) => before ? secret + text : text + secret
        const variables = Object.fromEntries(settings.map(([name, text]) => [name, canary(text)]))
        const result = resolveSources({ variables })
        if (Result.isFailure(result)) assert.notInclude(result.failure.message, secret)
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "CFG-01 never throw, and never show a value, as JSON",
    {
      name: Schema.Literals(names),
      member: Schema.Literals(["tokens", "client_secret", "issuer", "type", "public_key", "audience", "token", "x"]),
      wrapped: Schema.Literals(["object", "array", "entry", "deep"]),
      json: Schema.Json
    },
    ({ json, member, name, wrapped }) =>
      Effect.sync(() => {
        const entry = { [member]: secret, json }
        const value = wrapped === "object"
          ? entry
          : wrapped === "array"
          ? [secret, json]
          : wrapped === "entry"
          ? [entry]
          : { providers: [entry], [secret]: [secret] }
        for (
          const sources of [
            { variables: { [name]: JSON.stringify(value) } },
            { variables: {}, document: { [name.replace(/^MCP_/, "").toLowerCase()]: value } },
            { variables: {}, document: value }
          ]
        ) {
          const result = resolveSources(sources)
          if (Result.isFailure(result)) assert.notInclude(result.failure.message, secret)
        }
      }),
    { arbitrary: { runs: 500 } }
  )
})
