/** For each preset: its settings, the provider that stands in, and tokens as the provider's documentation describes them. */
import type { InvalidTokenReason } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { metadataOf, type Places, type Reply } from "../support/standIn.ts"

type Claims = Readonly<Record<string, unknown>>

/** A token that must be rejected: its difference from the valid one, the reason, and the text in the log. */
export interface Neighbour {
  readonly claims?: Claims
  readonly header?: Claims
  /** In place of a signed token. */
  readonly opaque?: string
  readonly reason: InvalidTokenReason
  /** A part of the detail. A page of the documentation repeats it. */
  readonly detail?: string
}

export interface PresetCase {
  readonly name: string
  /** The heading of the page with the settings and the token. Without one, both are here. */
  readonly page?: string
  readonly variables?: Readonly<Record<string, string>>
  readonly token?: Claims
  readonly header?: Claims
  /** The good token, where it is not a JWT with the claims of `token`. */
  readonly opaque?: string
  readonly places: Places
  readonly identity: Partial<Identity>
  /** The claim that names the client, unless no client is allowed or rejected by it. */
  readonly client?: string
  readonly neighbours: Readonly<Record<string, Neighbour>>
  /** The scopes that clients must request to get those of the token. */
  readonly requested?: ReadonlyArray<string>
}

/** The usual places of an OpenID provider. */
const oidcPlaces = (issuer: string, more: Claims = {}): Places => (jwks) => {
  const base = issuer.replace(/\/$/, "")
  return {
    [`${base}/.well-known/openid-configuration`]: metadataOf(issuer, `${base}/keys`, more),
    [`${base}/keys`]: { ...jwks }
  }
}

const tenant = "11111111-2222-3333-4444-555555555555"
const otherTenant = "22222222-2222-3333-4444-555555555555"
const app = "66666666-7777-8888-9999-000000000000"
const graph = "00000003-0000-0000-c000-000000000000"
const common = "https://login.microsoftonline.com"

const entraToken = {
  aud: app,
  azp: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
  azpacr: "0",
  oid: "99999999-8888-7777-6666-555555555555",
  scp: "mcp.read",
  sub: "pairwise",
  tid: tenant,
  ver: "2.0"
}

const entraIdentity = { subject: "99999999-8888-7777-6666-555555555555", scopes: ["mcp.read"] }

const bearerOf = (request: Request): string => request.headers.get("authorization")?.replace(/^Bearer /, "") ?? ""

/** Describes tokens by the bearer token of the request. */
const described = (descriptions: Readonly<Record<string, () => Response>>): Reply => (request) =>
  descriptions[bearerOf(request)]?.() ?? Response.json({ message: "Bad credentials" }, { status: 401 })

const googleDescription = {
  azp: "1234567890-notes.apps.googleusercontent.com",
  aud: "1234567890-notes.apps.googleusercontent.com",
  sub: "110169484474386276334",
  scope: "openid https://www.googleapis.com/auth/userinfo.email",
  exp: "1800003599",
  email: "ann@example.com",
  email_verified: "true"
}

const googleTokens: Readonly<Record<string, Claims>> = {
  "ya29.good": googleDescription,
  "ya29.other-app": {
    ...googleDescription,
    azp: "555-other.apps.googleusercontent.com",
    aud: "555-other.apps.googleusercontent.com"
  },
  "ya29.for-another-app": { ...googleDescription, aud: "555-other.apps.googleusercontent.com" },
  "ya29.no-user": { ...googleDescription, sub: undefined, email: undefined, email_verified: undefined },
  "ya29.expired": { ...googleDescription, exp: "1799990000" }
}

const githubUser = { login: "octocat", id: 583231, type: "User", name: "The Octocat", email: null }
const githubResponse = (headers: Record<string, string>) => () => Response.json(githubUser, { headers })

const gitlabToken = {
  resource_owner_id: 42,
  scope: ["openid", "read_user"],
  expires_in: 7200,
  application: { uid: "0123456789abcdef-notes" },
  created_at: 1_800_000_000
}

const okta = "https://dev-1234567.okta.com/oauth2/aus1notes"
const realm = "https://login.example.com/realms/notes"
const pool = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123"
const resource = "https://mcp.example.com/mcp"

