/** Reads and checks what providers of several types have in common. */
import * as Result from "effect/Result"
import { matchesDomain } from "../kinds/domains.ts"
import { issuerMistake } from "../kinds/issuerMistakes.ts"
import { fillTemplate, isTemplate } from "../kinds/issuerTemplate.ts"
import { issuerUrl } from "../kinds/urls.ts"
import type { ContentOf } from "../sources/settingFiles.ts"
import { claimFields, describeClaimFields, readClaimFields } from "./claimFields.ts"
import type { FieldReader } from "./FieldReader.ts"
import type { ProviderFieldName } from "./providerFields.ts"

/** The gateway's own settings that a provider needs. */
export interface ProviderContext {
  /** The resource identifier that replaces the audience `auto`, if the public URL is configured. */
  readonly resource: string | undefined
  /**
   * Whether there are several MCP servers, each with its own resource identifier. Then `auto` is replaced later
   * (`forResource`).
   */
  readonly isForSeveral?: boolean
  /** Whether the public URL is configured but invalid, which has been reported. */
  readonly publicUrlIsWrong?: boolean
  /** Hosts that may be requested over http for every provider, in addition to this machine. */
  readonly allowHttp?: ReadonlyArray<string>
  /** The contents of the files that fields such as `client_secret_file` name. */
  readonly contentOf?: ContentOf
}

/** The fields of every provider. The default of its name is its type. */
export const readCommon = <const Type extends string>(fields: FieldReader, type: Type) => ({
  type,
  name: fields.read("name") ?? type,
  requiredScopes: fields.read("required_scopes") ?? [],
  tokenPrefix: fields.read("token_prefix"),
  allowedDomains: [],
  ...readAllowHttp(fields)
})

/** Returns the hosts that may be requested over http, after reporting problems of the provider's own list. */
const readAllowHttp = (fields: FieldReader): { readonly allowHttp?: ReadonlyArray<string> } => {
  fields.read("allow_http")
  return fields.allowHttp.length === 0 ? {} : { allowHttp: fields.allowHttp }
}

/**
 * Returns the tenants of an issuer with a placeholder. Reports tenants without a placeholder, and a placeholder without
 * tenants.
 */
export const readTenants = (fields: FieldReader): { readonly tenants?: ReadonlyArray<string> } => {
  const issuer = fields.given.get("issuer")?.value
  const tenants = fields.read("tenants")
  if (typeof issuer !== "string" || isTemplate(issuer)) return tenants === undefined ? {} : { tenants }
  if (fields.given.has("tenants")) {
    fields.report("tenants", {
      problem: "has no use, because the issuer has no place for the tenant",
      fix: `Write {tenantid} into ${fields.label("issuer")} where the tenant stands, or remove it`
    })
  }
  return {}
}

/** Returns whether a text looks like a provider's issuer for any tenant. */
const exampleTenant = "00000000-0000-0000-0000-000000000000"

// With a scheme, or a bare domain: names have no dots.
const looksLikeUrl = /:\/\/|^[^\s/:]+\.[^\s]+$/

interface IssuerRules {
  /** How to fix a missing issuer. */
  readonly example?: string
  /** Whether the keys do not come from the issuer, so that it is only compared, and need not be a URL. */
  readonly mayBeName?: boolean
  /** Whether it may have a placeholder for the tenant, if tenants are given. */
  readonly mayBeTemplate?: boolean
}

const usualExample = "Set it to the issuer of your tokens, exactly as their iss claim has it"

/** The issuer as the operator has written it. */
export const readIssuer = (
  fields: FieldReader,
  type: string,
  { example: fix = usualExample, mayBeName = false, mayBeTemplate = false }: IssuerRules = {}
): string | undefined => {
  if (!fields.given.has("issuer")) {
    fields.report("issuer", { problem: `is missing; a provider of type ${type} needs it`, fix })
  }
  const issuer = fields.read("issuer")
  if (issuer === undefined) return undefined
  if (isTemplate(issuer) && !(mayBeTemplate && fields.given.has("tenants"))) {
    fields.report("issuer", {
      problem: "has a place for the tenant, which no token has",
      fix: mayBeTemplate
        ? `Write the id of your tenant there, or name the tenants that are let in with ${fields.label("tenants")}`
        : "Write the id of your tenant there"
    })
    return undefined
  }
  // The placeholder may be part of the host, and `URL` accepts no braces there.
  const example = fillTemplate(issuer, "tenant")
  const mistake = issuerMistake(fillTemplate(issuer, exampleTenant))
  if (mistake !== undefined) {
    fields.report("issuer", mistake)
    return undefined
  }
  if (mayBeName && !looksLikeUrl.test(issuer)) return issuer
  const url = issuerUrl(example, fields.allowHttp)
  if (Result.isSuccess(url)) return url.success === example ? issuer : `https://${issuer}`
  for (const mistake of url.failure) fields.report("issuer", mistake)
  return undefined
}

