/** What the provider types for JWTs share. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Provider } from "../config/GatewaySettings.ts"
import { issuersOf } from "../config/kinds/issuerTemplate.ts"
import { describeOptional, readOptional } from "../config/providers/claimFields.ts"
import type { FieldReader } from "../config/providers/FieldReader.ts"
import type { ProviderFieldName } from "../config/providers/providerFields.ts"
import {
  audienceForResource,
  describeTokenFields,
  type GivenHost,
  type ProviderContext,
  readTenants,
  readTokenFields,
  tokenFields
} from "../config/providers/providerParts.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import type { Json } from "../identity/Json.ts"
import { JwksCache } from "../keys/JwksCache.ts"
import { fromPem } from "../keys/publicKey.ts"
import type { MetadataSource } from "../remote/ProviderMetadata.ts"
import type { JwtRules } from "../verify/jwt/jwtRules.ts"
import { makeJwtVerifier } from "../verify/jwt/JwtVerifier.ts"
import { makeCheckSignature } from "../verify/jwt/signature.ts"
import { tokenWarnings } from "./issuerWarnings.ts"
import { makeProviderKeys, remoteKeys } from "./jwtKeys.ts"
import type { ProviderType, Readiness } from "./ProviderType.ts"

/** Where a provider's keys come from. */
export type KeySource =
  | { readonly _tag: "Jwks"; readonly uri: string }
  /** The `jwks_uri` in the issuer's OpenID discovery document. */
  | { readonly _tag: "Discovery" }
  /** One public key in PEM (SPKI). */
  | { readonly _tag: "PublicKey"; readonly pem: string }

/** OAuth endpoints that the authorization server metadata advertise. */
export interface OAuthEndpoints {
  readonly authorize: string | undefined
  readonly token: string | undefined
  readonly userinfo: string | undefined
}

/** A provider whose tokens are JWTs that the issuer's public keys verify. */
export interface JwtProvider extends Provider, JwtRules {
  readonly type: "authkit" | "oidc"
  readonly keys: KeySource
  readonly endpoints: OAuthEndpoints
  /** The URL of the metadata, instead of the issuer's well-known URLs. */
  readonly discoveryUrl?: string | undefined
  /** `false`: serve the provider's metadata unchanged even if they do not name PKCE. */
  readonly assumePkce?: boolean | undefined
}

/** The fields that every type for JWTs uses. */
export const jwtFields: ReadonlyArray<ProviderFieldName> = [
  ...tokenFields,
  "jwks_uri",
  "public_key",
  "algorithms",
  "require_at_jwt",
  "authorize_endpoint",
  "token_endpoint",
  "userinfo_endpoint"
]

const discoveryField = { discovery_url: "discoveryUrl" } as const

/** The parts in which the types for JWTs differ. */
interface JwtResolving {
  readonly type: JwtProvider["type"]
  readonly context: ProviderContext
  readonly readIssuer: (fields: FieldReader) => string | undefined
  readonly defaultKeys: (issuer: string) => KeySource
  readonly defaultDomains?: (hosts: ReadonlyArray<GivenHost>) => ReadonlyArray<string>
}

