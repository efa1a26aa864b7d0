/** Quirks of well-known identity providers, by the host of the issuer. Pure. */

import { type PresetName, presets } from "../providers/presets/presets.ts"

/** Facts about one provider. */
export interface Quirks {
  readonly name: string
  /** How the provider differs from what MCP clients expect. */
  readonly summary: string
  readonly advice: string
  /** Better advice for single findings than that of their rules. */
  readonly fixes?: Readonly<Record<string, string>> | undefined
}

interface Known extends Quirks {
  readonly preset?: PresetName
  /** Matches the host and the path of the issuer. */
  readonly matches: RegExp
}

const giveClientId =
  "Register one client at the provider, and give its id to each MCP client: Claude and ChatGPT ask for it in the " +
  "advanced settings of the connector, VS Code asks when it connects, Cursor takes auth.CLIENT_ID in mcp.json. Or let this gateway register clients in the provider's place (facade)."

const known: ReadonlyArray<Known> = [
  {
    name: "Microsoft Entra ID",
    preset: "entra",
    matches:
      /^(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|[^/]+\.ciamlogin\.com)\//,
    summary:
      "no registration of clients, no PKCE methods in its metadata (it supports S256), access tokens for your API only if clients " +
      "ask for a scope api://…/name, and the parameter resource is rejected if it differs from the scope's API.",
    advice:
      "Expose an API with a scope, advertise the scope as api://…/name, set requestedAccessTokenVersion to 2, and " +
      giveClientId,
    fixes: {
      "pkce-absent":
        "Entra supports S256 and does not say so. Clients that insist need metadata from the gateway in place of Entra's.",
      "registration-none": giveClientId,
      "server-other-issuer":
        "Use the issuer with your tenant's id: https://login.microsoftonline.com/TENANT/v2.0, not common or organizations.",
      "token-audience":
        "Entra's aud is the id of the API's app registration (or api://…), never a URL: configure it as the audience."
    }
  },
  {
    name: "Google",
    preset: "google",
    matches: /^accounts\.google\.com\/?$/,
    summary:
      "no registration of clients, access tokens are opaque and are not for your server, and resource is ignored.",
    advice: "Verify tokens at Google's tokeninfo or userinfo endpoint and require your own client id. " + giveClientId,
    fixes: { "registration-none": giveClientId }
  },
  {
    name: "Okta",
    preset: "okta",
    matches: /^[^/]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com\//,
    summary:
      "registration needs an API token, and tokens of the org server (an issuer without /oauth2/…) cannot be verified by others.",
    advice: "Use a custom authorization server (https://…/oauth2/default) with your audience and scopes. " +
      giveClientId,
    fixes: {
      "registration-none": giveClientId,
      "registration-closed": giveClientId,
      "server-scopes":
        "Create the scopes at the custom authorization server, and permit them in one of its access policies.",
      "token-audience":
        "Okta's aud is the audience of the custom authorization server: set it to the URL of the MCP server."
    }
  },
  {
    name: "Auth0",
    preset: "auth0",
    matches: /^[^/]+\.(?:[a-z]{2}\.)?auth0\.com\//,
    summary:
      "the issuer ends with a slash, registration is off by default, and without an audience tokens are opaque or encrypted.",
    advice:
      "Enable Dynamic Client Registration and the Resource Parameter Compatibility Profile in the tenant's advanced settings, promote " +
      "the connections to domain level, and create an API whose identifier is the URL of the MCP server.",
    fixes: {
      "registration-none":
        "Enable Dynamic Client Registration in the tenant's advanced settings, and promote connections to domain level.",
      "server-issuer-slash": "Auth0's issuer ends with a slash: write it with the slash in authorization_servers.",
      "token-rejected":
        "Create an API whose identifier is the URL of the MCP server, and enable the Resource Parameter Compatibility Profile."
    }
  },
  {
    name: "Keycloak",
    preset: "keycloak",
    matches: /^[^/]+\/(?:.*\/)?realms\/[^/]+\/?$/,
    summary:
      "registration from unknown hosts is rejected by the policy Trusted Hosts, resource is ignored by most versions, and aud is " +
      "\"account\" without a mapper.",
    advice:
      "Add a client scope with an Audience mapper for the URL of the MCP server as a default scope of the realm. For registration, " +
      "adapt the policies Trusted Hosts and Allowed Client Scopes under Clients, Client registration.",
    fixes: {
      "registration-closed":
        "Realm, Clients, Client registration: remove the policy Trusted Hosts or add the clients' hosts, and permit the " +
        "advertised scopes in Allowed Client Scopes.",
      "server-endpoint-private": "Set KC_HOSTNAME to the public URL of Keycloak.",
      "server-endpoint-http": "Set KC_HOSTNAME to the https URL, and KC_PROXY_HEADERS=xforwarded behind a proxy.",
      "token-audience": "Add a client scope with an Audience mapper for the URL of the MCP server, as a default scope.",
      "token-rejected":
        "Usually the audience: add a client scope with an Audience mapper for the URL of the MCP server."
    }
  },
  {
    name: "Amazon Cognito",
    preset: "cognito",
    matches: /^cognito-idp(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\//,
    summary:
      "no registration of clients, no PKCE methods in its metadata (it supports S256), and access tokens have client_id in place " +
      "of aud unless resource binding is used.",
    advice:
      "Check client_id in place of the audience, or bind tokens to a resource server whose identifier is the URL of the MCP server. " +
      giveClientId,
    fixes: {
      "pkce-absent":
        "Cognito supports S256 and does not say so. Clients that insist need metadata from the gateway in place of Cognito's.",
      "registration-none": giveClientId,
      "token-audience": "Cognito's access tokens have no aud by default: configure the permitted client ids instead."
    }
  },
  {
    name: "GitHub",
    preset: "github",
    matches: /^github\.com\/login\/oauth\/?$/,
    summary: "no registration of clients, opaque tokens without an audience, and scopes that are GitHub's own.",
    advice: "Verify tokens at https://api.github.com/user, and permit only the id of your OAuth app. " + giveClientId,
    fixes: { "registration-none": giveClientId }
  },
  {
    name: "WorkOS AuthKit",
    matches: /^[^/]+\.authkit\.app\/?$/,
    summary: "registration and client ID metadata documents are switches in the dashboard, off by default.",
    advice: "Enable them under Connect, Configuration, and add the URL of the MCP server as a resource indicator.",
    fixes: {
      "registration-none":
        "Enable Client ID Metadata Document or Dynamic Client Registration under Connect, Configuration."
    }
  },
  {
    name: "Clerk",
    preset: "clerk",
    matches: /^[^/]+\.(?:clerk\.accounts\.dev|accounts\.dev|clerk\.com)\/?$/,
    summary:
      "registration is a switch in the dashboard, off by default, and access tokens are opaque unless JWTs are enabled.",
    advice: "Enable Dynamic client registration under OAuth applications.",
    fixes: { "registration-none": "Enable Dynamic client registration under OAuth applications in Clerk's dashboard." }
  },
  {
    name: "Descope",
    preset: "descope",
    matches: /^api\.(?:[a-z0-9-]+\.)?descope\.com\//,
    summary: "registration is part of an Inbound App or MCP server entry, and off for projects without one.",
    advice: "Create an MCP server in the console and use its issuer.",
    fixes: { "registration-none": "Enable Dynamic Client Registration for the MCP server in Descope's console." }
  },
  {
    name: "Ping Identity",
    preset: "ping",
    matches: /^auth\.pingone\.(?:com|eu|asia|ca|com\.au|sg)\//,
    summary: "registration needs a token, and aud is that of a custom resource.",
    advice: "Create a custom resource whose audience is the URL of the MCP server. " + giveClientId,
    fixes: { "registration-none": giveClientId, "registration-closed": giveClientId }
  },
  {
    name: "Hugging Face",
    matches: /^huggingface\.co\/?$/,
    summary: "access tokens are opaque and have no audience.",
    advice: "Verify tokens at the userinfo endpoint."
  },
  {
    name: "GitLab",
    preset: "gitlab",
    matches: /^gitlab\.com\/?$/,
    summary: "access tokens are opaque and have no audience.",
    advice: "Verify tokens at the userinfo or introspection endpoint, and permit only the ids of your applications."
  },
  {
    name: "Zitadel",
    preset: "zitadel",
    matches: /^[^/]+\.zitadel\.cloud\/?$/,
    summary:
      "clients cannot register, access tokens are opaque unless JWT is chosen for the application, and aud needs a scope.",
    advice: "Choose JWT as the type of access tokens. " + giveClientId,
    fixes: { "registration-none": giveClientId }
  },
  {
    name: "authentik",
    preset: "authentik",
    matches: /^[^/]+\/application\/o\/[^/]+\/?$/,
    summary: "each application has an issuer of its own, with a slash at the end, and aud is the client id.",
    advice: "Advertise the issuer of the application with its slash. " + giveClientId,
    fixes: {
      "registration-none": giveClientId,
      "server-issuer-slash": "authentik's issuer ends with a slash: write it with the slash in authorization_servers."
    }
  },
  {
    name: "Stytch",
    preset: "stytch",
    matches: /^[^/]+\.(?:customers\.stytch\.(?:dev|com)|stytch\.com)\/|^(?:test|api)\.stytch\.com\//,
    summary: "registration is a switch of Connected Apps in the dashboard.",
    advice: "Enable dynamic client registration under Connected Apps.",
    fixes: { "registration-none": "Enable dynamic client registration under Connected Apps in Stytch's dashboard." }
  },
  {
    name: "Ory",
    preset: "ory",
    matches: /^[^/]+\.projects\.oryapis\.com\/?$/,
    summary: "registration is off by default, and access tokens are opaque unless the strategy jwt is chosen.",
    advice:
      "Enable dynamic client registration in the project's OAuth2 settings, and choose the strategy jwt, or use introspection.",
    fixes: { "registration-none": "Enable dynamic client registration in the project's OAuth2 settings." }
  }
]

/** What this gateway knows about the provider, and where that is documented. */
const ofPreset = (name: PresetName | undefined): string => {
  const preset = presets.find((one) => one.name === name)
  return preset === undefined ? "" : ` In this gateway: preset ${preset.name}. Documentation: ${preset.sources[0]}`
}

export const quirksOf = (issuer: string): Quirks | undefined => {
  if (!URL.canParse(issuer)) return undefined
  const { hostname, pathname } = new URL(issuer)
  const found = known.find(({ matches }) => matches.test(`${hostname}${pathname}`))
  return found && { ...found, advice: `${found.advice}${ofPreset(found.preset)}` }
}

/** Returns the better fix for a finding, if one of the providers has it. */
export const providerFix = (issuers: ReadonlyArray<string>, code: string): string | undefined => {
  for (const issuer of issuers) {
    const fixes = quirksOf(issuer)?.fixes
    if (fixes !== undefined && Object.hasOwn(fixes, code)) return fixes[code]
  }
  return undefined
}
