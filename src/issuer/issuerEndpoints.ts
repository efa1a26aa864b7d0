/** The ordinary responses of a test issuer, one function for each endpoint. */
import * as Effect from "effect/Effect"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import { clientCredentials } from "./clientCredentials.ts"
import type { IssuedTokens } from "./IssuedTokens.ts"
import { type IssuerResponse, jsonResponse } from "./IssuerResponse.ts"
import type { KeyRing } from "./KeyRing.ts"
import { nowSeconds } from "./nowSeconds.ts"
import type { ReceivedRequest } from "./ReceivedRequest.ts"

/** The state that the endpoints use. */
export interface IssuerState {
  readonly issuer: string
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
  readonly scopes: ReadonlyArray<string>
  readonly client: { readonly id: string; readonly secret: string }
  readonly keys: KeyRing
  readonly tokens: IssuedTokens
  /** Signs and stores an access token for a client. */
  readonly grant: (options: {
    readonly clientId: string
    readonly audience: string | undefined
    readonly scopes: ReadonlyArray<string>
  }) => Effect.Effect<{ readonly token: string; readonly expiresInSeconds: number }>
}

type Endpoint = (state: IssuerState, request: ReceivedRequest) => Effect.Effect<IssuerResponse>

const words = (text: string): ReadonlyArray<string> => text.split(" ").filter((word) => word !== "")

// RFC 6749, section 5.2
const rejection = (error: string): IssuerResponse => jsonResponse(400, { error }, { "cache-control": "no-store" })

const unknownClient: IssuerResponse = jsonResponse(401, { error: "invalid_client" }, {
  "cache-control": "no-store",
  "www-authenticate": "Basic realm=\"issuer\""
})

const isClient = ({ client }: IssuerState, request: ReceivedRequest, form: URLSearchParams): boolean => {
  const given = clientCredentials(request, form)
  return given !== undefined && given.id === client.id && given.secret === client.secret
}

/** RFC 7517, section 5. */
const jwks: Endpoint = ({ keys }) => Effect.map(keys.published, (published) => jsonResponse(200, { keys: published }))

/** RFC 8414, section 2; OpenID Connect Discovery 1.0, section 3, as far as applicable. */
const metadata: Endpoint = ({ algorithms, issuer, scopes }) =>
  Effect.succeed(jsonResponse(200, {
    issuer,
    jwks_uri: `${issuer}/oauth2/jwks`,
    token_endpoint: `${issuer}/oauth2/token`,
    userinfo_endpoint: `${issuer}/oauth2/userinfo`,
    introspection_endpoint: `${issuer}/oauth2/introspection`,
    grant_types_supported: ["client_credentials"],
    // Required by both documents; empty, because there is no authorization endpoint.
    response_types_supported: [],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: algorithms,
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
    introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
    scopes_supported: scopes
  }))

/** OpenID Connect Core 1.0, section 5.3. */
const userinfo: Endpoint = Effect.fnUntraced(function*({ tokens }, request) {
  const token = /^bearer +(\S+)$/i.exec(request.headers["authorization"] ?? "")?.[1]
  const issued = token === undefined ? undefined : tokens.active(token, yield* nowSeconds)
  return issued === undefined
    ? jsonResponse(401, { error: "invalid_token" }, { "www-authenticate": "Bearer error=\"invalid_token\"" })
    : jsonResponse(200, { sub: issued.subject, email: issued.email, name: issued.name, ...issued.claims })
})

/** RFC 7662, section 2. */
const introspection: Endpoint = Effect.fnUntraced(function*(state, request) {
  const form = new URLSearchParams(request.body)
  // Accepts only Basic, as the metadata state: tests must notice a gateway that sends its secret in the body.
  if (request.headers["authorization"] === undefined || !isClient(state, request, form)) return unknownClient
  const token = form.get("token")
  if (token === null) return rejection("invalid_request")
  const issued = state.tokens.active(token, yield* nowSeconds)
  return issued === undefined ? jsonResponse(200, { active: false }) : jsonResponse(200, {
    active: true,
    iss: state.issuer,
    sub: issued.subject,
    aud: issued.audience,
    client_id: issued.clientId,
    scope: issued.scopes.join(" "),
    token_type: "Bearer",
    iat: issued.issuedAt,
    exp: issued.expiresAt,
    email: issued.email,
    name: issued.name,
    ...issued.claims
  })
})

/** RFC 6749, section 4.4, with `resource` (RFC 8707) naming the audience. */
const token: Endpoint = Effect.fnUntraced(function*(state, request) {
  const form = new URLSearchParams(request.body)
  if (!isClient(state, request, form)) return unknownClient
  if (form.get("grant_type") !== "client_credentials") return rejection("unsupported_grant_type")
  const asked = words(form.get("scope") ?? "")
  if (asked.some((scope) => !state.scopes.includes(scope))) return rejection("invalid_scope")
  const scopes = asked.length === 0 ? state.scopes : asked
  const granted = yield* state.grant({
    clientId: state.client.id,
    audience: form.get("resource") ?? undefined,
    scopes
  })
  return jsonResponse(200, {
    access_token: granted.token,
    token_type: "Bearer",
    expires_in: granted.expiresInSeconds,
    scope: scopes.join(" ")
  }, { "cache-control": "no-store" })
})

const routes: Readonly<Record<string, Endpoint>> = {
  "GET /jwks": jwks,
  "GET /oauth2/jwks": jwks,
  "GET /.well-known/openid-configuration": metadata,
  "GET /.well-known/oauth-authorization-server": metadata,
  "GET /oauth/userinfo": userinfo,
  "GET /oauth2/userinfo": userinfo,
  "POST /oauth2/introspection": introspection,
  "POST /oauth2/token": token
}

/**
 * Returns the ordinary response to a request.
 *
 * An issuer with a path has its endpoints below that path. Its metadata are also where RFC 8414, section 3.1, inserts the
 * well-known part before the path.
 */
export const respondTo = (state: IssuerState, request: ReceivedRequest): Effect.Effect<IssuerResponse> => {
  const base = new URL(state.issuer).pathname.replace(/\/$/, "")
  const inserted = request.path.startsWith("/.well-known/") && request.path.endsWith(base)
  const path = base === "" || !(inserted || request.path.startsWith(`${base}/`))
    ? request.path
    : inserted
    ? request.path.slice(0, -base.length)
    : request.path.slice(base.length)
  const known = base === "" || path !== request.path
  const endpoint = known ? routes[`${request.method} ${path}`] : undefined
  return endpoint === undefined
    ? Effect.succeed(jsonResponse(404, { error: "not_found" }))
    : endpoint(state, request)
}
