import { assert, describe, it } from "@effect/vitest"
import { providerOf, settingsOf, tokensOf } from "./resolving.ts"

const gateway = "http://ftl-mcp-gateway.spin.internal/mcp-internal"

const authkit = {
  type: "authkit",
  name: "authkit",
  issuer: "https://your-tenant.authkit.app",
  audience: [],
  allowedClients: [],
  requireVerifiedEmail: false,
  keys: { _tag: "Jwks", uri: "https://your-tenant.authkit.app/oauth2/jwks" },
  algorithms: ["RS256"],
  requireAccessTokenType: false,
  endpoints: { authorize: undefined, token: undefined, userinfo: undefined },
  requiredScopes: [],
  tokenPrefix: undefined,
  allowedDomains: ["*.authkit.app", "*.workos.com"]
}

const auth0 = {
  ...authkit,
  type: "oidc",
  name: "auth0",
  issuer: "https://your-domain.auth0.com",
  audience: ["your-api-audience"],
  allowedClients: [],
  requireVerifiedEmail: false,
  keys: { _tag: "Jwks", uri: "https://your-domain.auth0.com/.well-known/jwks.json" },
  endpoints: {
    authorize: "https://your-domain.auth0.com/authorize",
    token: "https://your-domain.auth0.com/oauth/token",
    userinfo: "https://your-domain.auth0.com/userinfo"
  },
  allowedDomains: ["*.auth0.com"]
}

