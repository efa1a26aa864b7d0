/**
 * Identity providers as they are met in companies, built with the npm package `oidc-provider`: no registration, and each with the
 * peculiarities of one that many people have.
 *
 * - `entra`: rejects `resource`, wants fully qualified scopes, tokens with a GUID as `aud` and short names in `scp`, and metadata
 *   without PKCE.
 * - `google`: opaque tokens, a secret even with PKCE, refresh tokens only with `access_type=offline`.
 * - `cognito`: tokens without `aud`, with `client_id` and `token_use`.
 *
 * Its one user signs in and consents by being redirected.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { decodeJwt, exportJWK, SignJWT } from "jose"
import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { type Configuration, errors, type JWK, Provider } from "oidc-provider"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { makeOidcAdapter } from "./OidcAdapter.ts"

/** Which provider is stood in for. */
export type StandIn = "entra" | "google" | "cognito"

export interface StandInProvider {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly issuer: string
  /** Requests to the token endpoint, as forms. */
  readonly tokenRequests: ReadonlyArray<URLSearchParams>
  /** Requests to the authorization endpoint. */
  readonly authorizations: ReadonlyArray<URLSearchParams>
}

/** The audience of the tokens of `entra`, and what its scopes begin with. */
export const entraAudience = "1f0c4ed0-4d3d-4a1e-8f77-9b0a3f6f3a11"
export const entraScope = "api://notes/mcp.read"

const resource = "urn:stand-in:notes"

/** The client that is registered at the provider for the gateway. */
export const standInClient = { id: "gateway-client", secret: "the-secret-of-the-gateway-client-0123456789" }

export const standInUser = "stand-in-user"

const scopesOf: Readonly<Record<StandIn, ReadonlyArray<string>>> = {
  entra: [entraScope],
  google: ["email"],
  cognito: ["notes/read"]
}

const configuration = (kind: StandIn, key: JWK, callback: string): Configuration => ({
  adapter: makeOidcAdapter(),
  jwks: { keys: [key] },
  cookies: { keys: [randomUUID()] },
  scopes: ["openid", "offline_access", ...scopesOf[kind]],
  clients: [{
    client_id: standInClient.id,
    client_secret: standInClient.secret,
    redirect_uris: [callback],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: kind === "entra" ? "client_secret_post" : "client_secret_basic"
  }],
  claims: { openid: ["sub"], email: ["email"] },
  findAccount: (_context, accountId) => ({
    accountId,
    claims: () => ({ sub: accountId, email: "user@example.com", email_verified: true })
  }),
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  issueRefreshToken: (context, client) =>
    client.grantTypeAllowed("refresh_token") &&
    (kind !== "google" || context.oidc.entities.AuthorizationCode !== undefined),
  rotateRefreshToken: kind !== "google",
  pkce: { required: () => false },
  extraParams: ["access_type"],
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    userinfo: { enabled: true },
    resourceIndicators: {
      enabled: kind !== "google",
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, asked) => {
        // What Entra calls AADSTS9010010.
        if (kind === "entra" && asked !== resource) throw new errors.InvalidTarget()
        return {
          audience: kind === "entra" ? entraAudience : resource,
          scope: scopesOf[kind].join(" "),
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg: "RS256" } }
        }
      }
    }
  },
  formats: {
    customizers: {
      jwt: (_context, _token, { payload }) => {
        if (payload === undefined) return undefined
        if (kind === "entra") {
          payload["scp"] = String(payload["scope"]).replace("api://notes/", "")
          delete payload["scope"]
        }
        if (kind === "cognito") payload["token_use"] = "access"
        return undefined
      }
    }
  },
  ttl: {
    AccessToken: 300,
    AuthorizationCode: 60,
    Grant: 3600,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 3600,
    Session: 3600
  }
})

/** Signs the user in and grants what was asked for. */
const signIn = async (provider: Provider, request: IncomingMessage, response: ServerResponse) => {
  const { params } = await provider.interactionDetails(request, response)
  const grant = new provider.Grant({ accountId: standInUser, clientId: String(params["client_id"]) })
  const scope = String(params["scope"] ?? "")
  grant.addOIDCScope(scope)
  grant.addResourceScope(resource, scope)
  await provider.interactionFinished(request, response, {
    login: { accountId: standInUser },
    consent: { grantId: await grant.save() }
  })
}

/** The metadata as the provider's real one has them. */
const hideMetadata = (kind: StandIn, document: Record<string, unknown>): Record<string, unknown> => {
  const { code_challenge_methods_supported: _, ...rest } = document
  return kind === "entra" ? rest : document
}

/** Changes the body of a response, which the provider ends with its whole body. */
const changeBody = (response: ServerResponse, change: (body: string) => string | Promise<string>): void => {
  const end = response.end.bind(response)
  response.end = ((body: unknown) => {
    response.removeHeader("content-length")
    void Promise.resolve(change(String(body))).then((changed) => end(changed))
    return response
  }) as typeof response.end
}

/**
 * Starts the provider; it stops with its scope.
 *
 * @param callback the redirect URI of its one client
 */
export const makeStandInProvider = Effect.fnUntraced(function*(
  kind: StandIn,
  callback: string
): Effect.fn.Return<StandInProvider, never, Scope.Scope> {
  const key = yield* makeSigningKey({ algorithm: "RS256", kid: "stand-in-1" })
  const privateJwk = yield* Effect.promise(() => exportJWK(key.privateKey))
  let serve: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined
  const { origin } = yield* listen((request, response) => Effect.promise(async () => serve?.(request, response)))
  const provider = new Provider(
    origin,
    // jose's type allows what a private RSA key never lacks.
    configuration(kind, { ...privateJwk, kid: key.kid, alg: "RS256", use: "sig" } as JWK, callback)
  )
  provider.use(async (context, next) => {
    await next()
    // The provider's own type does not say that the body of a form is an object of strings.
    if (context.path === "/token") tokenRequests.push(new URLSearchParams(Object.entries(context.oidc?.body ?? {})))
  })

  /** `oidc-provider` makes no JWT without an audience, so it is taken out afterwards. */
  const withoutAudience = async (body: string): Promise<string> => {
    const response = JSON.parse(body)
    if (typeof response.access_token !== "string") return body
    const { aud: _, ...claims } = decodeJwt(response.access_token)
    const token = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: key.kid }).sign(key.privateKey)
    return JSON.stringify({ ...response, access_token: token })
  }
  const tokenRequests: Array<URLSearchParams> = []
  const authorizations: Array<URLSearchParams> = []

  const handle = provider.callback()

  serve = async (request, response) => {
    const url = new URL(request.url ?? "/", origin)
    if (url.pathname.startsWith("/interaction/")) return signIn(provider, request, response)
    if (url.pathname === "/auth") authorizations.push(url.searchParams)
    if (url.pathname === "/token" && kind === "cognito") changeBody(response, withoutAudience)
    if (url.pathname === "/.well-known/openid-configuration") {
      changeBody(response, (body) => JSON.stringify(hideMetadata(kind, JSON.parse(body))))
    }
    await handle(request, response)
  }
  return { issuer: origin, tokenRequests, authorizations }
})
