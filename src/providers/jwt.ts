/** What the types have in common whose tokens are JWTs. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Provider } from "../config/GatewaySettings.ts"
import { issuersOf } from "../config/kinds/issuerTemplate.ts"
import type { FieldReader } from "../config/providers/FieldReader.ts"
import type { ProviderFieldName } from "../config/providers/providerFields.ts"
import {
  allowedClients,
  allowedDomains,
  audience,
  type GivenHost,
  type ProviderContext,
  readCommon,
  readDiscoveryUrl,
  readIdentityRules,
  readTenants
} from "../config/providers/providerParts.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import type { Json } from "../identity/Json.ts"
import { JwksCache } from "../keys/JwksCache.ts"
import { fromPem } from "../keys/publicKey.ts"
import type { MetadataSource } from "../remote/ProviderMetadata.ts"
import { type JwtRules, makeJwtVerifier } from "../verify/jwt/JwtVerifier.ts"
import { makeJudgeSignature } from "../verify/jwt/signature.ts"
import { audienceWarnings } from "./issuerWarnings.ts"
import { makeProviderKeys, remoteKeys } from "./jwtKeys.ts"
import type { ProviderType, Readiness } from "./ProviderType.ts"

/** Where the keys come from: exactly one of three. */
export type KeySource =
  | { readonly _tag: "Jwks"; readonly uri: string }
  /** `jwks_uri` of the issuer's OpenID discovery document. */
  | { readonly _tag: "Discovery" }
  /** One public key, PEM (SPKI). */
  | { readonly _tag: "PublicKey"; readonly pem: string }

/** OAuth endpoints that are advertised in the authorization server metadata. */
export interface OAuthEndpoints {
  readonly authorize: string | undefined
  readonly token: string | undefined
  readonly userinfo: string | undefined
}

/** A provider whose tokens are JWTs, verified with the issuer's public keys. */
export interface JwtProvider extends Provider, JwtRules {
  readonly type: "authkit" | "oidc"
  readonly keys: KeySource
  readonly endpoints: OAuthEndpoints
  /** Where the metadata are, in place of the issuer's well-known places. */
  readonly discoveryUrl?: string | undefined
  /** `false`: show clients the provider's metadata as they are even if they do not name PKCE. */
  readonly assumePkce?: boolean | undefined
}

/** The fields that all of them use. */
export const jwtFields = [
  "issuer",
  "audience",
  "allowed_clients",
  "jwks_uri",
  "public_key",
  "algorithms",
  "require_at_jwt",
  "require_verified_email",
  "hosts",
  "allow_http",
  "authorize_endpoint",
  "token_endpoint",
  "userinfo_endpoint"
] as const satisfies ReadonlyArray<ProviderFieldName>

/** What one type has that others do not. */
interface JwtResolving {
  readonly type: JwtProvider["type"]
  readonly context: ProviderContext
  readonly readIssuer: (fields: FieldReader) => string | undefined
  /** Where the keys are if no field says so. */
  readonly usualKeys: (issuer: string) => KeySource
  readonly usualDomains?: (hosts: ReadonlyArray<GivenHost>) => ReadonlyArray<string>
}

/** A provider of JWTs, or `undefined` after reporting everything that is wrong with it. */
export const resolveJwt = (
  fields: FieldReader,
  { context, readIssuer, type, usualDomains, usualKeys }: JwtResolving
): JwtProvider | undefined => {
  const jwksUri = fields.read("jwks_uri")
  const publicKey = fields.read("public_key")
  if (fields.given.has("jwks_uri") && fields.given.has("public_key")) {
    fields.report("public_key", {
      problem: `Cannot specify both ${fields.label("jwks_uri")} and ${fields.label("public_key")}`,
      cure: "Keep the key set if the issuer publishes one, else the public key"
    })
  }
  const issuer = readIssuer(fields)
  const tenants = readTenants(fields)
  const discovery = readDiscoveryUrl(fields)
  const assumePkce = fields.read("assume_pkce")
  const endpoints = {
    authorize: fields.read("authorize_endpoint"),
    token: fields.read("token_endpoint"),
    userinfo: fields.read("userinfo_endpoint")
  }
  const rest = {
    ...readCommon(fields, type),
    ...readIdentityRules(fields),
    audience: audience(fields, context),
    allowedClients: allowedClients(fields),
    algorithms: fields.read("algorithms") ?? ["RS256" as const],
    requireAccessTokenType: fields.read("require_at_jwt") ?? false,
    endpoints,
    allowedDomains: allowedDomains(fields, [
      ["issuer", issuer],
      ["jwks_uri", jwksUri],
      ["discovery_url", discovery.discoveryUrl],
      ["authorize_endpoint", endpoints.authorize],
      ["token_endpoint", endpoints.token],
      ["userinfo_endpoint", endpoints.userinfo]
    ], usualDomains)
  }
  if (issuer === undefined) return undefined
  const keys: KeySource = jwksUri !== undefined
    ? { _tag: "Jwks", uri: jwksUri }
    : publicKey !== undefined
    ? { _tag: "PublicKey", pem: publicKey }
    : usualKeys(issuer)
  return { ...rest, ...discovery, ...tenants, ...(assumePkce === undefined ? {} : { assumePkce }), issuer, keys }
}

