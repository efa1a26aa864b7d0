/**
 * What providers of several types have in common, read and checked.
 */
import * as Result from "effect/Result"
import { authkitDomains, matchesDomain } from "../kinds/domains.ts"
import { issuerMistake } from "../kinds/issuerMistakes.ts"
import { fillTemplate, isTemplate } from "../kinds/issuerTemplate.ts"
import { isLoopbackHost } from "../kinds/loopback.ts"
import { issuerUrl } from "../kinds/urls.ts"
import type { ContentOf } from "../sources/settingFiles.ts"
import type { FieldReader } from "./FieldReader.ts"
import type { ProviderFieldName, ProviderType } from "./providerFields.ts"

/** What a provider must know of the gateway's own settings. */
export interface ProviderContext {
  /** The resource identifier that the audience `auto` stands for, if the public URL is configured. */
  readonly resource: string | undefined
  /** The public URL is configured, and wrong: that has been complained about. */
  readonly publicUrlIsWrong?: boolean
  /** Hosts, beside this machine, that every provider may be asked over http at. */
  readonly allowHttp?: ReadonlyArray<string>
  /** What the files hold that fields such as `client_secret_file` name. */
  readonly contentOf?: ContentOf
}

export const readCommon = (fields: FieldReader, type: ProviderType) => ({
  name: fields.read("name") ?? type,
  requiredScopes: fields.read("required_scopes") ?? [],
  tokenPrefix: fields.read("token_prefix"),
  allowedDomains: [],
  ...readAllowHttp(fields)
})

/** The hosts that may be asked over http, after complaining about what is wrong with the provider's own list. */
const readAllowHttp = (fields: FieldReader): { readonly allowHttp?: ReadonlyArray<string> } => {
  fields.read("allow_http")
  return fields.allowHttp.length === 0 ? {} : { allowHttp: fields.allowHttp }
}

/** How claims become identities, as far as fields say so. */
export const readIdentityRules = (fields: FieldReader) => ({
  requireVerifiedEmail: fields.read("require_verified_email") ?? false
})

/** Whose tokens may come. */
export const allowedClients = (fields: FieldReader): ReadonlyArray<string> => fields.read("allowed_clients") ?? []

/** Where the metadata is, where that is configured. */
export const readDiscoveryUrl = (fields: FieldReader): { readonly discoveryUrl?: string } => {
  const url = fields.read("discovery_url")
  return url === undefined ? {} : { discoveryUrl: url }
}

/** The tenants of an issuer that has a place for them; complains where there is one without the other. */
export const readTenants = (fields: FieldReader): { readonly tenants?: ReadonlyArray<string> } => {
  const issuer = fields.given.get("issuer")?.value
  const tenants = fields.read("tenants")
  if (typeof issuer !== "string" || isTemplate(issuer)) return tenants === undefined ? {} : { tenants }
  if (fields.given.has("tenants")) {
    fields.complain("tenants", {
      problem: "has no use, because the issuer has no place for the tenant",
      cure: `Write {tenantid} into ${fields.label("issuer")} where the tenant stands, or remove it`
    })
  }
  return {}
}

/** Has the form of every provider's tenants. */
const exampleTenant = "00000000-0000-0000-0000-000000000000"

// With a scheme, or a bare domain: a name has no dots.
const looksLikeUrl = /:\/\/|^[^\s/:]+\.[^\s]+$/

/**
 * The issuer, which must be a URL unless `mayBeName`, in the operator's own spelling.
 *
 * @param mayBeName the keys are known without asking the issuer, so that it is compared and nothing else
 */
export const readIssuer = (fields: FieldReader, type: ProviderType, mayBeName = false): string | undefined => {
  if (!fields.given.has("issuer")) {
    fields.complain("issuer", {
      problem: `is missing; a provider of type ${type} needs it`,
      cure: type === "authkit"
        ? "Set it to your AuthKit domain, as in https://your-tenant.authkit.app"
        : "Set it to the issuer of your tokens, exactly as their iss claim has it"
    })
  }
  const issuer = fields.read("issuer")
  if (issuer === undefined) return undefined
  if (isTemplate(issuer) && !(type === "oidc" && fields.given.has("tenants"))) {
    fields.complain("issuer", {
      problem: "has a place for the tenant, which no token has",
      cure: type === "oidc"
        ? `Write the id of your tenant there, or name the tenants that are let in with ${fields.label("tenants")}`
        : "Write the id of your tenant there"
    })
    return undefined
  }
  // The place for the tenant may be in the host, where a URL cannot have braces.
  const example = fillTemplate(issuer, "tenant")
  const mistake = issuerMistake(fillTemplate(issuer, exampleTenant))
  if (mistake !== undefined) {
    fields.complain("issuer", mistake)
    return undefined
  }
  if (mayBeName && !looksLikeUrl.test(issuer)) return issuer
  const url = issuerUrl(example, fields.allowHttp)
  if (Result.isSuccess(url)) return url.success === example ? issuer : `https://${issuer}`
  for (const complaint of url.failure) fields.complain("issuer", complaint)
  return undefined
}

/** The audiences, with `auto` replaced by the resource identifier. */
export const audience = (
  fields: FieldReader,
  { publicUrlIsWrong = false, resource }: ProviderContext
): ReadonlyArray<string> => {
  const audience = fields.read("audience") ?? []
  if (!audience.includes("auto")) return audience
  if (resource === undefined) {
    if (publicUrlIsWrong) return audience
    fields.complain("audience", {
      problem: "is auto, but the public URL is not known before a request comes",
      cure: "Set MCP_PUBLIC_URL, or name the audience"
    })
    return audience
  }
  return audience.map((member) => member === "auto" ? resource : member)
}

type GivenUrl = readonly [ProviderFieldName, string | undefined]

const hostname = (url: string): string | undefined =>
  Result.getOrUndefined(Result.map(Result.try(() => new URL(url)), ({ hostname }) => hostname))

/**
 * The host patterns that hold for a provider; complains about URLs whose host matches none of them.
 *
 * Configured patterns hold for every URL. The patterns that AuthKit has by default also admit the issuer's own host,
 * because AuthKit can be served from the customer's domain and the operator has named that host himself, and loopback
 * hosts that are named in other URLs, because tests run the issuer there.
 *
 * @param urls the URLs as configured, not those that follow from the issuer
 */
export const allowedDomains = (
  fields: FieldReader,
  type: ProviderType,
  urls: ReadonlyArray<GivenUrl>
): ReadonlyArray<string> => {
  const hosts = urls.flatMap(([field, url]) => {
    const host = url === undefined ? undefined : hostname(url)
    return host === undefined ? [] : [{ field, host }]
  })
  const configured = fields.read("allowed_domains")
  if (configured === undefined && (type !== "authkit" || fields.given.has("allowed_domains"))) return []
  const patterns = configured ?? authkitDomains.concat(
    hosts.filter(({ field, host }) =>
      !matchesDomain(authkitDomains, host) && (field === "issuer" || isLoopbackHost(host))
    ).map(({ host }) => host)
  )
  for (const { field, host } of hosts) {
    if (matchesDomain(patterns, host)) continue
    fields.complain(field, {
      problem: "has a host that is not among the allowed domains",
      cure: `Correct it, or add its host to ${fields.label("allowed_domains")}`
    })
  }
  return [...new Set(patterns)]
}
