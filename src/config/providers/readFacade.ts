/** Reads and checks the facade of a provider, member by member. */
import * as Result from "effect/Result"
import { nearestName, showMember } from "../../errors/nearestName.ts"
import type { Facade, FacadeAuth } from "../Facade.ts"
import { facadeFiles, type FacadeMember, facadeMembers } from "../kinds/facade.ts"
import { fromJson, fromText, type Kind, permit } from "../kinds/kind.ts"
import { fromSettingFile, givenTwice, noFiles } from "../sources/settingFiles.ts"
import type { Given } from "../sources/Source.ts"
import type { FieldReader } from "./FieldReader.ts"
import type { ProviderContext } from "./providerParts.ts"

type Value<M extends FacadeMember> = (typeof facadeMembers)[M] extends Kind<infer A> ? A : never

const isMember = (name: string): name is FacadeMember => Object.hasOwn(facadeMembers, name)

// `Object.keys` has no narrower type; the table is a constant.
const memberNames = Object.keys(facadeMembers) as ReadonlyArray<FacadeMember>

/** Returns the members as found, after reporting unknown ones. */
const membersOf = (fields: FieldReader, value: object, { contentOf = noFiles }: ProviderContext) => {
  const members = new Map<FacadeMember, Given>()
  const source = fields.given.get("facade")?.source
  const label = (name: string) => fields.label(`facade.${name}`)
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    const file = facadeFiles.get(name)
    const own = isMember(name) ? name : file
    if (own === undefined) {
      const meant = nearestName(name, [...memberNames, ...facadeFiles.keys()])
      fields.report(`facade.${showMember(name)}`, {
        problem: "is not a member of a facade",
        fix: meant === undefined ? `Known are ${memberNames.join(", ")}` : `Did you mean ${meant}?`
      })
      continue
    }
    const found: Given = { value: member, isText: false, source, spellings: [name] }
    const other = members.get(own)
    if (other !== undefined) {
      const { fix, problem } = givenTwice(label(own), other.spellings.join(), name)
      fields.report(`facade.${own}`, { problem, fix })
    }
    const read = file === undefined ? undefined : fromSettingFile(label(name), found, contentOf)
    if (read?.problem !== undefined) fields.report(`facade.${name}`, read.problem)
    members.set(own, read?.given ?? found)
  }
  return members
}

type Read = <M extends FacadeMember>(member: M) => Value<M> | undefined

/** Returns how the gateway authenticates at the provider, after reporting missing and unused fields. */
const readAuth = (fields: FieldReader, given: ReadonlyMap<FacadeMember, Given>, read: Read): FacadeAuth | undefined => {
  const clientSecret = read("client_secret")
  const clientKey = read("client_key")
  const keyId = read("client_key_id")
  const certificateThumbprint = read("client_certificate_thumbprint")
  const algorithm = read("client_key_algorithm") ?? "RS256"
  const method = read("client_auth") ?? (given.has("client_key") ? "private_key_jwt" as const : undefined)
  const needs = (member: FacadeMember, fix: string) => {
    if (!given.has(member)) fields.report(`facade.${member}`, { problem: "is missing", fix })
  }
  const hasNoUse = (...members: ReadonlyArray<FacadeMember>) => {
    for (const member of members) {
      if (!given.has(member)) continue
      fields.report(`facade.${member}`, {
        problem: `is unused when ${fields.label("facade.client_auth")} is ${method ?? "basic or post"}`,
        fix: "Remove it, or choose another way to authenticate"
      })
    }
  }
  const keyMembers = ["client_key", "client_key_id", "client_key_algorithm", "client_certificate_thumbprint"] as const
  switch (method) {
    case "private_key_jwt":
      needs("client_key", "Give the private key whose public key or certificate the provider knows")
      hasNoUse("client_secret")
      return clientKey && { method, clientKey, algorithm, keyId, certificateThumbprint }
    case "none":
      hasNoUse("client_secret", ...keyMembers)
      return { method }
    case undefined:
      hasNoUse(...keyMembers.slice(1))
      if (!given.has("client_secret")) return { method: "none" }
      return clientSecret && { method, clientSecret }
    default:
      needs("client_secret", "Set it, or client_secret_file, or choose another way with client_auth")
      hasNoUse(...keyMembers)
      return clientSecret && { method, clientSecret }
  }
}

/**
 * Returns whether the provider exchanges assertions, and their issuer, after reporting assertions that could not be
 * verified.
 */