export const presetCases: ReadonlyArray<PresetCase> = [
  {
    name: "entra",
    page: "Entra",
    // Entra publishes the same keys for all tenants, so the signature alone does not prove the tenant.
    places: (jwks) => ({
      [`${common}/${tenant}/v2.0/.well-known/openid-configuration`]: metadataOf(
        `${common}/${tenant}/v2.0`,
        `${common}/${tenant}/discovery/v2.0/keys`
      ),
      [`${common}/${tenant}/discovery/v2.0/keys`]: { ...jwks }
    }),
    identity: { ...entraIdentity, clientId: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", name: "Ann Example" },
    client: "azp",
    requested: [`api://${app}/mcp.read`],
    neighbours: {
      "for Microsoft Graph": {
        claims: { aud: graph },
        reason: "InvalidAudience",
        detail: `aud is "${graph}"; MCP_JWT_AUDIENCE is`
      },
      "for the client": { claims: { aud: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" }, reason: "InvalidAudience" },
      "of version 1.0": {
        claims: { iss: `https://sts.windows.net/${tenant}/`, ver: "1.0" },
        reason: "InvalidIssuer",
        detail: `iss is "https://sts.windows.net/${tenant}/"; configured:`
      },
      "of another tenant": {
        claims: { iss: `${common}/${otherTenant}/v2.0`, tid: otherTenant },
        reason: "InvalidIssuer",
        detail: `iss is "${common}/${otherTenant}/v2.0"; configured:`
      },
      "of another tenant, by tid alone": { claims: { tid: otherTenant }, reason: "InvalidIssuer" },
      "whose issuer is the template": { claims: { iss: `${common}/{tenantid}/v2.0` }, reason: "InvalidIssuer" },
      "an ID token": {
        claims: {
          aud: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
          azp: undefined,
          azpacr: undefined,
          scp: undefined,
          nonce: "n"
        },
        reason: "ValidationFailed",
        detail: "an ID token (it has a nonce and no scope), not an access token"
      }
    }
  },
  {
    name: "entra-v1",
    variables: { MCP_JWT_TENANTS: tenant, MCP_JWT_AUDIENCE: app, MCP_REQUIRED_SCOPES: "mcp.read" },
    token: {
      ...entraToken,
      iss: `https://sts.windows.net/${tenant}/`,
      aud: `api://${app}`,
      azp: undefined,
      azpacr: undefined,
      appid: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
      appidacr: "0",
      ver: "1.0"
    },
    places: (jwks) => ({
      [`${common}/${tenant}/.well-known/openid-configuration`]: metadataOf(
        `https://sts.windows.net/${tenant}/`,
        `${common}/common/discovery/keys`
      ),
      [`${common}/common/discovery/keys`]: { ...jwks }
    }),
    identity: { ...entraIdentity, clientId: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" },
    client: "appid",
    requested: [`api://${app}/mcp.read`],
    neighbours: {
      "of version 2.0": { claims: { iss: `${common}/${tenant}/v2.0` }, reason: "InvalidIssuer" },
      "of another tenant": { claims: { iss: `https://sts.windows.net/${otherTenant}/` }, reason: "InvalidIssuer" },
      "for another application": { claims: { aud: `api://${graph}` }, reason: "InvalidAudience" }
    }
  },
  {
    name: "entra-external-id",
    variables: { MCP_JWT_TENANTS: tenant, MCP_JWT_AUDIENCE: app, MCP_REQUIRED_SCOPES: "mcp.read" },
    token: { ...entraToken, iss: `https://${tenant}.ciamlogin.com/${tenant}/v2.0` },
    places: oidcPlaces(`https://${tenant}.ciamlogin.com/${tenant}/v2.0`),
    identity: entraIdentity,
    client: "azp",
    requested: [`api://${app}/mcp.read`],
    neighbours: {
      "of the workforce": { claims: { iss: `${common}/${tenant}/v2.0` }, reason: "InvalidIssuer" },
      "of another tenant": {
        claims: { iss: `https://${otherTenant}.ciamlogin.com/${otherTenant}/v2.0`, tid: otherTenant },
        reason: "InvalidIssuer"
      },
      "of another host": {
        claims: { iss: `https://${otherTenant}.ciamlogin.com/${tenant}/v2.0` },
        reason: "InvalidIssuer"
      }
    }
  },
  {
    name: "entra-b2c",
    variables: {
      MCP_JWT_TENANTS: tenant,
      MCP_JWT_AUDIENCE: app,
      MCP_DISCOVERY_URL:
        "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0/.well-known/openid-configuration",
      MCP_REQUIRED_SCOPES: "mcp.read"
    },
    token: {
      ...entraToken,
      iss: `https://contoso.b2clogin.com/${tenant}/v2.0/`,
      oid: undefined,
      sub: "99999999-8888-7777-6666-555555555555",
      tid: undefined,
      tfp: "B2C_1_signin"
    },
    places: (jwks) => ({
      "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0/.well-known/openid-configuration":
        metadataOf(
          `https://contoso.b2clogin.com/${tenant}/v2.0/`,
          "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/discovery/v2.0/keys"
        ),
      "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/discovery/v2.0/keys": { ...jwks }
    }),
    identity: entraIdentity,
    client: "azp",
    requested: [`api://${app}/mcp.read`],
    neighbours: {
      "of another tenant": {
        claims: { iss: `https://contoso.b2clogin.com/${otherTenant}/v2.0/` },
        reason: "InvalidIssuer"
      },
      "for another application": { claims: { aud: graph }, reason: "InvalidAudience" }
    }
  },
  {
    name: "google",
    page: "Google",
    opaque: "ya29.good",
    places: () => ({
      "https://oauth2.googleapis.com/tokeninfo": async (request) => {
        const token = new URLSearchParams(await request.text()).get("access_token") ?? ""
        const found = request.method === "POST" ? googleTokens[token] : undefined
        return found === undefined
          ? Response.json({ error: "invalid_token", error_description: "Invalid Value" }, { status: 400 })
          : Response.json(found)
      }
    }),
    identity: {
      subject: "110169484474386276334",
      issuer: "https://accounts.google.com",
      clientId: "1234567890-notes.apps.googleusercontent.com",
      scopes: ["openid", "https://www.googleapis.com/auth/userinfo.email"],
      email: "ann@example.com",
      emailVerified: true
    },
    neighbours: {
      "of another application": {
        opaque: "ya29.other-app",
        reason: "InvalidAudience",
        detail: "the client is not allowed: azp is \"555-other.apps.googleusercontent.com\""
      },
      "for another application": { opaque: "ya29.for-another-app", reason: "InvalidAudience" },
      "without the scope openid": { opaque: "ya29.no-user", reason: "MissingClaim", detail: "sub is missing" },
      "that has expired": { opaque: "ya29.expired", reason: "Expired" },
      "that Google does not know": {
        opaque: "ya29.revoked",
        reason: "Inactive",
        detail: "tokeninfo returned 400 invalid_token"
      },
      "an ID token": {
        claims: {
          ...googleDescription,
          iss: "https://accounts.google.com",
          exp: 1_800_003_599,
          scope: undefined,
          at_hash: "h"
        },
        reason: "ValidationFailed",
        detail: "an ID token (it has the claim at_hash), not an access token"
      },
      "an ID token with the other form of the issuer": {
        claims: { ...googleDescription, iss: "accounts.google.com", exp: 1_800_003_599, scope: undefined },
        reason: "ValidationFailed"
      }
    }
  },
  {
    name: "okta",
    page: "Okta",
    places: (jwks) => ({
      [`${okta}/.well-known/openid-configuration`]: metadataOf(okta, `${okta}/v1/keys`),
      [`${okta}/v1/keys`]: { ...jwks }
    }),
    identity: { subject: "00u1ann", principal: "user", clientId: "0oa1notes", scopes: ["notes:read"] },
    client: "cid",
    neighbours: {
      "of the org authorization server": {
        claims: { iss: "https://dev-1234567.okta.com", aud: "https://dev-1234567.okta.com" },
        reason: "InvalidIssuer",
        detail: "iss is \"https://dev-1234567.okta.com\"; configured:"
      },
      "of another authorization server": {
        claims: { iss: "https://dev-1234567.okta.com/oauth2/default" },
        reason: "InvalidIssuer"
      },
      "for another audience": {
        claims: { aud: "api://default" },
        reason: "InvalidAudience",
        detail: `aud is "api://default"; MCP_JWT_AUDIENCE is "${resource}"`
      },
      "an ID token": {
        claims: { aud: "0oa1notes", cid: undefined, scp: undefined, uid: undefined, at_hash: "h", amr: ["pwd"] },
        reason: "ValidationFailed",
        detail: "an ID token (it has the claim at_hash), not an access token"
      }
    }
  },
  {
    name: "auth0",
    page: "Auth0",
    places: (jwks) => ({
      "https://notes.eu.auth0.com/.well-known/openid-configuration": metadataOf(
        "https://notes.eu.auth0.com/",
        "https://notes.eu.auth0.com/.well-known/jwks.json"
      ),
      "https://notes.eu.auth0.com/.well-known/jwks.json": { ...jwks }
    }),
    identity: {
      subject: "auth0|64f0c0ffee",
      clientId: "TheClientIdOfTheMcpClient",
      scopes: ["openid", "profile", "notes:read"],
      groups: ["notes:read"]
    },
    client: "azp",
    neighbours: {
      "encrypted, because the client requested no API": {
        opaque: "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVydGV4dA.dGFn",
        reason: "MalformedToken",
        detail: "an encrypted token (JWE, five parts)"
      },
      "for another API": {
        claims: { aud: "https://notes.eu.auth0.com/api/v2/" },
        reason: "InvalidAudience",
        detail: `aud is "https://notes.eu.auth0.com/api/v2/"; MCP_JWT_AUDIENCE is "${resource}"`
      },
      "of another tenant": {
        claims: { iss: "https://notes.us.auth0.com/" },
        reason: "InvalidIssuer",
        detail: "iss is \"https://notes.us.auth0.com/\"; configured:"
      },
      "an ID token": {
        claims: {
          aud: "TheClientIdOfTheMcpClient",
          azp: undefined,
          scope: undefined,
          permissions: undefined,
          nonce: "n"
        },
        reason: "ValidationFailed",
        detail: "an ID token (it has a nonce and no scope), not an access token"
      }
    }
  },
  {
    name: "keycloak",
    page: "Keycloak",
    places: (jwks) => ({
      [`${realm}/.well-known/openid-configuration`]: metadataOf(realm, `${realm}/protocol/openid-connect/certs`),
      [`${realm}/protocol/openid-connect/certs`]: { ...jwks }
    }),
    identity: {
      subject: "0d8ac0de-5f5c-4b0e-9f0a-3c3a0f5c7f7e",
      clientId: "mcp-client",
      scopes: ["openid", "email", "notes:read"],
      email: "ann@example.com",
      groups: ["editor"]
    },
    client: "azp",
    neighbours: {
      "without the audience mapper": {
        claims: { aud: "account" },
        reason: "InvalidAudience",
        detail: `aud is "account"; MCP_JWT_AUDIENCE is "${resource}"`
      },
      "under the inner name of Keycloak": {
        claims: { iss: "http://keycloak:8080/realms/notes" },
        reason: "InvalidIssuer",
        detail: "iss is \"http://keycloak:8080/realms/notes\"; configured:"
      },
      "of another realm": { claims: { iss: "https://login.example.com/realms/master" }, reason: "InvalidIssuer" },
      "a lightweight one without a subject": {
        claims: { sub: undefined },
        reason: "MissingClaim",
        detail: "the token has no sub but belongs to a person's session"
      },
      "an ID token": {
        claims: { typ: "ID", aud: "mcp-client", scope: undefined },
        reason: "ValidationFailed",
        detail: "an ID token (typ is \"ID\"), not an access token"
      },
      "an offline token": { claims: { typ: "Offline" }, reason: "ValidationFailed" }
    }
  },
  {
    name: "cognito",
    page: "Cognito",
    places: (jwks) => ({
      [`${pool}/.well-known/openid-configuration`]: metadataOf(pool, `${pool}/.well-known/jwks.json`),
      [`${pool}/.well-known/jwks.json`]: { ...jwks }
    }),
    identity: {
      subject: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
      principal: "user",
      clientId: "1example23456789",
      scopes: ["openid", "notes/read"],
      groups: ["editors"]
    },
    client: "client_id",
    neighbours: {
      "of another app client": {
        claims: { client_id: "9other9876543" },
        reason: "InvalidAudience",
        detail: "the client is not allowed: client_id is \"9other9876543\""
      },
      "without a client": { claims: { client_id: undefined }, reason: "MissingClaim" },
      "an ID token": {
        claims: { token_use: "id", aud: "1example23456789", client_id: undefined, scope: undefined },
        reason: "ValidationFailed",
        detail: "an ID token (token_use is \"id\"), not an access token"
      },
      "of another user pool": {
        claims: { iss: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ZZZZZZZZZ" },
        reason: "InvalidIssuer",
        detail: "iss is \"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ZZZZZZZZZ\"; configured:"
      },
      "of the pool of the same name in another region": {
        claims: { iss: "https://cognito-idp.us-east-1.amazonaws.com/eu-central-1_AbCdEf123" },
        reason: "InvalidIssuer"
      }
    }
  },
  {
    name: "github",
    page: "GitHub",
    opaque: "gho_good",
    places: () => ({
      "https://api.github.com/user": described({
        gho_good: githubResponse({ "x-oauth-scopes": "read:user, repo", "x-oauth-client-id": "Ov23liNotesExample" }),
        gho_other: githubResponse({ "x-oauth-scopes": "read:user", "x-oauth-client-id": "Ov23liOtherExample" }),
        ghp_personal: githubResponse({ "x-oauth-scopes": "read:user, repo" }),
        github_pat_fine: githubResponse({})
      })
    }),
    identity: {
      subject: "583231",
      issuer: "https://github.com/login/oauth",
      clientId: "Ov23liNotesExample",
      scopes: ["read:user", "repo"],
      name: "The Octocat"
    },
    neighbours: {
      "a personal access token": {
        opaque: "ghp_personal",
        reason: "MissingClaim",
        detail: "the token names no client (x-oauth-client-id)"
      },
      "a fine-grained personal access token": { opaque: "github_pat_fine", reason: "MissingClaim" },
      "of another app": {
        opaque: "gho_other",
        reason: "InvalidAudience",
        detail: "the client is not allowed: x-oauth-client-id is \"Ov23liOtherExample\""
      },
      "that GitHub does not know": { opaque: "gho_revoked", reason: "Inactive", detail: "tokeninfo returned 401" }
    }
  },
  {
    name: "gitlab",
    page: "GitLab",
    opaque: "good",
    places: () => ({
      "https://gitlab.com/oauth/token/info": described({
        good: () => Response.json(gitlabToken),
        other: () => Response.json({ ...gitlabToken, application: { uid: "fedcba-other" } }),
        personal: () => Response.json({ ...gitlabToken, application: null }),
        "of-no-one": () => Response.json({ ...gitlabToken, resource_owner_id: null })
      })
    }),
    identity: {
      subject: "42",
      issuer: "https://gitlab.com",
      clientId: "0123456789abcdef-notes",
      scopes: ["openid", "read_user"],
      expiresAt: 1_800_007_200
    },
    neighbours: {
      "of another application": {
        opaque: "other",
        reason: "InvalidAudience",
        detail: "the client is not allowed: application.uid is \"fedcba-other\""
      },
      "a personal access token": {
        opaque: "personal",
        reason: "MissingClaim",
        detail: "the token names no client (application.uid)"
      },
      "of no user": { opaque: "of-no-one", reason: "MissingClaim" },
      "that GitLab does not know": { opaque: "unknown", reason: "Inactive" }
    }
  },
  {
    name: "authkit",
    variables: { MCP_JWT_ISSUER: "notes.authkit.app" },
    token: {
      iss: "https://notes.authkit.app",
      aud: resource,
      sub: "user_01ANN",
      client_id: "client_01MCP",
      sid: "app_consent_01",
      org_id: "org_01",
      scope: "openid profile"
    },
    places: (jwks) => ({ "https://notes.authkit.app/oauth2/jwks": { ...jwks } }),
    identity: { subject: "user_01ANN", clientId: "client_01MCP", scopes: ["openid", "profile"] },
    client: "client_id",
    neighbours: {
      "for the environment": { claims: { aud: "client_01ENVIRONMENT" }, reason: "InvalidAudience" },
      "of another environment": { claims: { iss: "https://other.authkit.app" }, reason: "InvalidIssuer" },
      "of a session in the customer's own application": {
        claims: { iss: "https://api.workos.com/user_management/client_01" },
        reason: "InvalidIssuer"
      }
    }
  },
  {
    name: "workos-connect",
    variables: { MCP_JWT_ISSUER: "https://notes.authkit.app", MCP_JWT_AUDIENCE: "client_01ENVIRONMENT" },
    token: {
      iss: "https://notes.authkit.app",
      aud: "client_01ENVIRONMENT",
      sub: "client_01M2M",
      client_id: "client_01M2M",
      org_id: "org_01",
      scope: "notes:read"
    },
    places: (jwks) => ({ "https://notes.authkit.app/oauth2/jwks": { ...jwks } }),
    identity: { subject: "client_01M2M", principal: "client", clientId: "client_01M2M", scopes: ["notes:read"] },
    client: "client_id",
    neighbours: {
      "of another environment": { claims: { aud: "client_02ENVIRONMENT" }, reason: "InvalidAudience" }
    }
  },
  {
    name: "ping",
    variables: { MCP_JWT_TENANTS: tenant, MCP_JWT_ISSUER: "https://auth.pingone.eu/{tenantid}/as" },
    token: {
      iss: `https://auth.pingone.eu/${tenant}/as`,
      aud: [resource],
      sub: "b1a2c3d4-0000-0000-0000-000000000000",
      client_id: "c0ffee00-0000-0000-0000-000000000000",
      scope: "notes:read",
      env: tenant,
      org: "org-1",
      sid: "s-1",
      auth_time: 1_800_000_000,
      acr: "Single_Factor"
    },
    header: { typ: "at+jwt" },
    places: oidcPlaces(`https://auth.pingone.eu/${tenant}/as`),
    identity: { subject: "b1a2c3d4-0000-0000-0000-000000000000", scopes: ["notes:read"] },
    client: "client_id",
    neighbours: {
      "of another environment": {
        claims: { iss: `https://auth.pingone.eu/${otherTenant}/as` },
        reason: "InvalidIssuer"
      },
      "of another region": { claims: { iss: `https://auth.pingone.com/${tenant}/as` }, reason: "InvalidIssuer" },
      "for PingOne's own API": { claims: { aud: ["https://api.pingone.eu"] }, reason: "InvalidAudience" }
    }
  },
  {
    name: "zitadel",
    variables: { MCP_JWT_ISSUER: "notes.zitadel.cloud", MCP_JWT_AUDIENCE: "2810000000000001" },
    token: {
      iss: "https://notes.zitadel.cloud",
      aud: ["2810000000000009@notes", "2810000000000001"],
      sub: "2810000000000042",
      client_id: "2810000000000009@notes",
      jti: "V2_1"
    },
    places: oidcPlaces("https://notes.zitadel.cloud"),
    identity: { subject: "2810000000000042", clientId: "2810000000000009@notes" },
    client: "client_id",
    neighbours: {
      "of another project": { claims: { aud: ["2820000000000001"] }, reason: "InvalidAudience" },
      "of another instance": { claims: { iss: "https://other.zitadel.cloud" }, reason: "InvalidIssuer" },
      "an ID token": {
        claims: { at_hash: "h", nonce: "n", client_id: undefined, azp: "2810000000000009@notes" },
        reason: "ValidationFailed"
      }
    }
  },
  {
    name: "authentik",
    variables: {
      MCP_JWT_ISSUER: "https://login.example.com/application/o/notes",
      MCP_JWT_AUDIENCE: "JUr9Notes"
    },
    token: {
      iss: "https://login.example.com/application/o/notes/",
      aud: "JUr9Notes",
      azp: "JUr9Notes",
      sub: "hashed-user-id",
      scope: "openid email profile",
      uid: "token-1",
      groups: ["editors"]
    },
    places: oidcPlaces("https://login.example.com/application/o/notes/"),
    identity: { subject: "hashed-user-id", clientId: "JUr9Notes", groups: ["editors"] },
    client: "azp",
    neighbours: {
      "of another application": {
        claims: { iss: "https://login.example.com/application/o/wiki/", aud: "Wiki", azp: "Wiki" },
        reason: "InvalidIssuer"
      },
      "an ID token": { claims: { scope: undefined, nonce: "n", at_hash: "h" }, reason: "ValidationFailed" }
    }
  },
  {
    name: "descope",
    variables: { MCP_JWT_ISSUER: "https://api.descope.com/v1/apps/agentic/P2abcNotes/M2xyz" },
    token: {
      iss: "https://api.descope.com/v1/apps/agentic/P2abcNotes/M2xyz",
      aud: ["UDJhYmM6client", "P2abcNotes"],
      azp: "UDJhYmM6client",
      sub: "U2ann",
      scope: "notes:read",
      drn: "DS"
    },
    places: oidcPlaces("https://api.descope.com/v1/apps/agentic/P2abcNotes/M2xyz"),
    identity: { subject: "U2ann", clientId: "UDJhYmM6client", scopes: ["notes:read"] },
    client: "azp",
    neighbours: {
      "of another project": { claims: { aud: ["P2other"] }, reason: "InvalidAudience" },
      "of another MCP server": {
        claims: { iss: "https://api.descope.com/v1/apps/agentic/P2abcNotes/M2other" },
        reason: "InvalidIssuer"
      },
      "a refresh token": { claims: { drn: "DSR" }, reason: "ValidationFailed" }
    }
  },
  {
    name: "clerk",
    variables: { MCP_JWT_ISSUER: "https://notes.clerk.accounts.dev" },
    header: { typ: "at+jwt" },
    token: {
      iss: "https://notes.clerk.accounts.dev",
      sub: "user_2ann",
      client_id: "clerkclient1",
      scope: "profile email",
      jti: "oat_1"
    },
    places: oidcPlaces("https://notes.clerk.accounts.dev"),
    identity: { subject: "user_2ann", clientId: "clerkclient1", scopes: ["profile", "email"] },
    client: "client_id",
    neighbours: {
      "of a browser session": {
        header: { typ: "JWT" },
        claims: { azp: "https://app.example.com", sid: "sess_1", client_id: undefined, scope: undefined },
        reason: "ValidationFailed"
      },
      "of another instance": { claims: { iss: "https://other.clerk.accounts.dev" }, reason: "InvalidIssuer" }
    }
  },
  {
    name: "stytch",
    variables: {
      MCP_JWT_ISSUER: "https://notes.customers.stytch.com",
      MCP_JWT_AUDIENCE: "project-live-1111"
    },
    token: {
      iss: "https://notes.customers.stytch.com",
      aud: ["project-live-1111"],
      sub: "user-live-ann",
      client_id: "connected-app-live-1",
      scope: "openid email"
    },
    places: oidcPlaces("https://notes.customers.stytch.com"),
    identity: { subject: "user-live-ann", clientId: "connected-app-live-1", scopes: ["openid", "email"] },
    client: "client_id",
    neighbours: {
      "of the test environment": { claims: { aud: ["project-test-1111"] }, reason: "InvalidAudience" },
      "of a session": { claims: { iss: "stytch.com/project-live-1111" }, reason: "InvalidIssuer" }
    }
  },
  {
    name: "ory",
    variables: {
      MCP_JWT_ISSUER: "https://notes.projects.oryapis.com",
      MCP_ALLOWED_CLIENTS: "mcp-client"
    },
    token: {
      iss: "https://notes.projects.oryapis.com",
      aud: [],
      sub: "f0c1ann",
      client_id: "mcp-client",
      scp: ["openid", "notes:read"],
      ext: {}
    },
    places: oidcPlaces("https://notes.projects.oryapis.com"),
    identity: { subject: "f0c1ann", clientId: "mcp-client", scopes: ["openid", "notes:read"] },
    client: "client_id",
    neighbours: {
      "of another client": { claims: { client_id: "other" }, reason: "InvalidAudience" },
      "of another project": { claims: { iss: "https://other.projects.oryapis.com" }, reason: "InvalidIssuer" }
    }
  }
]
