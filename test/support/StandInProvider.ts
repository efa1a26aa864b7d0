/**
 * Identity providers like those in companies, built with the npm package `oidc-provider`: no registration, and each
 * with the quirks of a common product.
 *
 * - `entra`: rejects `resource` and scopes that are not fully qualified; tokens of version 2.0, with a GUID as `aud`, short names in
 *   `scp`, and the client in `azp`; metadata without PKCE; refresh tokens only for `offline_access`.
 * - `google`: opaque tokens, which an endpoint describes; a secret even with PKCE; refresh tokens only with `access_type=offline`, and
 *   none in the response to a refresh.
 * - `cognito`: tokens without `aud`, with `client_id` and `token_use`; metadata without PKCE, whose endpoints are on another host; no
 *   refresh token in the response to a refresh.
 *
 * Scopes that a provider does not know are rejected, as the real ones do. The one user signs in and consents by being redirected.
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

/** The provider to imitate. */
export type StandIn = "entra" | "google" | "cognito"

export interface StandInProvider {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly origin: string
  /** The issuer, as in tokens. For `entra` and `cognito`, with a tenant in its path. */
  readonly issuer: string
  /** Requests to the token endpoint, as forms. */
  readonly tokenRequests: ReadonlyArray<URLSearchParams>
  /** Requests to the authorization endpoint. */
  readonly authorizations: ReadonlyArray<URLSearchParams>
}

/** The audience of `entra` tokens, and the prefix of its scopes. */
export const entraAudience = "1f0c4ed0-4d3d-4a1e-8f77-9b0a3f6f3a11"
export const entraScope = "api://notes/mcp.read"

/** The tenant of `entra`, and the user pool of `cognito`, in the paths of their issuers. */
export const standInTenant = "11111111-2222-3333-4444-555555555555"
export const standInPool = "eu-central-1_AbCdEf123"

const issuerPath: Readonly<Record<StandIn, string>> = {
  entra: `/${standInTenant}/v2.0`,
  google: "",
  cognito: `/${standInPool}`
}

const resource = "urn:stand-in:notes"

/** The client that is registered at the provider for the gateway. */
export const standInClient = { id: "gateway-client", secret: "the-secret-of-the-gateway-client-0123456789" }

export const standInUser = "stand-in-user"

/** The name of the scope `email` in Google's tokens. */
export const googleEmailScope = "https://www.googleapis.com/auth/userinfo.email"

const scopesOf: Readonly<Record<StandIn, ReadonlyArray<string>>> = {
  entra: [entraScope],
  google: ["email"],
  cognito: ["notes/read"]
}

/** Values that replace the defaults of a provider. */
export interface StandInOptions {
  /** The id of its one client. */
  readonly clientId?: string
  /** The audience of the tokens of `entra`. */
  readonly audience?: string
  /** The scopes that the provider knows, as clients request them. */
  readonly scopes?: ReadonlyArray<string>
  /** In seconds of real time. */
  readonly accessTokenLife?: number
}

interface Peculiar extends Required<StandInOptions> {
  readonly kind: StandIn
}

/** The scopes that each authorization request may name. */
const knownScopes = ({ kind, scopes }: Peculiar): ReadonlyArray<string> => [
  "openid",
  "profile",
  "email",
  ...(kind === "entra" ? ["offline_access"] : []),
  ...scopes
]

/** The payload of a token as the provider's documentation describes it. */
const asDocumented = (payload: Record<string, unknown>, kind: StandIn): void => {
  if (kind === "cognito") payload["token_use"] = "access"
  if (kind !== "entra") return
  const { client_id: client, scope, sub } = payload
  delete payload["client_id"]
  delete payload["scope"]
  Object.assign(payload, {
    azp: client,
    azpacr: "1",
    nbf: payload["iat"],
    oid: sub,
    // Without the URI of the application before them, and without scopes of OpenID Connect.
    scp: String(scope).split(" ").flatMap((word) => word.includes("://") ? word.slice(word.lastIndexOf("/") + 1) : [])
      .join(" "),
    sub: `pairwise-${String(sub)}`,
    tid: standInTenant,
    ver: "2.0"
  })
}

