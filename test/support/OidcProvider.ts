/**
 * A complete authorization server on the loopback interface, built with the npm package `oidc-provider`.
 *
 * Dynamic client registration, authorization code with PKCE, refresh tokens, and JWT access tokens (RS256) for the
 * requested resource (RFC 8707). Every visitor is logged in as one user who consents to everything, so that a program
 * can follow the redirects.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { exportJWK } from "jose"
import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { type Configuration, type JWK, Provider } from "oidc-provider"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { makeOidcAdapter } from "./OidcAdapter.ts"

export interface OidcProviderOptions {
  /** Scopes of every resource. Default: `["mcp:read", "mcp:write"]`. */
  readonly scopes?: ReadonlyArray<string>
  /** `sub` and `email` of the one user. */
  readonly user?: { readonly subject: string; readonly email: string }
  /** In seconds of real time. Default: 300. */
  readonly accessTokenLife?: number
}

export interface OidcProvider {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly issuer: string
  readonly jwksUri: string
  /** How many clients have registered. */
  readonly registrations: () => number
  /** How often an access token was renewed by a refresh token. */
  readonly refreshes: () => number
}

const interactionPath = /^\/interaction\/[^/?]+$/

const configuration = (key: JWK, options: Required<OidcProviderOptions>): Configuration => ({
  adapter: makeOidcAdapter(),
  jwks: { keys: [key] },
  cookies: { keys: [randomUUID()] },
  scopes: ["openid", "offline_access", ...options.scopes],
  findAccount: (_context, accountId) => ({
    accountId,
    claims: () => ({ sub: accountId, email: options.user.email })
  }),
  extraTokenClaims: () => ({ email: options.user.email }),
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
  pkce: { required: () => true },
  clientBasedCORS: () => true,
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        audience: resource,
        scope: options.scopes.join(" "),
        accessTokenFormat: "jwt",
        accessTokenTTL: options.accessTokenLife,
        jwt: { sign: { alg: "RS256" } }
      })
    }
  },
  // All options are set, because the package warns on the console about each missing one.
  ttl: {
    AccessToken: options.accessTokenLife,
    AuthorizationCode: 60,
    Grant: 3600,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 3600,
    Session: 3600
  }
})

/** Logs the user in and grants the request. */
const consent = async (provider: Provider, subject: string, request: IncomingMessage, response: ServerResponse) => {
  const { params } = await provider.interactionDetails(request, response)
  const grant = new provider.Grant({ accountId: subject, clientId: String(params["client_id"]) })
  const scope = String(params["scope"] ?? "")
  grant.addOIDCScope(scope)
  const resource = params["resource"]
  for (const indicator of Array.isArray(resource) ? resource : [resource]) {
    if (typeof indicator === "string") grant.addResourceScope(indicator, scope)
  }
  await provider.interactionFinished(request, response, {
    login: { accountId: subject },
    consent: { grantId: await grant.save() }
  })
}

/** Starts the authorization server; it stops with its scope. */
export const makeOidcProvider = Effect.fnUntraced(function*(
  given: OidcProviderOptions = {}
): Effect.fn.Return<OidcProvider, never, Scope.Scope> {
  const options = {
    scopes: ["mcp:read", "mcp:write"],
    user: { subject: "oidc-user", email: "user@example.com" },
    accessTokenLife: 300,
    ...given
  }
  const key = yield* makeSigningKey({ algorithm: "RS256", kid: "oidc-1" })
  const privateJwk = yield* Effect.promise(() => exportJWK(key.privateKey))
  let serve: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined

  // The issuer contains the port, so the provider is built after its server.
  const { origin } = yield* listen((request, response) => Effect.promise(async () => serve?.(request, response)))
  let registrations = 0
  const provider = new Provider(
    origin,
    // A private RSA key always has these members, which jose's type declares as optional.
    configuration({ ...privateJwk, kid: key.kid, alg: "RS256", use: "sig" } as JWK, options)
  )
  provider.on("registration_create.success", () => {
    registrations += 1
  })
  let refreshes = 0
  provider.on("grant.success", ({ oidc }) => {
    if (oidc.params?.["grant_type"] === "refresh_token") refreshes += 1
  })
  const callback = provider.callback()
  serve = (request, response) =>
    interactionPath.test(request.url ?? "")
      ? consent(provider, options.user.subject, request, response)
      : callback(request, response)

  return { issuer: origin, jwksUri: `${origin}/jwks`, registrations: () => registrations, refreshes: () => refreshes }
})
