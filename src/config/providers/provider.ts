/**
 * One provider from its fields.
 */
import * as Result from "effect/Result"
import type {
  ClientAuth,
  IntrospectionProvider,
  Provider,
  StaticProvider,
  UserinfoProvider
} from "../GatewaySettings.ts"
import { authkitDomains, matchesDomain } from "../kinds/domains.ts"
import { withoutSlash } from "../kinds/resourceUrl.ts"
import { issuerUrl } from "../kinds/urls.ts"
import type { FieldReader } from "./FieldReader.ts"
import { resolveJwtProvider } from "./jwtProvider.ts"
import { providerFieldNames, providerFields, type ProviderType } from "./providerFields.ts"
import {
  allowedClients,
  allowedDomains,
  audience,
  type ProviderContext,
  readCommon,
  readDiscoveryUrl,
  readIdentityRules,
  readIssuer
} from "./providerParts.ts"

const isAuthKitIssuer = (issuer: string): boolean => {
  const url = issuerUrl(issuer)
  return Result.isSuccess(url) && matchesDomain(authkitDomains, new URL(url.success).hostname)
}

const authKitSpelling = /^(?:SPIN_VARIABLE_)?AUTHKIT_/i

/** The type that is given, else the one that the other fields tell; `undefined` if a wrong one is given. */
const readType = ({ given, read }: FieldReader): ProviderType | undefined => {
  if (given.has("type")) {
    const type = read("type")
    return type === "jwt" ? "oidc" : type
  }
  const issuer = given.get("issuer")?.value
  const spellings = [...given.values()].flatMap(({ spellings }) => spellings)
  if (spellings.some((spelling) => authKitSpelling.test(spelling))) return "authkit"
  if (typeof issuer === "string" && isAuthKitIssuer(issuer.trim())) return "authkit"
  return given.has("tokens") && issuer === undefined ? "static" : "oidc"
}

const resolveStatic = (fields: FieldReader): StaticProvider | undefined => {
  const tokens = fields.read("tokens")
  if (!fields.given.has("tokens")) {
    fields.complain("tokens", {
      problem: "No static tokens configured",
      cure: "Give token:client:subject:scope,scope[:expiry], several separated by semicolons"
    })
  }
  return tokens === undefined ? undefined : { ...readCommon(fields, "static"), type: "static", tokens }
}

const resolveUserinfo = (fields: FieldReader): UserinfoProvider | undefined => {
  const issuer = readIssuer(fields, "userinfo")
  const endpoint = fields.read("userinfo_endpoint")
  const discovery = readDiscoveryUrl(fields)
  const common = { ...readCommon(fields, "userinfo"), ...readIdentityRules(fields) }
  const domains = allowedDomains(fields, "userinfo", [
    ["issuer", issuer],
    ["userinfo_endpoint", endpoint],
    ["discovery_url", discovery.discoveryUrl]
  ])
  return issuer === undefined
    ? undefined
    : {
      ...common,
      type: "userinfo",
      issuer,
      allowedDomains: domains,
      ...discovery,
      ...(endpoint === undefined
        ? { userinfoEndpoint: `${withoutSlash(issuer)}/oauth/userinfo`, endpointIsGuess: true }
        : { userinfoEndpoint: endpoint })
    }
}

/** What each way to authenticate needs, and what it has no use for. */
const credentials = {
  basic: { needs: ["client_id", "client_secret"], others: [] },
  post: { needs: ["client_id", "client_secret"], others: [] },
  bearer: { needs: ["client_secret"], others: ["client_id"] },
  none: { needs: [], others: ["client_id", "client_secret"] }
} as const

/** How the gateway authenticates, after complaining about what is missing or of no use. */
const readClientAuth = (fields: FieldReader): ClientAuth | undefined => {
  const method = fields.read("client_auth") ?? (fields.given.has("client_auth") ? undefined : "basic")
  const clientId = fields.read("client_id")
  const clientSecret = fields.read("client_secret")
  if (method === undefined) return undefined
  const way = `${fields.label("client_auth")} is ${method}`
  for (const field of credentials[method].needs) {
    if (!fields.given.has(field)) {
      fields.complain(field, {
        problem: "is missing; a provider of type introspection needs it",
        cure: `Set it, or choose another way to authenticate with ${fields.label("client_auth")}`
      })
    }
  }
  for (const field of credentials[method].others) {
    if (fields.given.has(field)) {
      fields.complain(field, { problem: `has no use where ${way}`, cure: "Remove it, or choose another way" })
    }
  }
  if (method === "none") return { method }
  if (clientSecret === undefined) return undefined
  if (method === "bearer") return { method, token: clientSecret }
  return clientId === undefined ? undefined : { method, clientId, clientSecret }
}

const resolveIntrospection = (fields: FieldReader, context: ProviderContext): IntrospectionProvider | undefined => {
  const issuer = readIssuer(fields, "introspection")
  const introspectionEndpoint = fields.read("introspection_endpoint")
  const discovery = readDiscoveryUrl(fields)
  const clientAuth = readClientAuth(fields)
  const rest = {
    ...readCommon(fields, "introspection"),
    ...readIdentityRules(fields),
    audience: audience(fields, context),
    allowedClients: allowedClients(fields),
    allowedDomains: allowedDomains(fields, "introspection", [
      ["issuer", issuer],
      ["introspection_endpoint", introspectionEndpoint],
      ["discovery_url", discovery.discoveryUrl]
    ])
  }
  const isWrong = introspectionEndpoint === undefined && fields.given.has("introspection_endpoint")
  return issuer === undefined || isWrong || clientAuth === undefined
    ? undefined
    : { ...rest, ...discovery, type: "introspection", issuer, introspectionEndpoint, clientAuth }
}

/** A provider, or `undefined` after complaining about everything that is wrong with it. */
export const resolveProvider = (fields: FieldReader, context: ProviderContext): Provider | undefined => {
  const type = readType(fields)
  if (type === undefined) {
    // Its fields cannot be judged together, but each for itself.
    for (const field of providerFieldNames) if (field !== "type") fields.read(field)
    return undefined
  }
  for (const field of fields.given.keys()) {
    if (!providerFields[field].types.includes(type)) {
      fields.complain(field, {
        problem: `has no use for a provider of type ${type}`,
        cure: `Remove it, or choose another type with ${fields.label("type")}`
      })
    }
  }
  switch (type) {
    case "authkit":
    case "oidc":
      return resolveJwtProvider(fields, type, context)
    case "static":
      return resolveStatic(fields)
    case "userinfo":
      return resolveUserinfo(fields)
    case "introspection":
      return resolveIntrospection(fields, context)
  }
}