/** Builds a provider of JWTs. Reports every problem and returns `undefined` if a field is wrong. */
export const resolveJwt = (
  fields: FieldReader,
  { context, readIssuer, type, defaultDomains, defaultKeys }: JwtResolving
): JwtProvider | undefined => {
  const jwksUri = fields.read("jwks_uri")
  const publicKey = fields.read("public_key")
  if (fields.given.has("jwks_uri") && fields.given.has("public_key")) {
    fields.report("public_key", {
      problem: `Cannot specify both ${fields.label("jwks_uri")} and ${fields.label("public_key")}`,
      fix: "Keep the key set if the issuer publishes one, otherwise the public key"
    })
  }
  const issuer = readIssuer(fields)
  const tenants = readTenants(fields)
  const given = readOptional(fields, { ...discoveryField, assume_pkce: "assumePkce" })
  const endpoints = {
    authorize: fields.read("authorize_endpoint"),
    token: fields.read("token_endpoint"),
    userinfo: fields.read("userinfo_endpoint")
  }
  const rest = {
    ...readTokenFields(
      fields,
      type,
      context,
      [
        ["issuer", issuer],
        ["jwks_uri", jwksUri],
        ["discovery_url", given.discoveryUrl],
        ["authorize_endpoint", endpoints.authorize],
        ["token_endpoint", endpoints.token],
        ["userinfo_endpoint", endpoints.userinfo]
      ],
      defaultDomains
    ),
    algorithms: fields.read("algorithms") ?? ["RS256" as const],
    requireAccessTokenType: fields.read("require_at_jwt") ?? false,
    endpoints
  }
  if (issuer === undefined) return undefined
  const keys: KeySource = jwksUri !== undefined
    ? { _tag: "Jwks", uri: jwksUri }
    : publicKey !== undefined
    ? { _tag: "PublicKey", pem: publicKey }
    : defaultKeys(issuer)
  return { ...rest, ...given, ...tenants, issuer, keys }
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
    // One usable tenant is enough: otherwise a failing tenant would make the gateway unready for all others.
    const best = phases.find(({ usable }) => usable) ?? phases[0]
    return { ready: best?.usable ?? false, state: best?.phase ?? "unavailable" }
  })
}

const makeKeySets = (provider: JwtProvider, { inspect }: JwksCache["Service"]) => {
  const sources = remoteKeys(provider)
  return inspect === undefined || sources.length === 0 ? undefined : Effect.sync(() => sources.map(inspect))
}

/**
 * The metadata document that clients need, even if the gateway itself does not, because the URL of the keys is
 * configured.
 */
const documentOf = (provider: JwtProvider): MetadataSource => {
  const { allowHttp, allowedDomains, discoveryUrl, issuer, tenants } = provider
  const [first = issuer] = issuersOf(provider)
  return discoveryUrl === undefined
    ? { issuer: first, allowHttp, allowedDomains }
    : { issuer, tenants, discoveryUrl, allowHttp, allowedDomains }
}

/** The members that every type for JWTs has. */
export const jwtType = {
  identifiedBy: ["issuer", "jwks_uri", "public_key"],
  describe: (provider) => ({
    ...describeTokenFields(provider),
    ...(provider.tenants === undefined ? {} : { tenants: provider.tenants }),
    ...describeOptional(discoveryField, provider),
    ...describeKeys(provider.keys),
    algorithms: provider.algorithms,
    require_at_jwt: provider.requireAccessTokenType,
    ...describeEndpoints(provider.endpoints)
  }),
  warnings: tokenWarnings,
  forResource: audienceForResource,
  ownTokens: (provider) => ({ _tag: "JwtsOf", issuers: issuersOf(provider) }),
  onlineChecks: (provider) =>
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
    const sources = remoteKeys(provider)
    yield* Effect.forEach(sources, (source) => cache.prefetch(source), { discard: true })
    const keys = yield* makeProviderKeys(provider)
    const { warm } = cache
    return {
      _tag: "Jwt",
      issuers: issuersOf(provider),
      ...makeJwtVerifier(provider, clockSkewSeconds, keys, yield* makeCheckSignature, yield* Clock.Clock),
      readiness: makeReadiness(provider, cache),
      keySets: makeKeySets(provider, cache),
      warm: sources.length === 0 || warm === undefined
        ? undefined
        : Effect.forEach(sources, warm, { concurrency: "unbounded", discard: true }),
      keys
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

// Required members of OpenID Connect Discovery 1.0, section 3, that RFC 8414 does not define.
const openIdMembers = {
  subject_types_supported: ["public"],
  claims_supported: ["sub", "iss", "aud", "exp", "iat", "email", "name"]
}

/** Members of every metadata document that the gateway builds itself. */
export const codeFlowMembers = (name: DocumentName, { algorithms, keys }: JwtProvider): Record<string, unknown> => ({
  ...(keys._tag === "Jwks" ? { jwks_uri: keys.uri } : {}),
  ...codeFlow,
  ...(name === "openid-configuration"
    ? { ...openIdMembers, id_token_signing_alg_values_supported: algorithms }
    : {})
})
