/** Settings of a single provider, and how it verifies tokens. */
import * as Result from "effect/Result"
import { clientAuthMethods } from "../GatewaySettings.ts"
import { algorithms } from "../kinds/algorithms.ts"
import { audience } from "../kinds/audience.ts"
import { claimNames, claimPaths } from "../kinds/claimPaths.ts"
import { clients } from "../kinds/clients.ts"
import { domains } from "../kinds/domains.ts"
import { facade } from "../kinds/facade.ts"
import { invalid } from "../kinds/kind.ts"
import { boolean, choice, issuer, secret, string, text } from "../kinds/kinds.ts"
import { publicKey } from "../kinds/publicKey.ts"
import { scopesRequested } from "../kinds/scopesRequested.ts"
import { staticTokens } from "../kinds/staticTokens.ts"
import { tenants } from "../kinds/tenants.ts"
import { tokenPrefix } from "../kinds/tokenPrefix.ts"
import { providerUrl } from "../kinds/urls.ts"
import { type Setting } from "./Setting.ts"

export const provider = {
  MCP_PROVIDER_PRESET: {
    kind: text,
    otherwise: "none",
    doc: "Fill in what the documentation of a provider says about its tokens: the name of a " +
      "[preset](../providers/presets/README.md). Settings that you give yourself take precedence."
  },
  MCP_PROVIDER_TYPE: {
    kind: text,
    aliases: ["AUTH_PROVIDER_TYPE"],
    otherwise: "from what is given",
    doc: "How tokens are verified; `jwt` means `oidc`."
  },
  MCP_PROVIDER_NAME: {
    kind: text,
    aliases: ["AUTH_PROVIDER_NAME"],
    otherwise: "the type",
    doc: "The name of the provider in identities and logs."
  },
  MCP_JWT_ISSUER: {
    kind: issuer,
    aliases: ["AUTH_PROVIDER_ISSUER", "AUTHKIT_ISSUER", "AUTHKIT_DOMAIN"],
    doc: "The issuer, exactly as the `iss` claim has it; a bare domain gets `https://`."
  },
  MCP_JWT_AUDIENCE: {
    kind: audience,
    aliases: ["AUTH_PROVIDER_AUDIENCE", "AUTHKIT_AUDIENCE"],
    otherwise: "not checked",
    doc: "Audiences of which a token must have one; `auto` is the public URL with the MCP path."
  },
  MCP_ALLOWED_CLIENTS: {
    kind: clients,
    otherwise: "not checked",
    doc: "OAuth clients whose tokens are accepted, by `client_id`, `azp`, `appid` and `cid`. For a token without " +
      "`aud`, this check replaces the check of the audience."
  },
  MCP_JWT_JWKS_URI: {
    kind: providerUrl,
    aliases: ["AUTH_PROVIDER_JWKS_URI", "AUTHKIT_JWKS_URI"],
    otherwise: "AuthKit: `{issuer}/oauth2/jwks`; OIDC: discovery",
    doc: "Where the issuer publishes its keys."
  },
  MCP_DISCOVERY_URL: {
    kind: providerUrl,
    otherwise: "the well-known places of the issuer",
    doc:
      "Where the issuer's metadata is, if it is not below the issuer or cannot be reached there. The document must " +
      "name the issuer."
  },
  MCP_JWT_TENANTS: {
    kind: tenants,
    otherwise: "none",
    doc: "Tenants that are allowed, if the issuer has a placeholder for the tenant: " +
      "`https://idp.example/{tenantid}/v2.0`."
  },
  MCP_ASSUME_PKCE: {
    kind: boolean,
    default: "true",
    doc: "Add PKCE (`S256`) to the metadata that clients get if the provider's document does not mention it, because " +
      "MCP clients give up without it. Set `false` for a provider that has no PKCE."
  },
  MCP_STAND_IN_METADATA: {
    kind: boolean,
    default: "false",
    doc: "Name the gateway as the authorization server, and list the provider's endpoints in the gateway's own " +
      "metadata, for clients that cannot use the provider's document."
  },
  MCP_JWT_PUBLIC_KEY: {
    kind: publicKey,
    inFile: true,
    doc: "The issuer's public key, in place of a key set; `\\n` stands for a line break."
  },
  MCP_JWT_ALGORITHM: { kind: algorithms, default: "RS256", doc: "Signature algorithms that are accepted." },
  MCP_REQUIRE_AT_JWT: { kind: boolean, default: "false", doc: "Accept only tokens of type `at+jwt` (RFC 9068)." },
  MCP_REQUIRE_VERIFIED_EMAIL: {
    kind: boolean,
    otherwise: "`false`, but rules and allow-lists look only at addresses whose `email_verified` is true",
    doc: "`true`: leave out an e-mail address unless `email_verified` is true. `false`: leave it out only if " +
      "`email_verified` is false; written explicitly, it also makes addresses without `email_verified` count for " +
      "the lists and rules."
  },
  MCP_SUBJECT_CLAIMS: {
    kind: claimNames,
    otherwise: "`sub`",
    doc: "Claims that name the caller: the first one that is present counts. A path leads into objects (`user.id`). " +
      "`email` counts only if it is verified."
  },
  MCP_CLIENT_CLAIMS: {
    kind: claimNames,
    otherwise: "`client_id, azp, appid, cid`",
    doc: "Claims that name the OAuth client: the first one that is present counts, and `MCP_ALLOWED_CLIENTS` is " +
      "compared with all of them."
  },
  MCP_SCOPE_CLAIMS: {
    kind: claimNames,
    otherwise: "`scope, scp`",
    doc: "Claims with the scopes of a token, as a string of words or an array: the first one that is present counts."
  },
  MCP_SCOPES_REQUESTED: {
    kind: scopesRequested,
    otherwise: "as in tokens",
    doc: "What clients must request to get a scope, if the provider spells it differently: `{\"read\": " +
      "\"api://app/read\"}`, or `{\"*\": \"api://app/{scope}\"}` for all. Metadata and challenges name these " +
      "scopes."
  },
  MCP_GROUP_CLAIMS: {
    kind: claimPaths,
    otherwise: "`groups, roles, realm_access.roles, resource_access.*.roles, permissions, cognito:groups`",
    doc: "Claims with the groups and roles of a caller, for rules: all of them count. A path leads into objects " +
      "(`realm_access.roles`), `*` stands for each member."
  },
  MCP_PROVIDER_HOSTS: {
    kind: domains,
    formerly: "MCP_ALLOWED_DOMAINS",
    aliases: ["AUTH_PROVIDER_ALLOWED_DOMAINS"],
    otherwise: "AuthKit: `*.authkit.app, *.workos.com` and the issuer's own host; else any",
    doc: "Hosts that the provider's URLs may have."
  },
  MCP_TOKEN_PREFIX: {
    kind: tokenPrefix,
    doc: "Tokens that begin with this prefix belong to this provider, regardless of their form."
  },
  MCP_OAUTH_AUTHORIZE_ENDPOINT: {
    kind: providerUrl,
    aliases: ["AUTH_PROVIDER_AUTHORIZE_ENDPOINT"],
    doc: "`authorization_endpoint` in the metadata that clients get."
  },
  MCP_OAUTH_TOKEN_ENDPOINT: {
    kind: providerUrl,
    aliases: ["AUTH_PROVIDER_TOKEN_ENDPOINT"],
    doc: "`token_endpoint` in the metadata that clients get."
  },
  MCP_OAUTH_USERINFO_ENDPOINT: {
    kind: providerUrl,
    aliases: ["AUTH_PROVIDER_USERINFO_ENDPOINT"],
    otherwise: "userinfo: `{issuer}/oauth/userinfo`, or from discovery if that does not respond",
    doc: "`userinfo_endpoint` in the metadata; for a userinfo provider, where tokens are verified."
  },
  MCP_STATIC_TOKENS: {
    kind: staticTokens,
    secret: true,
    doc: "Fixed tokens for development: `token:client:subject:scope,scope[:expiry]`, separated by `;`, or JSON."
  },
  MCP_TOKENINFO_URL: {
    kind: providerUrl,
    doc:
      "The endpoint at which the provider describes the token of a request, in its own format; tokens are verified " +
      "there."
  },
  MCP_TOKENINFO_PARAMETER: {
    kind: string(
      "text",
      (name) =>
        /^[A-Za-z0-9_.-]{1,64}$/.test(name)
          ? Result.succeed(name)
          : invalid("is not the name of a parameter", "Write access_token, or the provider's name for it")
    ),
    otherwise: "GET with a bearer token",
    doc: "The parameter of a form in which that endpoint expects the token."
  },
  MCP_INTROSPECTION_URL: {
    kind: providerUrl,
    otherwise: "from discovery",
    doc: "The introspection endpoint (RFC 7662)."
  },
  MCP_CLIENT_AUTH: {
    kind: choice(clientAuthMethods),
    default: "basic",
    doc:
      "How the gateway authenticates at the introspection endpoint: HTTP Basic, `client_id` and `client_secret` in " +
      "the form (`post`), the secret as a bearer token, or not at all."
  },
  MCP_CLIENT_ID: { kind: text, doc: "The client id for introspection." },
  MCP_CLIENT_SECRET: { kind: secret, secret: true, doc: "The client secret, or bearer token, for introspection." },
  MCP_FACADE: {
    kind: facade,
    secret: true,
    otherwise: "clients sign in at the provider itself",
    doc: "Make the gateway the authorization server that clients see, for a provider without registration, PKCE or " +
      "`resource`: [an object](../facade/README.md) with the client that is registered at the provider."
  }
} as const satisfies Record<string, Setting>