const readAssertions = (
  fields: FieldReader,
  given: ReadonlyMap<FacadeMember, Given>,
  read: Read,
  hasKeys: boolean
): Pick<Facade, "assertions" | "assertionIssuer"> => {
  const assertions = read("assertions") ?? false
  if (assertions && !hasKeys && !given.has("assertion_issuer")) {
    fields.report("facade.assertions", {
      problem: "is true, but the provider publishes no key set that could verify assertions",
      fix: `Set ${fields.label("facade.assertion_issuer")} to the issuer of the assertions, or remove it`
    })
  }
  if (!assertions && given.has("assertion_issuer")) {
    fields.report("facade.assertion_issuer", {
      problem: `is unused unless ${fields.label("facade.assertions")} is true`,
      fix: "Remove it, or set assertions to true if the provider exchanges identity assertions"
    })
  }
  return { assertions, assertionIssuer: read("assertion_issuer") }
}

/**
 * Reads the facade of a provider. Reports every problem and returns `undefined` if a member is wrong, or if there is no facade.
 *
 * @param hasMetadata whether the provider's endpoints can be found in its metadata
 * @param hasKeys whether the provider publishes one key set, which can verify the provider's own assertions
 */
export const readFacade = (
  fields: FieldReader,
  context: ProviderContext,
  hasMetadata: boolean,
  hasKeys: boolean
): Facade | undefined => {
  const value = fields.read("facade")
  if (value === undefined) return undefined
  const given = membersOf(fields, value, context)
  const read: Read = (member) => {
    const found = given.get(member)
    if (found === undefined || found.fromFile === "Unusable") return undefined
    // The kind of this very member.
    const kind = facadeMembers[member] as unknown as Kind<Value<typeof member>>
    const decoded = found.isText && typeof found.value === "string"
      ? fromText(kind, found.value)
      : fromJson(kind, found.value)
    const usable = Result.flatMap(decoded, (usable) => permit(kind, usable, fields.allowHttp))
    if (Result.isSuccess(usable)) return usable.success
    for (const mistake of usable.failure) fields.report(`facade.${member}`, mistake)
    return undefined
  }
  for (const member of ["client_id", "redirect_uris"] as const) {
    if (!given.has(member)) {
      fields.report(`facade.${member}`, {
        problem: "is missing",
        fix: member === "client_id"
          ? "Register the gateway as a client at the provider, and give the id of that client"
          : "Name the redirect URIs of your clients, as in http://127.0.0.1/callback"
      })
    }
  }
  const endpoints = {
    authorizeEndpoint: read("authorize_endpoint"),
    tokenEndpoint: read("token_endpoint"),
    revocationEndpoint: read("revocation_endpoint")
  }
  if (!hasMetadata) {
    for (const member of ["authorize_endpoint", "token_endpoint"] as const) {
      if (!given.has(member)) {
        fields.report(`facade.${member}`, {
          problem: "is missing, and the provider has no metadata that would name it",
          fix: "Give the URL from the documentation of the provider"
        })
      }
    }
  }
  const clientId = read("client_id")
  const redirectUris = read("redirect_uris")
  const auth = readAuth(fields, given, read)
  const rest = {
    trustedClients: read("trusted_clients") ?? [],
    registration: read("registration") ?? true,
    ...readAssertions(fields, given, read, hasKeys),
    clientMetadata: read("client_metadata") ?? true,
    clientMetadataHosts: read("client_metadata_hosts") ?? [],
    scopes: read("scopes") ?? [],
    resource: read("resource"),
    authorizeParameters: read("authorize_parameters") ?? [],
    tokenParameters: read("token_parameters") ?? [],
    pkce: read("pkce") ?? true,
    requestsPerMinute: read("requests_per_minute") ?? 300
  }
  if (clientId === undefined || redirectUris === undefined || auth === undefined) return undefined
  return { clientId, redirectUris, auth, ...endpoints, ...rest }
}

/** The facade in the output of `--check`, in the terms of the config file, without secrets. */
export const describeFacade = (facade: Facade) => ({
  client_id: facade.clientId,
  client_auth: facade.auth.method ?? "(as the provider's metadata say)",
  ...("clientSecret" in facade.auth ? { client_secret: "(hidden)" } : {}),
  ...(facade.auth.method === "private_key_jwt"
    ? { client_key: "(hidden)", client_key_algorithm: facade.auth.algorithm, client_key_id: facade.auth.keyId ?? null }
    : {}),
  redirect_uris: facade.redirectUris,
  trusted_clients: facade.trustedClients,
  registration: facade.registration,
  assertions: facade.assertions,
  assertion_issuer: facade.assertionIssuer ?? null,
  client_metadata: facade.clientMetadata,
  client_metadata_hosts: facade.clientMetadataHosts,
  scopes: facade.scopes,
  resource: facade.resource ?? null,
  authorize_parameters: Object.fromEntries(facade.authorizeParameters),
  token_parameters: Object.fromEntries(facade.tokenParameters),
  pkce: facade.pkce,
  authorize_endpoint: facade.authorizeEndpoint ?? null,
  token_endpoint: facade.tokenEndpoint ?? null,
  revocation_endpoint: facade.revocationEndpoint ?? null,
  requests_per_minute: facade.requestsPerMinute
})