/** The placeholder for the resource identifier of the MCP server. */
const auto = "auto"

const withResource = (audience: ReadonlyArray<string>, resource: string): ReadonlyArray<string> =>
  audience.map((member) => member === auto ? resource : member)

/** The audiences, with `auto` replaced by the resource identifier. */
const readAudience = (
  fields: FieldReader,
  { isForSeveral = false, publicUrlIsWrong = false, resource }: ProviderContext
): ReadonlyArray<string> => {
  const audience = fields.read("audience") ?? []
  if (isForSeveral || !audience.includes(auto)) return audience
  if (resource === undefined) {
    if (publicUrlIsWrong) return audience
    fields.report("audience", {
      problem: "is auto, but the public URL is not known before a request comes",
      fix: "Set MCP_PUBLIC_URL, or name the audience"
    })
    return audience
  }
  return withResource(audience, resource)
}

interface ForAudiences {
  readonly audience: ReadonlyArray<string>
  readonly allowedClients: ReadonlyArray<string>
}

/**
 * Returns a provider in which the audience `auto` is replaced by the resource identifier of one of several MCP servers,
 * if that is known.
 *
 * `auto` is also the default if no audience is configured, because a token for one server must not be accepted by
 * another.
 */
export const audienceForResource = <P extends ForAudiences>(
  provider: P,
  resource: string | undefined
): P | undefined => {
  const { allowedClients, audience } = provider
  const wanted = audience.length === 0 && allowedClients.length === 0 ? [auto] : audience
  if (!wanted.includes(auto)) return provider
  return resource === undefined ? undefined : { ...provider, audience: withResource(wanted, resource) }
}

/** The fields with URLs that are configured, without URLs derived from the issuer. */
export type GivenUrl = readonly [ProviderFieldName, string | undefined]

export interface GivenHost {
  readonly field: ProviderFieldName
  readonly host: string
}

const hostname = (url: string): string | undefined =>
  Result.getOrUndefined(Result.map(Result.try(() => new URL(url)), ({ hostname }) => hostname))

/**
 * Returns the host patterns for a provider. Reports a URL whose host matches none of them.
 *
 * @param usual the patterns of the type, for a provider without its own patterns; any host is allowed without either
 */
export const allowedDomains = (
  fields: FieldReader,
  urls: ReadonlyArray<GivenUrl>,
  usual: (hosts: ReadonlyArray<GivenHost>) => ReadonlyArray<string> = () => []
): ReadonlyArray<string> => {
  const hosts = urls.flatMap(([field, url]) => {
    const host = url === undefined ? undefined : hostname(url)
    return host === undefined ? [] : [{ field, host }]
  })
  const configured = fields.read("hosts")
  const patterns = configured ?? (fields.given.has("hosts") ? [] : usual(hosts))
  if (patterns.length === 0) return []
  for (const { field, host } of hosts) {
    if (matchesDomain(patterns, host)) continue
    fields.report(field, {
      problem: "has a host that is not among the allowed domains",
      fix: `Correct it, or add its host to ${fields.label("hosts")}`
    })
  }
  return [...new Set(patterns)]
}

/** The fields of the types whose tokens have an issuer and may have an audience. */
export const tokenFields: ReadonlyArray<ProviderFieldName> = [
  "issuer",
  "audience",
  "allowed_clients",
  ...claimFields,
  "hosts",
  "allow_http"
]

/**
 * Reads what the providers of these types have in common.
 *
 * @param urls their URLs
 * @param usual as for `allowedDomains`
 */
export const readTokenFields = <const Type extends string>(
  fields: FieldReader,
  type: Type,
  context: ProviderContext,
  urls: ReadonlyArray<GivenUrl>,
  usual?: (hosts: ReadonlyArray<GivenHost>) => ReadonlyArray<string>
) => ({
  ...readCommon(fields, type),
  ...readClaimFields(fields),
  audience: readAudience(fields, context),
  allowedClients: fields.read("allowed_clients") ?? [],
  allowedDomains: allowedDomains(fields, urls, usual)
})

/** Returns the members for these fields in the output of `--check`. */
export const describeTokenFields = (
  provider: ForAudiences & Parameters<typeof describeClaimFields>[0] & { readonly issuer: string }
) => ({
  issuer: provider.issuer,
  audience: provider.audience,
  allowed_clients: provider.allowedClients,
  ...describeClaimFields(provider)
})