/** Returns whether an authorization request leads to a refresh token. */
const isOffline = (kind: StandIn, request: URLSearchParams | undefined): boolean => {
  switch (kind) {
    case "entra":
      // `oidc-provider` itself drops the scope unless the request has `prompt=consent`.
      return request?.get("scope")?.split(" ").includes("offline_access") === true
    case "google":
      return request?.get("access_type") === "offline"
    case "cognito":
      return true
  }
}

const configuration = (
  peculiar: Peculiar,
  key: JWK,
  callback: string,
  lastRequest: () => URLSearchParams | undefined
): Configuration => ({
  adapter: makeOidcAdapter(),
  jwks: { keys: [key] },
  cookies: { keys: [randomUUID()] },
  scopes: ["openid", "offline_access", ...peculiar.scopes],
  clients: [{
    client_id: peculiar.clientId,
    client_secret: standInClient.secret,
    redirect_uris: [callback],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: peculiar.kind === "entra" ? "client_secret_post" : "client_secret_basic"
  }],
  claims: { openid: ["sub"], email: ["email"] },
  findAccount: (_context, accountId) => ({
    accountId,
    claims: () => ({ sub: accountId, email: "user@example.com", email_verified: true })
  }),
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  issueRefreshToken: (_context, client) =>
    client.grantTypeAllowed("refresh_token") && isOffline(peculiar.kind, lastRequest()),
  rotateRefreshToken: peculiar.kind === "entra",
  pkce: { required: () => false },
  extraParams: ["access_type"],
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    userinfo: { enabled: true },
    resourceIndicators: {
      enabled: peculiar.kind !== "google",
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, asked) => {
        // Entra's error AADSTS9010010.
        if (peculiar.kind === "entra" && asked !== resource) throw new errors.InvalidTarget()
        return {
          audience: peculiar.kind === "entra" ? peculiar.audience : resource,
          scope: peculiar.scopes.join(" "),
          accessTokenFormat: "jwt",
          accessTokenTTL: peculiar.accessTokenLife,
          jwt: { sign: { alg: "RS256" } }
        }
      }
    }
  },
  formats: {
    customizers: {
      jwt: (_context, _token, { header, payload }) => {
        if (header !== undefined) header["typ"] = "JWT"
        if (payload !== undefined) asDocumented(payload, peculiar.kind)
        return undefined
      }
    }
  },
  ttl: {
    AccessToken: peculiar.accessTokenLife,
    AuthorizationCode: 60,
    Grant: 3600,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 3600,
    Session: 3600
  }
})

/** Signs the user in and grants the request. */
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

const onOtherHost = (url: unknown): string => String(url).replace("127.0.0.1", "localhost")

