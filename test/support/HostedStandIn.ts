/**
 * Stand-ins for hosted identity providers, as their documentation describes them, with the peculiarities that matter to
 * a gateway:
 *
 * - `okta`, a custom authorization server: the audience of its tokens is its own, regardless of what a client requests; scopes that it does not
 *   define are rejected; `state` is required; registration wants an API token; refresh tokens only for `offline_access`, and not
 *   rotated.
 * - `auth0`: tokens are for the API in `audience`, or in `resource` where the compatibility profile is on; without either they are
 *   encrypted; an API that does not exist is rejected; scopes that the API does not define are dropped; clients register; refresh tokens
 *   only for `offline_access`, and none in the response to a refresh.
 * - `authkit`: tokens are for the `resource`, which must be configured, else for the environment; clients register; refresh tokens
 *   only for `offline_access`, each good once.
 * - `gitlab`: opaque tokens, which an endpoint describes; a refresh token for everyone, each good once.
 *
 * The one user is signed in, and consents to everything.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SignJWT } from "jose"
import { createHash, randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"

/** The provider to imitate. */
export type Hosted = "okta" | "auth0" | "authkit" | "gitlab"

/** A client that was registered by hand. Without a secret, it is a public client. */
export interface HostedClient {
  readonly id: string
  readonly secret?: string
  readonly redirectUri: string
}

export interface HostedOptions {
  readonly clients: ReadonlyArray<HostedClient>
  /** The audience of the authorization server, the API, or the configured resource. */
  readonly audience: string
  /** The scopes that are defined, in addition to those of OpenID Connect. */
  readonly scopes: ReadonlyArray<string>
  /** Whether the Auth0 tenant supports `resource`. Default: `true`. */
  readonly resourceProfile?: boolean
}

export interface HostedStandIn {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly origin: string
  /** The issuer, as in tokens. */
  readonly issuer: string
  readonly authorizations: ReadonlyArray<URLSearchParams>
  readonly tokenRequests: ReadonlyArray<URLSearchParams>
}

type Json = Readonly<Record<string, unknown>>

interface Granted {
  readonly clientId: string
  readonly scopes: ReadonlyArray<string>
  /** `undefined` if the token is encrypted or opaque. */
  readonly audience: string | undefined
}

interface Code extends Granted {
  readonly redirectUri: string
  readonly challenge: string | null
}

/** The paths of the endpoints. */
interface Places {
  readonly issuer: string
  readonly authorize: string
  readonly token: string
  readonly keys: string
  readonly register: string
  /** The path of the endpoint that describes a token. */
  readonly info?: string
}

const places: Readonly<Record<Hosted, Places>> = {
  okta: {
    issuer: "/oauth2/aus1notes",
    authorize: "/oauth2/aus1notes/v1/authorize",
    token: "/oauth2/aus1notes/v1/token",
    keys: "/oauth2/aus1notes/v1/keys",
    register: "/oauth2/v1/clients"
  },
  auth0: {
    issuer: "/",
    authorize: "/authorize",
    token: "/oauth/token",
    keys: "/.well-known/jwks.json",
    register: "/oidc/register"
  },
  authkit: {
    issuer: "",
    authorize: "/oauth2/authorize",
    token: "/oauth2/token",
    keys: "/oauth2/jwks",
    register: "/oauth2/register"
  },
  gitlab: {
    issuer: "",
    authorize: "/oauth/authorize",
    token: "/oauth/token",
    keys: "/oauth/discovery/keys",
    register: "/oauth/register",
    info: "/oauth/token/info"
  }
}

/** The user, by the name that each provider has for its id. */
export const hostedUser: Readonly<Record<Hosted, string>> = {
  okta: "00u1ann",
  auth0: "auth0|64f0c0ffee",
  authkit: "user_01ANN",
  gitlab: "42"
}

/** The audience of AuthKit's tokens without a resource. */
export const hostedEnvironment = "client_01ENVIRONMENT"

const openIdScopes = ["openid", "profile", "email"]

const json = (response: ServerResponse, status: number, body: Json): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const redirect = (response: ServerResponse, uri: string, parameters: Readonly<Record<string, string | null>>) => {
  const location = new URL(uri)
  for (const [name, value] of Object.entries(parameters)) if (value !== null) location.searchParams.set(name, value)
  response.writeHead(302, { location: location.href }).end()
}

