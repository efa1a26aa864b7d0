/** Settings of gateways as operators would write them. */
import * as Arbitrary from "effect/Arbitrary"
import type { GatewayConfigInput, ProviderInput } from "../../config/GatewayConfigInput.ts"
import { errorStyles } from "../../config/GatewaySettings.ts"
import { oneOf } from "../arbitrary.ts"

/** The value of every secret in the settings. Must not appear in any response. */
export const configuredSecret = "configured-secret-Q2F0c2hvdWxkbm90c2VlbWU"

/** One provider of each kind. */
export const providers = {
  authkit: { type: "authkit", issuer: "https://tenant.authkit.app" },
  configured: {
    type: "oidc",
    name: "configured",
    issuer: "https://issuer.example/",
    authorize_endpoint: "https://issuer.example/authorize",
    token_endpoint: "https://issuer.example/oauth/token"
  },
  discovered: { type: "oidc", name: "discovered", issuer: "https://login.example/realms/tools" },
  loopback: {
    type: "oidc",
    name: "loopback",
    issuer: "http://127.0.0.1:9000",
    authorize_endpoint: "http://127.0.0.1:9000/authorize",
    token_endpoint: "http://127.0.0.1:9000/token",
    jwks_uri: "http://127.0.0.1:9000/jwks"
  },
  userinfo: { type: "userinfo", issuer: "https://people.example/accounts" },
  introspection: {
    type: "introspection",
    issuer: "https://opaque.example",
    introspection_endpoint: "https://opaque.example/introspect",
    client_id: "gateway",
    client_secret: configuredSecret
  },
  static: { type: "static", tokens: `${configuredSecret}:client:subject:read` },
  scoped: { type: "authkit", name: "scoped", issuer: "https://scoped.authkit.app", required_scopes: "tools:call" }
} as const satisfies Record<string, ProviderInput>

const { authkit, configured, discovered, introspection, loopback, scoped, static: fixed, userinfo } = providers

const everyKind: ReadonlyArray<ReadonlyArray<ProviderInput>> = [
  [authkit],
  [configured],
  [discovered],
  [loopback],
  [userinfo],
  [introspection],
  [fixed],
  [fixed, configured],
  [discovered, userinfo, fixed],
  [scoped, authkit]
]

const choices = {
  error_style: oneOf(errorStyles),
  public_url: oneOf([
    undefined,
    "https://mcp.example.com",
    "https://example.com/tenant",
    "http://localhost:8080"
  ]),
  path: oneOf(["/mcp", "/", "/tools/mcp"]),
  required_scopes: oneOf([undefined, "mcp:read", "mcp:read mcp:write"]),
  allowed_origins: oneOf([undefined, "*", ["https://app.example", "http://localhost:6274"]]),
  trace_header: oneOf([undefined, "X-Request-Id"]),
  providers: oneOf(everyKind)
}

const narrowings = new WeakMap<GatewayConfigInput, ReadonlyArray<string>>()

/** Any settings, except those that the argument fixes or restricts. */
export const settingsWith = (
  narrowed: { readonly [K in keyof GatewayConfigInput]?: Arbitrary.Arbitrary<GatewayConfigInput[K]> }
): Arbitrary.Arbitrary<GatewayConfigInput> =>
  Arbitrary.map(Arbitrary.all({ ...choices, ...narrowed }), (settings: GatewayConfigInput) => {
    narrowings.set(settings, Object.keys(narrowed))
    return settings
  })

/** Returns those of generated settings that their requirement fixes or restricts. */
export const narrowedIn = (settings: GatewayConfigInput): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(settings).filter(([name]) => narrowings.get(settings)?.includes(name) ?? false)
  )

/** Any settings. */
export const anySettings: Arbitrary.Arbitrary<GatewayConfigInput> = settingsWith({})