type Members = { readonly [member: string]: Json }

const describeKeys = (keys: KeySource): Members => {
  switch (keys._tag) {
    case "Jwks":
      return { jwks_uri: keys.uri }
    case "Discovery":
      return { jwks_uri: "(from the issuer's discovery document)" }
    case "PublicKey":
      return { public_key: "(PEM)" }
  }
}

const describeEndpoints = ({ authorize, token, userinfo }: OAuthEndpoints): Members => ({
  authorize_endpoint: authorize ?? null,
  token_endpoint: token ?? null,
  userinfo_endpoint: userinfo ?? null
})

const makeReadiness = (provider: JwtProvider, cache: JwksCache["Service"]): Effect.Effect<Readiness> | undefined => {
  const sources = remoteKeys(provider)
  if (sources.length === 0) return undefined
  return Effect.map(Effect.forEach(sources, (source) => cache.phase(source)), (phases) => {
    // Of several tenants one is enough: one in trouble is no reason to turn those of the others away.
    const best = phases.find(({ usable }) => usable) ?? phases[0]
    return { ready: best?.usable ?? false, state: best?.phase ?? "unavailable" }
  })
}

/** Keys that are where the operator says do not need the issuer's document, but clients do. */
const documentOf = (provider: JwtProvider): MetadataSource => {
  const { allowHttp, allowedDomains, discoveryUrl, issuer, tenants } = provider
  const [first = issuer] = issuersOf(provider)
  return discoveryUrl === undefined
    ? { issuer: first, allowHttp, allowedDomains }
    : { issuer, tenants, discoveryUrl, allowHttp, allowedDomains }
}

/** The part that all of them share. */
export const jwtType = {
  identifiedBy: ["issuer", "jwks_uri", "public_key"],
  describe: (provider) => ({
    issuer: provider.issuer,
    audience: provider.audience,
    allowed_clients: provider.allowedClients,
    ...(provider.tenants === undefined ? {} : { tenants: provider.tenants }),
    ...(provider.discoveryUrl === undefined ? {} : { discovery_url: provider.discoveryUrl }),
    ...describeKeys(provider.keys),
    algorithms: provider.algorithms,
    require_at_jwt: provider.requireAccessTokenType,
    require_verified_email: provider.requireVerifiedEmail,
    ...describeEndpoints(provider.endpoints)
  }),
  warnings: (provider, { settings }) => audienceWarnings(provider, settings),
  ownTokens: (provider) => ({ _tag: "JwtsOf", issuers: issuersOf(provider) }),
  asks: (provider) =>
    remoteKeys(provider).map((source) => ({
      _tag: "Keys",
      source,
      algorithms: provider.algorithms,
      metadata: source._tag === "Discovery" ? source : documentOf(provider)
    })),
  checkKeys: ({ algorithms, keys, name }) =>
    keys._tag === "PublicKey" ? Effect.asVoid(fromPem(name, keys.pem, algorithms)) : Effect.void,
  register: Effect.fnUntraced(function*(provider, { clockSkewSeconds }) {
    const cache = yield* JwksCache
    yield* Effect.forEach(remoteKeys(provider), (source) => cache.prefetch(source), { discard: true })
    return {
      _tag: "Jwt",
      issuers: issuersOf(provider),
      verify: makeJwtVerifier(
        provider,
        clockSkewSeconds,
        yield* makeProviderKeys(provider),
        yield* makeJudgeSignature,
        yield* Clock.Clock
      ),
      readiness: makeReadiness(provider, cache)
    }
  })
} as const satisfies Partial<ProviderType<JwtProvider>>

const codeFlow = {
  response_types_supported: ["code"],
  response_modes_supported: ["query"],
  grant_types_supported: ["authorization_code", "refresh_token"],
  code_challenge_methods_supported: ["S256"],
  token_endpoint_auth_methods_supported: ["none", "client_secret_post", "client_secret_basic"]
}

// OpenID Connect Discovery 1.0, section 3: required members that OAuth's own document does not have.
const openIdMembers = {
  subject_types_supported: ["public"],
  claims_supported: ["sub", "iss", "aud", "exp", "iat", "email", "name"]
}

/** What the metadata say of every authorization server whose document is put together here. */
export const codeFlowMembers = (name: DocumentName, { algorithms, keys }: JwtProvider): Record<string, unknown> => ({
  ...(keys._tag === "Jwks" ? { jwks_uri: keys.uri } : {}),
  ...codeFlow,
  ...(name === "openid-configuration"
    ? { ...openIdMembers, id_token_signing_alg_values_supported: algorithms }
    : {})
})