/** The result of an authorization request: a grant, or an error. */
const decide = (kind: Hosted, options: HostedOptions, request: URLSearchParams): Granted | string => {
  const wanted = (request.get("scope") ?? "").split(" ").filter((word) => word !== "")
  const defined = new Set([...openIdScopes, ...(kind === "gitlab" ? [] : ["offline_access"]), ...options.scopes])
  const clientId = request.get("client_id") ?? ""
  if (kind === "auth0") {
    const audience = request.get("audience") ??
      (options.resourceProfile === false ? undefined : request.get("resource") ?? undefined)
    // Auth0's error for an unknown API.
    if (audience !== undefined && audience !== options.audience) return "access_denied"
    return { clientId, audience, scopes: wanted.filter((word) => defined.has(word)) }
  }
  if (kind === "okta" && !request.has("state")) return "invalid_request"
  if (wanted.length === 0 || wanted.some((word) => !defined.has(word))) return "invalid_scope"
  if (kind === "okta") return { clientId, audience: options.audience, scopes: wanted }
  if (kind === "gitlab") return { clientId, audience: undefined, scopes: wanted }
  const resource = request.get("resource")
  if (resource !== null && resource !== options.audience) return "invalid_target"
  return { clientId, audience: resource ?? hostedEnvironment, scopes: wanted }
}

/** The claims of an access token, according to the documentation. */
const claimsOf = (kind: Hosted, issuer: string, { audience, clientId, scopes }: Granted): Json => {
  const common = { iss: issuer, jti: randomUUID() }
  switch (kind) {
    case "okta":
      return {
        ...common,
        ver: 1,
        aud: audience,
        cid: clientId,
        uid: hostedUser.okta,
        scp: scopes,
        sub: "ann@example.com"
      }
    case "auth0":
      return {
        ...common,
        sub: hostedUser.auth0,
        aud: scopes.includes("openid") ? [audience, `${issuer}userinfo`] : audience,
        azp: clientId,
        scope: scopes.join(" ")
      }
    default:
      return {
        ...common,
        aud: audience,
        sub: hostedUser.authkit,
        client_id: clientId,
        org_id: "org_01NOTES",
        sid: "app_consent_01",
        scope: scopes.join(" ")
      }
  }
}

