/** A realm as an operator sets it up for MCP servers. */
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { inject } from "vitest"
import { type Json, list, post, put } from "./adminApi.ts"

/** The response of a token endpoint. */
export interface Grant {
  readonly status: number
  readonly accessToken: string
  readonly refreshToken: string
  readonly idToken: string
}

export interface Realm {
  /** The path of the realm in the admin API. */
  readonly path: string
  readonly issuer: string
  /** The id of alice, who is `sub` of her tokens. */
  readonly alice: string
  /** Requests a token; dies when the endpoint rejects that. */
  readonly grant: (form: Readonly<Record<string, string>>) => Effect.Effect<Grant>
  /** A grant for alice by her password. */
  readonly logIn: (clientId: string, scope?: string) => Effect.Effect<Grant>
}

/** The clients of every realm. */
export const clients = {
  /** Public: authorization code and password; its tokens are for the MCP server. */
  app: "mcp-app",
  /** Client credentials. */
  service: { id: "mcp-service", secret: "service-secret" },
  /** Public: nothing makes its tokens ones for the MCP server. */
  other: "other-app",
  /** Public: lightweight access tokens, which lack `sub`. */
  light: "mcp-light",
  /** The gateway itself, as the client for introspection. */
  gateway: { id: "mcp-gateway", secret: "gateway-secret" }
} as const

export const user = { name: "alice", password: "alices-password", email: "alice@example.com" } as const

const audienceMapper = (name: string, audience: Json): Json => ({
  name,
  protocol: "openid-connect",
  protocolMapper: "oidc-audience-mapper",
  config: {
    ...audience,
    "access.token.claim": "true",
    "introspection.token.claim": "true",
    "lightweight.claim": "true",
    "id.token.claim": "false"
  }
})

const clientScope = (name: string, protocolMappers: ReadonlyArray<Json>, shown = "true"): Json => ({
  name,
  protocol: "openid-connect",
  attributes: { "include.in.token.scope": shown, "display.on.consent.screen": "false" },
  protocolMappers
})

const builtIn = ["web-origins", "acr", "profile", "roles", "basic", "email"]

const publicClient = (clientId: string, more: Json = {}): Json => ({
  clientId,
  publicClient: true,
  directAccessGrantsEnabled: true,
  redirectUris: ["http://127.0.0.1:9/callback"],
  defaultClientScopes: [...builtIn, "mcp:read", "mcp-resource"],
  optionalClientScopes: ["mcp:write", "offline_access"],
  ...more
})

const confidentialClient = ({ id, secret }: { readonly id: string; readonly secret: string }): Json => ({
  clientId: id,
  secret,
  publicClient: false,
  serviceAccountsEnabled: true,
  standardFlowEnabled: false,
  defaultClientScopes: ["web-origins", "acr", "roles", "basic", "mcp:read", "mcp-resource"]
})

/** Lets anyone register clients that redirect to loopback, which the policies of a new realm forbid. */
const allowRegistration = Effect.fnUntraced(function*(path: string) {
  const type = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"
  const anonymous = (yield* list(`${path}/components?type=${type}`)).filter(({ subType }) => subType === "anonymous")
  const configurations: Readonly<Record<string, Json>> = {
    "trusted-hosts": {
      // The last is that of mcp-remote's home page, which it names in its registration.
      "trusted-hosts": ["127.0.0.1", "localhost", "github.com"],
      "host-sending-registration-request-must-match": ["false"],
      "client-uris-must-match": ["true"]
    },
    "allowed-client-templates": {
      "allowed-client-scopes": ["mcp:read", "mcp:write", "openid"],
      "allow-default-scopes": ["true"]
    }
  }
  for (const policy of anonymous) {
    const config = configurations[String(policy["providerId"])]
    if (config !== undefined) yield* put(`${path}/components/${String(policy["id"])}`, { ...policy, config })
  }
})

/** Makes a realm whose tokens can be for any of the `audiences`. */
export const makeRealm = Effect.fnUntraced(function*(
  audiences: ReadonlyArray<string>,
  options: { readonly realm?: Json; readonly app?: Json } = {}
): Effect.fn.Return<Realm> {
  const name = `mcp-${randomUUID().slice(0, 8)}`
  const path = `/${name}`
  yield* post("", {
    realm: name,
    enabled: true,
    // A hash that is good for production would be most of what the suite waits for.
    passwordPolicy: "hashAlgorithm(pbkdf2-sha256) and hashIterations(1)",
    ...options.realm
  })
  yield* post(`${path}/users`, {
    username: user.name,
    email: user.email,
    emailVerified: true,
    firstName: "Alice",
    lastName: "Example",
    enabled: true,
    credentials: [{ type: "password", value: user.password }]
  })
  const resources = audiences.map((audience) => audienceMapper(audience, { "included.custom.audience": audience }))
  // A client that registers itself with a `scope` gets that and no default, hence the audience with each.
  yield* post(`${path}/client-scopes`, clientScope("mcp:read", resources))
  yield* post(`${path}/client-scopes`, clientScope("mcp:write", resources))
  const forGateway = audienceMapper("gateway", { "included.custom.audience": clients.gateway.id })
  yield* post(`${path}/client-scopes`, clientScope("mcp-resource", [...resources, forGateway], "false"))
  for (const { id, name } of yield* list(`${path}/client-scopes`)) {
    if (name === "mcp:read") yield* put(`${path}/default-default-client-scopes/${String(id)}`)
    if (name === "mcp:write") yield* put(`${path}/default-optional-client-scopes/${String(id)}`)
  }
  yield* post(`${path}/clients`, publicClient(clients.app, options.app))
  yield* post(`${path}/clients`, publicClient(clients.other, { defaultClientScopes: builtIn }))
  yield* post(
    `${path}/clients`,
    publicClient(clients.light, { attributes: { "client.use.lightweight.access.token.enabled": "true" } })
  )
  yield* post(`${path}/clients`, confidentialClient(clients.service))
  yield* post(`${path}/clients`, confidentialClient(clients.gateway))
  yield* allowRegistration(path)
  const [alice] = yield* list(`${path}/users?username=${user.name}&exact=true`)

  const issuer = `${inject("keycloak").origin}/realms/${name}`
  const grant = (form: Readonly<Record<string, string>>) =>
    Effect.promise(async (): Promise<Grant> => {
      const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
        method: "POST",
        body: new URLSearchParams(form)
      })
      const body: Json = await response.json()
      if (!response.ok) throw new Error(`the token endpoint rejects: ${JSON.stringify(body)}`)
      return {
        status: response.status,
        accessToken: String(body["access_token"]),
        refreshToken: String(body["refresh_token"]),
        idToken: String(body["id_token"])
      }
    })
  return {
    path,
    issuer,
    alice: String(alice?.["id"]),
    grant,
    logIn: (clientId, scope = "openid") =>
      grant({ grant_type: "password", client_id: clientId, username: user.name, password: user.password, scope })
  }
})

/** The claims of a token that Keycloak signed for us, unverified. */
export const claimsOf = (token: string): Json =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"))

/** The header of such a token. */
export const headerOf = (token: string): Json =>
  JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString("utf8"))
