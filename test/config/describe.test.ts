import { assert, describe, it } from "@effect/vitest"
import { describe as describeSettings } from "../../src/config/describe.ts"
import { fileKey, settingNames, settings } from "../../src/config/settings.ts"
import { leaks } from "../support/canary.ts"
import { settingsOfInput } from "./resolving.ts"

const secrets = ["c4n4ry-token-0123456789abcdefghijk", "c4n4ry-secret-0123456789"] as const

const everything = settingsOfInput({
  public_url: "https://mcp.example.com",
  trusted_proxies: ["10.0.0.0/8"],
  allowed_origins: ["https://app.example.com"],
  required_scopes: ["a"],
  providers: [
    { issuer: "t.authkit.app", audience: "auto" },
    {
      issuer: "my-issuer",
      public_key:
        "-----BEGIN PUBLIC KEY-----MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=-----END PUBLIC KEY-----",
      algorithms: ["EdDSA"]
    },
    { issuer: "https://issuer.example", name: "discovered" },
    { type: "userinfo", issuer: "https://opaque.example", token_prefix: "mat_" },
    {
      type: "introspection",
      issuer: "https://asked.example",
      introspection_endpoint: "https://asked.example/i",
      client_id: "gateway",
      client_secret: secrets[1]
    },
    {
      type: "static",
      tokens: [{ token: secrets[0], client_id: "c", subject: "s", scopes: "x", email: "e@example.com" }]
    }
  ]
})

describe("the description of settings", () => {
  it("STK-06 shows no secret, and no key", () => {
    const text = JSON.stringify(describeSettings(everything))
    for (const secret of [...secrets, "MCowBQYDK2Vw"]) assert.deepStrictEqual(leaks([text], secret), [])
    // Positive control: the providers are there.
    for (const shown of ["t.authkit.app", "mat_", "gateway", "e@example.com"]) assert.include(text, shown)
  })

  it("differs where a setting differs, and only there", () => {
    const before = describeSettings(everything)
    const after = describeSettings({ ...everything, requiredScopes: ["a", "b"] })
    assert.deepStrictEqual(after, { ...before, required_scopes: ["a", "b"] })
    assert.notDeepEqual(after, before)
  })

  it("speaks in the terms of the config file, of every setting that describes the gateway", () => {
    const single =
      /^(provider_|allowed_clients|require_verified_email|(subject|client|scope|group)_claims|scopes_requested|tokeninfo_|jwt_|oauth_|static_tokens|introspection_url|client_(id|secret|auth)$|token_prefix|provider_hosts|require_at_jwt|discovery_url|assume_pkce|stand_in_metadata|facade)/
    assert.deepStrictEqual(
      Object.keys(describeSettings(everything)).toSorted(),
      settingNames.filter((name) => settings[name].variableOnly !== true).map(fileKey)
        .filter((key) => !single.test(key)).toSorted()
    )
  })

  it("describes providers of every type", () => {
    const { allowed_origins, providers, trusted_proxies } = describeSettings(everything)
    assert.deepStrictEqual(trusted_proxies, ["10.0.0.0/8"])
    assert.deepStrictEqual(allowed_origins, ["https://app.example.com"])
    const common = { required_scopes: [], hosts: [], token_prefix: null }
    const endpoints = { authorize_endpoint: null, token_endpoint: null, userinfo_endpoint: null }
    assert.deepStrictEqual<unknown>(providers, [
      {
        ...common,
        type: "authkit",
        name: "authkit",
        issuer: "https://t.authkit.app",
        audience: ["https://mcp.example.com/mcp"],
        allowed_clients: [],
        jwks_uri: "https://t.authkit.app/oauth2/jwks",
        algorithms: ["RS256"],
        require_at_jwt: false,
        require_verified_email: false,
        ...endpoints,
        hosts: ["*.authkit.app", "*.workos.com"]
      },
      {
        ...common,
        type: "oidc",
        name: "oidc",
        issuer: "my-issuer",
        audience: [],
        allowed_clients: [],
        public_key: "(PEM)",
        algorithms: ["EdDSA"],
        require_at_jwt: false,
        require_verified_email: false,
        assume_pkce: true,
        ...endpoints
      },
      {
        ...common,
        type: "oidc",
        name: "discovered",
        issuer: "https://issuer.example",
        audience: [],
        allowed_clients: [],
        jwks_uri: "(from the issuer's discovery document)",
        algorithms: ["RS256"],
        require_at_jwt: false,
        require_verified_email: false,
        assume_pkce: true,
        ...endpoints
      },
      {
        ...common,
        type: "userinfo",
        name: "userinfo",
        issuer: "https://opaque.example",
        userinfo_endpoint: "https://opaque.example/oauth/userinfo (or from the issuer's discovery document)",
        require_verified_email: false,
        token_prefix: "mat_"
      },
      {
        ...common,
        type: "introspection",
        name: "introspection",
        issuer: "https://asked.example",
        audience: [],
        allowed_clients: [],
        require_verified_email: false,
        introspection_endpoint: "https://asked.example/i",
        client_id: "gateway",
        client_auth: "basic",
        client_secret: "(hidden)"
      },
      {
        ...common,
        type: "static",
        name: "static",
        tokens: [{
          token: "(hidden)",
          client_id: "c",
          subject: "s",
          scopes: ["x"],
          expires_at: null,
          email: "e@example.com",
          name: null
        }]
      }
    ])
  })
})
