/** Microsoft Entra ID, External ID and Azure AD B2C. */
import { type Facts, type GivenValue, type Need, offlineAccess, type Preset, type PresetMistake } from "./Preset.ts"

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const guidUri = /^api:\/\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i

const tenantNeed: Need = {
  fields: ["tenants", "issuer"],
  fix: "Set it to the Directory (tenant) ID of the app registration; for several tenants, to a list of their ids"
}

const audienceNeed: Need = {
  fields: ["audience"],
  fix: "Set it to the Application (client) ID of the app registration that stands for the MCP server"
}

/**
 * `oid` is the same in all applications of a tenant, while `sub` differs between them. Programs have `roles` instead of
 * `scp`.
 */
const claims: Facts = {
  subject_claims: ["oid", "sub"],
  client_claims: ["azp", "appid"],
  scope_claims: ["scp", "roles"]
}

const namesOtherThanIds = (given: GivenValue): ReadonlyArray<PresetMistake> =>
  (given("tenants") ?? []).every((tenant) => guid.test(tenant)) ? [] : [{
    field: "tenants",
    problem: "names an Entra tenant by something other than its id",
    fix: "Write the Directory (tenant) ID, as the claim tid has it"
  }]

/** Tokens of version 2.0 have the id of the application in `aud`, even if clients request its URI. */
const withIds = (given: GivenValue): Facts => {
  const audience = given("audience")
  if (audience === undefined) return {}
  const ids = audience.flatMap((one) => guidUri.exec(one)?.[1]?.toLowerCase() ?? [])
  return { audience: [...new Set([...audience, ...ids])] }
}

/** Tokens of version 1.0 have the URI of the application in `aud`, or its id if clients request that. */
const withUris = (given: GivenValue): Facts => {
  const audience = given("audience")
  if (audience === undefined) return {}
  const uris = audience.filter((one) => guid.test(one)).map((id) => `api://${id}`)
  return { audience: [...new Set([...audience, ...uris])] }
}

const withoutId = (given: GivenValue): ReadonlyArray<PresetMistake> => {
  const audience = given("audience")
  return audience === undefined || audience.some((one) => guid.test(one) || guidUri.test(one)) ? [] : [{
    field: "audience",
    problem: "has no Application (client) ID, which is what tokens of version 2.0 have in aud",
    fix: "Add the Application (client) ID of the app registration; keep its URI for the scopes that clients request"
  }]
}

/** Clients request scopes with the URI of the application before them, but tokens contain them without it. */
const scopesOf = (given: GivenValue): Facts => {
  const audience = given("audience") ?? []
  const id = audience.find((one) => guid.test(one))
  const uri = audience.find((one) => one !== "auto" && one.includes("://")) ??
    (id === undefined ? undefined : `api://${id}`)
  return uri === undefined ? {} : { scopes_requested: { "*": `${uri.replace(/\/$/, "")}/{scope}` } }
}

const mistakesOfVersion2 = (given: GivenValue): ReadonlyArray<PresetMistake> => [
  ...namesOtherThanIds(given),
  ...withoutId(given)
]

export const entra = {
  name: "entra",
  sources: [
    "https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference",
    "https://learn.microsoft.com/entra/identity-platform/access-tokens"
  ],
  needs: [tenantNeed, audienceNeed],
  fields: { type: "oidc", issuer: "https://login.microsoftonline.com/{tenantid}/v2.0", ...claims },
  derive: scopesOf,
  complete: withIds,
  facade: offlineAccess,
  mistakes: mistakesOfVersion2
} as const satisfies Preset

/** For app registrations whose manifest has `requestedAccessTokenVersion` 1 or `null`. */
export const entraVersion1 = {
  name: "entra-v1",
  sources: ["https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference"],
  needs: [tenantNeed, audienceNeed],
  fields: { type: "oidc", issuer: "https://sts.windows.net/{tenantid}/", ...claims },
  derive: (given) => {
    const [tenant = "common", second] = given("tenants") ?? []
    const place = second === undefined ? tenant : "common"
    return {
      ...(given("issuer") === undefined
        ? { discovery_url: `https://login.microsoftonline.com/${place}/.well-known/openid-configuration` }
        : {}),
      ...scopesOf(given)
    }
  },
  complete: withUris,
  facade: offlineAccess,
  mistakes: namesOtherThanIds
} as const satisfies Preset

export const entraExternalId = {
  ...entra,
  name: "entra-external-id",
  sources: [
    "https://learn.microsoft.com/entra/external-id/customers/concept-supported-features-customers",
    "https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference"
  ],
  fields: { ...entra.fields, issuer: "https://{tenantid}.ciamlogin.com/{tenantid}/v2.0" }
} as const satisfies Preset

/**
 * Each user flow has its own metadata document, with its own keys and endpoints, but all flows have the same issuer.
 */
export const entraB2c = {
  name: "entra-b2c",
  sources: ["https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview"],
  needs: [
    {
      fields: ["discovery_url"],
      fix:
        "Set it to the address of the user flow's OpenID configuration document, as the page of the user flow shows it"
    },
    tenantNeed,
    audienceNeed
  ],
  fields: { type: "oidc", ...claims },
  derive: (given) => {
    const url = given("discovery_url")
    return {
      ...(url === undefined ? {} : { issuer: `https://${new URL(url).host}/{tenantid}/v2.0/` }),
      ...scopesOf(given)
    }
  },
  complete: withIds,
  facade: offlineAccess,
  mistakes: mistakesOfVersion2
} as const satisfies Preset