describe("the examples in predecessors' READMEs", () => {
  it("AuthKit Example: AuthKit domain and required scopes, as exported for Spin", () => {
    const settings = settingsOf({
      SPIN_VARIABLE_AUTHKIT_DOMAIN: "https://your-tenant.authkit.app",
      SPIN_VARIABLE_MCP_REQUIRED_SCOPES: "mcp:read,mcp:write"
    })
    assert.deepStrictEqual<unknown>(settings.providers, [authkit])
    assert.deepStrictEqual(settings.requiredScopes, ["mcp:read", "mcp:write"])
    assert.strictEqual(settings.gatewayUrl, gateway)
    assert.strictEqual(settings.traceHeader, "x-trace-id")
    assert.isTrue(settings.authEnabled)
  })

  it("AuthKit Example: another JWT provider", () => {
    assert.deepStrictEqual<unknown>(
      providerOf({
        SPIN_VARIABLE_MCP_JWT_ISSUER: "https://auth.example.com",
        SPIN_VARIABLE_MCP_JWT_JWKS_URI: "https://auth.example.com/.well-known/jwks.json",
        SPIN_VARIABLE_MCP_JWT_AUDIENCE: "your-api-audience"
      }),
      {
        ...authkit,
        type: "oidc",
        name: "oidc",
        issuer: "https://auth.example.com",
        audience: ["your-api-audience"],
        allowedClients: [],
        requireVerifiedEmail: false,
        keys: { _tag: "Jwks", uri: "https://auth.example.com/.well-known/jwks.json" },
        allowedDomains: []
      }
    )
  })

  it("AuthKit Example: static tokens of .env.local", () => {
    const variables = {
      MCP_PROVIDER_TYPE: "static",
      MCP_STATIC_TOKENS: "dev-token:dev-client:dev-user:read,write"
    }
    assert.strictEqual(providerOf(variables).name, "static")
    assert.deepStrictEqual(tokensOf(variables), [{
      token: "dev-token",
      clientId: "dev-client",
      subject: "dev-user",
      scopes: ["read", "write"],
      expiresAt: undefined,
      email: undefined,
      name: undefined
    }])
  })

  it("FTL MCP Authorizer: AuthKit, in the manifest's lower case", () => {
    const settings = settingsOf({
      auth_enabled: "true",
      auth_gateway_url: gateway,
      auth_trace_header: "X-Trace-Id",
      auth_provider_type: "authkit",
      auth_provider_issuer: "https://your-tenant.authkit.app",
      auth_provider_audience: "mcp-api"
    })
    assert.deepStrictEqual<unknown>(settings.providers, [{ ...authkit, audience: ["mcp-api"] }])
    assert.strictEqual(settings.gatewayUrl, gateway)
  })

  it("FTL MCP Authorizer: generic OIDC", () => {
    assert.deepStrictEqual<unknown>(
      providerOf({
        auth_enabled: "true",
        auth_provider_type: "oidc",
        auth_provider_name: "auth0",
        auth_provider_issuer: "https://your-domain.auth0.com",
        auth_provider_jwks_uri: "https://your-domain.auth0.com/.well-known/jwks.json",
        auth_provider_audience: "your-api-audience",
        auth_provider_authorize_endpoint: "https://your-domain.auth0.com/authorize",
        auth_provider_token_endpoint: "https://your-domain.auth0.com/oauth/token",
        auth_provider_userinfo_endpoint: "https://your-domain.auth0.com/userinfo",
        auth_provider_allowed_domains: "*.auth0.com"
      }),
      auth0
    )
  })

  it("FTL MCP Authorizer: two providers and a trace header in AUTH_CONFIG", () => {
    const settings = settingsOf({
      SPIN_VARIABLE_AUTH_CONFIG: JSON.stringify({
        mcp_gateway_url: "http://gateway.internal",
        trace_id_header: "X-Request-ID",
        providers: [
          { type: "authkit", issuer: "https://your-tenant.authkit.app", audience: "mcp-api", jwks_uri: null },
          {
            type: "oidc",
            name: "auth0",
            issuer: "https://your-domain.auth0.com",
            jwks_uri: "https://your-domain.auth0.com/.well-known/jwks.json",
            audience: "your-api-audience",
            authorization_endpoint: "https://your-domain.auth0.com/authorize",
            token_endpoint: "https://your-domain.auth0.com/oauth/token",
            userinfo_endpoint: "https://your-domain.auth0.com/userinfo",
            allowed_domains: ["*.auth0.com"]
          }
        ]
      })
    })
    assert.deepStrictEqual<unknown>(settings.providers, [{ ...authkit, audience: ["mcp-api"] }, auth0])
    assert.strictEqual(settings.gatewayUrl, "http://gateway.internal")
    assert.strictEqual(settings.traceHeader, "x-request-id")
  })

  it("FTL Auth Gateway: issuer and gateway URL", () => {
    const settings = settingsOf({ authkit_issuer: "https://your-tenant.authkit.app", mcp_gateway_url: gateway })
    assert.deepStrictEqual<unknown>(settings.providers, [authkit])
    assert.strictEqual(settings.gatewayUrl, gateway)
  })

  it("wasmcp-spin-authkit: issuer, key set and audience", () => {
    assert.deepStrictEqual<unknown>(
      providerOf({
        authkit_issuer: "https://your-tenant.authkit.app",
        authkit_jwks_uri: "https://your-tenant.authkit.app/oauth2/jwks",
        authkit_audience: "https://api.myapp.com"
      }),
      { ...authkit, audience: ["https://api.myapp.com"] }
    )
  })

  it("Integration Guide: opaque mat_ tokens, verified at the userinfo endpoint", () => {
    const settings = settingsOf({
      MCP_PROVIDER_TYPE: "userinfo",
      MCP_JWT_ISSUER: "https://your-authkit-instance.com\n",
      MCP_TOKEN_PREFIX: "mat_",
      MCP_PUBLIC_URL: "https://my-server.com",
      MCP_SCOPES_SUPPORTED: "mcp:tools,mcp:read",
      MCP_ERROR_STYLE: "jsonrpc"
    })
    assert.deepStrictEqual<unknown>(settings.providers, [{
      type: "userinfo",
      name: "userinfo",
      issuer: "https://your-authkit-instance.com",
      requireVerifiedEmail: false,
      userinfoEndpoint: "https://your-authkit-instance.com/oauth/userinfo",
      endpointIsGuess: true,
      requiredScopes: [],
      tokenPrefix: "mat_",
      allowedDomains: []
    }])
    assert.deepStrictEqual(settings.scopesSupported, ["mcp:tools", "mcp:read"])
    assert.strictEqual(settings.errorStyle, "jsonrpc")
  })
})