/** The metadata in the form of the real provider. */
const hideMetadata = (kind: StandIn, document: Record<string, unknown>): Record<string, unknown> => {
  const { code_challenge_methods_supported: _, ...rest } = document
  switch (kind) {
    case "entra":
      return rest
    case "google":
      return document
    case "cognito":
      return {
        ...rest,
        authorization_endpoint: onOtherHost(rest["authorization_endpoint"]),
        token_endpoint: onOtherHost(rest["token_endpoint"]),
        revocation_endpoint: onOtherHost(rest["revocation_endpoint"])
      }
  }
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

/** Google's description of an access token; numbers and booleans are strings in it. */
const describeToken = async (provider: Provider, request: IncomingMessage, response: ServerResponse) => {
  const presented = new URLSearchParams(await bodyOf(request)).get("access_token") ?? ""
  const token = await provider.AccessToken.find(presented)
  const isGood = token !== undefined && token.isValid
  const scopes = isGood ? [...token.scopes] : []
  const seconds = isGood ? token.remainingTTL : 0
  response.writeHead(isGood ? 200 : 400, { "content-type": "application/json" }).end(JSON.stringify(
    isGood
      ? {
        azp: token.clientId,
        aud: token.clientId,
        ...(scopes.includes("openid") ? { sub: token.accountId } : {}),
        scope: scopes.map((scope) => scope === "email" ? googleEmailScope : scope).join(" "),
        exp: String((token.iat ?? 0) + token.expiration),
        expires_in: String(seconds),
        ...(scopes.includes("email") ? { email: "user@example.com", email_verified: "true" } : {}),
        access_type: "offline"
      }
      : { error: "invalid_token", error_description: "Invalid Value" }
  ))
}

/** Changes the body of a response that the provider sends at once. */
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
  callback: string,
  { accessTokenLife = 300, audience = entraAudience, clientId = standInClient.id, scopes = scopesOf[kind] }:
    StandInOptions = {}
): Effect.fn.Return<StandInProvider, never, Scope.Scope> {
  const peculiar: Peculiar = { kind, accessTokenLife, audience, clientId, scopes }
  const key = yield* makeSigningKey({ algorithm: "RS256", kid: "stand-in-1" })
  const privateJwk = yield* Effect.promise(() => exportJWK(key.privateKey))
  let serve: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined
  const { origin } = yield* listen((request, response) => Effect.promise(async () => serve?.(request, response)))
  const path = issuerPath[kind]
  const issuer = `${origin}${path}`
  const provider = new Provider(
    issuer,
    // A private RSA key always has these members, which jose's type declares as optional.
    configuration(
      peculiar,
      { ...privateJwk, kid: key.kid, alg: "RS256", use: "sig" } as JWK,
      callback,
      () => authorizations.at(-1)
    )
  )
  provider.use(async (context, next) => {
    await next()
    // The provider's type does not state that a form is an object of strings.
    if (context.path === "/token") tokenRequests.push(new URLSearchParams(Object.entries(context.oidc?.body ?? {})))
  })

  /** `oidc-provider` issues no JWT without an audience, so the audience is removed afterwards. */
  const withoutAudience = async (accessToken: string): Promise<string> => {
    const { aud: _, ...claims } = decodeJwt(accessToken)
    return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: key.kid }).sign(key.privateKey)
  }

  /** A token response in the form of the real provider. */
  const changeTokens = async (body: string): Promise<string> => {
    const response: Readonly<Record<string, unknown>> = JSON.parse(body)
    const { access_token: accessToken, refresh_token: refreshToken, ...rest } = response
    if (typeof accessToken !== "string") return body
    const isRefresh = tokenRequests.at(-1)?.get("grant_type") === "refresh_token"
    return JSON.stringify({
      ...rest,
      access_token: kind === "cognito" ? await withoutAudience(accessToken) : accessToken,
      ...(refreshToken === undefined || (isRefresh && kind !== "entra") ? {} : { refresh_token: refreshToken })
    })
  }
  const tokenRequests: Array<URLSearchParams> = []
  const authorizations: Array<URLSearchParams> = []

  const handle = provider.callback()

  /** Sends the user back with an error if a scope is not known. */
  const rejectsScopes = ({ searchParams }: URL, response: ServerResponse): boolean => {
    const unknown = (searchParams.get("scope") ?? "").split(" ").filter((word) => !knownScopes(peculiar).includes(word))
    const redirectUri = searchParams.get("redirect_uri")
    if (unknown.length === 0 || redirectUri !== callback) return false
    const location = new URL(redirectUri)
    location.searchParams.set("error", "invalid_scope")
    location.searchParams.set("state", searchParams.get("state") ?? "")
    response.writeHead(303, { location: location.href }).end()
    return true
  }

  serve = async (request, response) => {
    const url = new URL(request.url ?? "/", origin)
    if (url.pathname.startsWith("/interaction/")) return signIn(provider, request, response)
    if (kind === "google" && url.pathname === "/tokeninfo") return describeToken(provider, request, response)
    if (url.pathname === `${path}/auth`) {
      authorizations.push(url.searchParams)
      if (rejectsScopes(url, response)) return
    }
    if (url.pathname === `${path}/token`) changeBody(response, changeTokens)
    if (url.pathname === `${path}/.well-known/openid-configuration`) {
      changeBody(response, (body) => JSON.stringify(hideMetadata(kind, JSON.parse(body))))
    }
    // `oidc-provider` derives its path from the difference between the two, as Express sets them.
    Object.assign(request, { originalUrl: request.url, url: (request.url ?? "/").replace(path, "") })
    await handle(request, response)
  }
  return { origin, issuer, tokenRequests, authorizations }
})