/** Starts the provider; it stops with its scope. */
export const makeHostedStandIn = Effect.fnUntraced(function*(
  kind: Hosted,
  options: HostedOptions
): Effect.fn.Return<HostedStandIn, never, Scope.Scope> {
  const place = places[kind]
  const key = yield* makeSigningKey({ algorithm: "RS256", kid: "hosted-1" })
  const clients = new Map(options.clients.map((client) => [client.id, client]))
  const codes = new Map<string, Code>()
  const refreshTokens = new Map<string, Granted>()
  const opaque = new Map<string, Granted>()
  const authorizations: Array<URLSearchParams> = []
  const tokenRequests: Array<URLSearchParams> = []

  const authorize = (request: URLSearchParams, response: ServerResponse): void => {
    authorizations.push(request)
    const client = clients.get(request.get("client_id") ?? "")
    const redirectUri = request.get("redirect_uri") ?? ""
    if (client === undefined || client.redirectUri !== redirectUri || request.get("response_type") !== "code") {
      response.writeHead(400).end()
      return
    }
    const state = request.get("state")
    const challenge = request.get("code_challenge")
    // All of these providers require PKCE of public clients.
    const granted = client.secret === undefined && challenge === null
      ? "invalid_request"
      : decide(kind, options, request)
    if (typeof granted === "string") return redirect(response, redirectUri, { error: granted, state })
    const code = randomUUID()
    codes.set(code, { ...granted, redirectUri, challenge })
    redirect(response, redirectUri, { code, state })
  }

  const accessToken = async (issuer: string, granted: Granted): Promise<string> => {
    if (kind === "gitlab") {
      const token = randomUUID().replaceAll("-", "")
      opaque.set(token, granted)
      return token
    }
    // Five parts: Auth0 encrypts such tokens for itself.
    if (granted.audience === undefined) return "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVydGV4dA.dGFn"
    return new SignJWT(claimsOf(kind, issuer, granted))
      .setProtectedHeader({ alg: "RS256", kid: key.kid, typ: kind === "auth0" ? "at+jwt" : "JWT" })
      .setIssuedAt().setExpirationTime("1h").sign(key.privateKey)
  }

  /** The client that authenticates; `undefined` if none does. */
  const clientOf = (request: IncomingMessage, form: URLSearchParams): HostedClient | undefined => {
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1]
    const [id = "", secret] = basic === undefined
      ? [form.get("client_id") ?? "", form.get("client_secret") ?? undefined]
      : Buffer.from(basic, "base64").toString("utf8").split(":").map(decodeURIComponent)
    const client = clients.get(id)
    return client?.secret === secret ? client : undefined
  }

  const grantOf = (client: HostedClient, form: URLSearchParams): Granted | undefined => {
    if (form.get("grant_type") === "refresh_token") {
      const presented = form.get("refresh_token") ?? ""
      const granted = refreshTokens.get(presented)
      if (kind === "authkit" || kind === "gitlab") refreshTokens.delete(presented)
      return granted?.clientId === client.id ? granted : undefined
    }
    const id = form.get("code") ?? ""
    const code = codes.get(id)
    codes.delete(id)
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url")
    return code?.clientId === client.id && code.redirectUri === form.get("redirect_uri") &&
        (code.challenge === null || code.challenge === challenge)
      ? code
      : undefined
  }

  /** The refresh token in the response, if any. */
  const refreshTokenFor = (granted: Granted, presented: string | null): string | undefined => {
    if (kind !== "gitlab" && !granted.scopes.includes("offline_access")) return undefined
    if (presented !== null && kind === "okta") return presented
    if (presented !== null && kind === "auth0") return undefined
    const fresh = `refresh-${randomUUID()}`
    refreshTokens.set(fresh, granted)
    return fresh
  }

  const token = async (issuer: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await text(request))
    tokenRequests.push(form)
    const client = clientOf(request, form)
    if (client === undefined) return json(response, 401, { error: "invalid_client" })
    const granted = grantOf(client, form)
    if (granted === undefined) return json(response, 400, { error: "invalid_grant" })
    const refreshToken = refreshTokenFor(granted, form.get("refresh_token"))
    json(response, 200, {
      access_token: await accessToken(issuer, granted),
      token_type: kind === "gitlab" ? "bearer" : "Bearer",
      expires_in: kind === "gitlab" ? 7200 : 3600,
      scope: granted.scopes.join(" "),
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken })
    })
  }

  const register = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { redirect_uris: [redirectUri], ...metadata } = JSON.parse(await text(request))
    // Okta requires an API token of an administrator.
    if (kind === "okta") return json(response, 403, { errorCode: "E0000005", errorSummary: "Invalid session" })
    const id = `tpc_${randomUUID()}`
    clients.set(id, { id, redirectUri })
    json(response, 201, {
      ...metadata,
      client_id: id,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "none"
    })
  }

  const info = (request: IncomingMessage, response: ServerResponse): void => {
    const granted = opaque.get(request.headers.authorization?.replace(/^Bearer /, "") ?? "")
    if (granted === undefined) return json(response, 401, { error: "invalid_token" })
    json(response, 200, {
      resource_owner_id: Number(hostedUser.gitlab),
      scope: granted.scopes,
      expires_in: 7200,
      application: { uid: granted.clientId },
      created_at: 1_800_000_000
    })
  }

  const { origin } = yield* listen((request, response) =>
    Effect.promise(async () => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1")
      const here = `http://${request.headers.host}`
      const issuer = `${here}${place.issuer}`
      switch (url.pathname) {
        case place.authorize:
          return authorize(url.searchParams, response)
        case place.token:
          return token(issuer, request, response)
        case place.register:
          return register(request, response)
        case place.info:
          return info(request, response)
        case place.keys:
          return json(response, 200, { keys: [key.publicJwk] })
      }
      const isDocument = ["openid-configuration", "oauth-authorization-server"].some((name) =>
        url.pathname === `${place.issuer.replace(/\/$/, "")}/.well-known/${name}` ||
        (kind === "okta" && url.pathname === `/.well-known/${name}${place.issuer}`)
      )
      if (!isDocument) {
        response.writeHead(404).end()
        return
      }
      json(response, 200, {
        issuer,
        authorization_endpoint: `${here}${place.authorize}`,
        token_endpoint: `${here}${place.token}`,
        jwks_uri: `${here}${place.keys}`,
        registration_endpoint: `${here}${place.register}`,
        // Scopes of the API are not listed there.
        scopes_supported: [...openIdScopes, ...(kind === "gitlab" ? [] : ["offline_access"])],
        response_types_supported: ["code"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"]
      })
    })
  )
  return { origin, issuer: `${origin}${place.issuer}`, authorizations, tokenRequests }
})
