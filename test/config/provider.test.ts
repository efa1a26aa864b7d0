import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { matchesDomain } from "../../src/config/kinds/domains.ts"
import type { JwtProvider } from "../../src/providers/jwt.ts"
import { asOwn } from "../fixtures/providers.ts"
import { onlyProblemOf, problemsOf, providerOf, settingsOf, settingsOfInput } from "./resolving.ts"

const jwtProviderOf = (variables: Readonly<Record<string, string>>): JwtProvider => {
  const provider = providerOf(variables)
  if (provider.type !== "authkit" && provider.type !== "oidc") throw new Error(provider.type)
  return provider
}

const pem = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
`

describe("the type of a provider", () => {
  it("follows from what is given", () => {
    for (
      const [type, variables] of [
        ["authkit", { MCP_JWT_ISSUER: "https://tenant.authkit.app" }],
        ["authkit", { MCP_JWT_ISSUER: "tenant.authkit.app" }],
        ["authkit", { MCP_JWT_ISSUER: "https://api.workos.com/user_management/client_1" }],
        ["authkit", { AUTHKIT_DOMAIN: "https://auth.example.com" }],
        ["authkit", { spin_variable_authkit_issuer: "https://auth.example.com" }],
        ["authkit", { MCP_JWT_ISSUER: "https://auth.example.com", AUTHKIT_AUDIENCE: "a" }],
        ["oidc", { MCP_JWT_ISSUER: "https://auth.example.com" }],
        ["oidc", { MCP_JWT_ISSUER: "https://tenant.authkit.app.evil.example" }],
        ["oidc", { MCP_JWT_ISSUER: "https://evilauthkit.app" }],
        ["oidc", { MCP_JWT_ISSUER: "https://evil.example/tenant.authkit.app" }],
        ["oidc", { MCP_PROVIDER_TYPE: "oidc", AUTHKIT_ISSUER: "https://tenant.authkit.app" }],
        ["oidc", { MCP_PROVIDER_TYPE: "jwt", MCP_JWT_ISSUER: "https://auth.example.com" }],
        ["oidc", { AUTH_PROVIDER_TYPE: "OIDC", MCP_JWT_ISSUER: "https://auth.example.com" }],
        ["static", { MCP_STATIC_TOKENS: "t:c:s:" }]
      ] as const
    ) {
      assert.strictEqual(providerOf(variables).type, type, JSON.stringify(variables))
    }
  })

  it("CFG-01 rejects, for every type, the fields that it does not use", () => {
    const issuer = "https://issuer.example"
    const values = {
      issuer,
      audience: "a",
      jwks_uri: `${issuer}/jwks`,
      public_key: pem,
      algorithms: ["ES256"],
      require_at_jwt: true,
      required_scopes: ["a"],
      hosts: ["issuer.example"],
      allow_http: ["issuer.example"],
      token_prefix: "p_",
      tokens: "t:c:s:",
      authorize_endpoint: `${issuer}/a`,
      token_endpoint: `${issuer}/t`,
      userinfo_endpoint: `${issuer}/u`,
      tokeninfo_endpoint: `${issuer}/d`,
      tokeninfo_parameter: "access_token",
      introspection_endpoint: `${issuer}/i`,
      client_auth: "post",
      client_id: "c",
      client_secret: "s"
    }
    const needed = {
      authkit: { issuer },
      oidc: { issuer },
      static: { tokens: "t:c:s:" },
      userinfo: { issuer },
      tokeninfo: { issuer, tokeninfo_endpoint: `${issuer}/d` },
      introspection: { issuer, introspection_endpoint: `${issuer}/i`, client_id: "c", client_secret: "s" }
    }
    const client = ["client_auth", "client_id", "client_secret"]
    const described = ["tokeninfo_endpoint", "tokeninfo_parameter"]
    const jwt = ["tokens", "introspection_endpoint", ...described, ...client]
    const useless: Record<keyof typeof needed, ReadonlyArray<string>> = {
      authkit: jwt,
      oidc: jwt,
      static: Object.keys(values).filter((field) => !["required_scopes", "token_prefix", "tokens"].includes(field)),
      userinfo: [
        "audience",
        "jwks_uri",
        "public_key",
        "algorithms",
        "require_at_jwt",
        "authorize_endpoint",
        "token_endpoint",
        ...jwt
      ],
      tokeninfo: [
        "jwks_uri",
        "public_key",
        "algorithms",
        "require_at_jwt",
        "tokens",
        "authorize_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "introspection_endpoint",
        ...client
      ],
      introspection: [
        ...described,
        "jwks_uri",
        "public_key",
        "algorithms",
        "require_at_jwt",
        "tokens",
        "authorize_endpoint",
        "token_endpoint",
        "userinfo_endpoint"
      ]
    }
    for (const [type, fields] of Object.entries(needed)) {
      const rejected = Object.entries(values).flatMap(([field, value]) => {
        const document = { providers: [{ type, ...fields, [field]: value }] }
        try {
          return settingsOf({}, document).providers.length === 1 ? [] : ["none"]
        } catch {
          assert.strictEqual(onlyProblemOf({}, document).setting, `MCP_PROVIDERS[0].${field}`)
          return [field]
        }
      })
      assert.deepStrictEqual<unknown>([type, rejected.toSorted()], [
        type,
        Object.entries(useless).find(([name]) => name === type)?.[1].toSorted()
      ])
    }
  })

  it("reports every wrong field, even when the type is wrong", () => {
    assert.deepStrictEqual(
      problemsOf({ MCP_PROVIDER_TYPE: "x", MCP_JWT_JWKS_URI: "x", MCP_TOKEN_PREFIX: " ? " }).map(({ setting }) =>
        setting
      ),
      ["MCP_PROVIDER_TYPE", "MCP_JWT_JWKS_URI", "MCP_TOKEN_PREFIX"]
    )
  })
})

const spelled = (variables: Readonly<Record<string, string>>) => jwtProviderOf(variables).issuer

describe("the issuer", () => {
  it("keeps its spelling, a slash at its end included", () => {
    for (
      const issuer of [
        "https://tenant.auth0.com/",
        "https://tenant.auth0.com",
        "https://Issuer.example:443/a/../b",
        "HTTPS://issuer.example",
        "http://localhost:8080/realms/a",
        "http://127.1.2.3",
        "http://[::1]:1"
      ]
    ) {
      assert.strictEqual(spelled({ MCP_JWT_ISSUER: issuer }), issuer)
    }
  })

  it("gets https:// when it is a bare domain and must be a URL", () => {
    assert.strictEqual(spelled({ AUTHKIT_DOMAIN: "tenant.authkit.app" }), "https://tenant.authkit.app")
    assert.strictEqual(spelled({ AUTHKIT_DOMAIN: "auth.example.com/" }), "https://auth.example.com/")
    assert.strictEqual(spelled({ MCP_JWT_ISSUER: "issuer.example:8443/a" }), "https://issuer.example:8443/a")
    const authkit = { AUTHKIT_DOMAIN: "tenant.authkit.app", MCP_JWT_JWKS_URI: "https://tenant.authkit.app/keys" }
    assert.strictEqual(spelled(authkit), "https://tenant.authkit.app")
  })

  it("may be any name when the keys are known", () => {
    for (const issuer of ["my-issuer", "urn:example.org:issuer"]) {
      assert.strictEqual(
        spelled({ MCP_JWT_ISSUER: issuer, MCP_JWT_JWKS_URI: "https://issuer.example/jwks" }),
        issuer
      )
      assert.strictEqual(spelled({ MCP_JWT_ISSUER: issuer, MCP_JWT_PUBLIC_KEY: pem }), issuer)
      assert.strictEqual(
        problemsOf({ MCP_JWT_ISSUER: "my-issuer", AUTHKIT_JWKS_URI: "https://issuer.example/jwks" })[0]?.setting,
        "MCP_JWT_ISSUER"
      )
    }
    // Seed 1: a bare domain is a URL without its scheme, for every provider.
    const bare = { MCP_JWT_ISSUER: "issuer.example", MCP_JWT_PUBLIC_KEY: pem }
    assert.strictEqual(spelled(bare), "https://issuer.example")
    const http = { MCP_JWT_ISSUER: "http://issuer.example", MCP_JWT_PUBLIC_KEY: pem }
    assert.strictEqual(onlyProblemOf(http).setting, "MCP_JWT_ISSUER")
  })

  it("rejects what is not a strict https URL", () => {
    for (
      const issuer of [
        "my-issuer",
        "https://",
        "https:issuer.example",
        "https:///issuer.example",
        "https:\\\\issuer.example",
        "https://issuer.example\\@evil.example",
        "https://issuer.example/a b",
        "https://us\u00e9r.example",
        "https://@issuer.example",
        "https://user@issuer.example",
        "https://issuer.example#",
        "https://issuer.example?",
        "https://[::1",
        "https://issuer.example:99999",
        "http://localhost.evil.example",
        "http://foo.localhost",
        "http://[::2]",
        "http://0.0.0.0",
        "ws://localhost",
        "javascript:alert(1)"
      ]
    ) {
      assert.strictEqual(onlyProblemOf({ MCP_JWT_ISSUER: issuer }).setting, "MCP_JWT_ISSUER", issuer)
    }
  })
})

const keys = (variables: Readonly<Record<string, string>>) => jwtProviderOf(variables).keys

describe("the keys", () => {
  it("come from a key set, a public key, or discovery", () => {
    assert.deepStrictEqual(keys({ MCP_JWT_ISSUER: "https://issuer.example" }), { _tag: "Discovery" })
    assert.deepStrictEqual(keys({ MCP_JWT_ISSUER: "i", MCP_JWT_JWKS_URI: "issuer.example/jwks" }), {
      _tag: "Jwks",
      uri: "https://issuer.example/jwks"
    })
    assert.deepStrictEqual(keys({ MCP_JWT_ISSUER: "i", MCP_JWT_PUBLIC_KEY: pem }), { _tag: "PublicKey", pem })
    assert.deepStrictEqual(keys({ AUTHKIT_ISSUER: "https://tenant.authkit.app/" }), {
      _tag: "Jwks",
      uri: "https://tenant.authkit.app/oauth2/jwks"
    })
    assert.deepStrictEqual(keys({ AUTHKIT_ISSUER: "https://tenant.authkit.app", MCP_JWT_PUBLIC_KEY: pem }), {
      _tag: "PublicKey",
      pem
    })
  })

  it("rejects a key set together with a public key", () => {
    const problem = onlyProblemOf({
      MCP_JWT_ISSUER: "i",
      MCP_JWT_PUBLIC_KEY: pem,
      AUTH_PROVIDER_JWKS_URI: "https://issuer.example/jwks"
    })
    assert.match(problem.problem, /^Cannot specify both MCP_JWT_JWKS_URI and MCP_JWT_PUBLIC_KEY$/)
  })

  it("a public key may have its line breaks escaped, doubled, flattened or missing", () => {
    const base64 = pem.replace(/-----.*-----|\n/g, "")
    for (
      const text of [
        pem,
        pem.replaceAll("\n", "\\n"),
        pem.replaceAll("\n", "\\r\\n"),
        pem.replaceAll("\n", "\r\n"),
        pem.replaceAll("\n", " "),
        `-----BEGIN PUBLIC KEY-----${base64}-----END PUBLIC KEY-----`
      ]
    ) {
      assert.deepStrictEqual(keys({ MCP_JWT_ISSUER: "i", MCP_JWT_PUBLIC_KEY: text }), { _tag: "PublicKey", pem })
    }
  })

  it("rejects keys of other forms, each with its fix, and shows none", () => {
    const body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCc4n4ry"
    const block = (label: string) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
    for (
      const [text, fix] of [
        [block("PRIVATE KEY"), /-pubout/],
        [block("RSA PRIVATE KEY"), /-pubout/],
        [block("EC PRIVATE KEY").replaceAll("\n", "\\n"), /-pubout/],
        [block("ENCRYPTED PRIVATE KEY"), /-pubout/],
        [block("OPENSSH PRIVATE KEY"), /-pubout/],
        [pem + block("PRIVATE KEY"), /-pubout/],
        [block("CERTIFICATE"), /x509/],
        [block("RSA PUBLIC KEY"), /RSAPublicKey_in/],
        [pem + pem, /one block/],
        [block("PUBLIC KEY").replace("MII", "M?I"), /one block/],
        ["-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", /one block/],
        ["-----BEGIN PUBLIC KEY-----", /one block/],
        [body, /one block/]
      ] as const
    ) {
      const problem = onlyProblemOf({ MCP_JWT_ISSUER: "i", MCP_JWT_PUBLIC_KEY: text })
      assert.strictEqual(problem.setting, "MCP_JWT_PUBLIC_KEY")
      assert.match(problem.fix, fix)
      assert.notInclude(JSON.stringify(problem), "MII")
    }
  })

  it("algorithms are RS256 unless others are listed", () => {
    assert.deepStrictEqual(jwtProviderOf({ AUTHKIT_DOMAIN: "t.authkit.app" }).algorithms, ["RS256"])
    assert.deepStrictEqual(
      jwtProviderOf({ AUTHKIT_DOMAIN: "t.authkit.app", MCP_JWT_ALGORITHM: "ES256, EdDSA,ES256" }).algorithms,
      ["ES256", "EdDSA"]
    )
  })
})

const domains = (variables: Readonly<Record<string, string>>) => providerOf(variables).allowedDomains

describe("allowed domains", () => {
  it("AuthKit's own by default, and any host for other types", () => {
    assert.deepStrictEqual(domains({ AUTHKIT_DOMAIN: "t.authkit.app" }), ["*.authkit.app", "*.workos.com"])
    assert.deepStrictEqual(domains({ MCP_JWT_ISSUER: "https://issuer.example" }), [])
    assert.deepStrictEqual(
      domains({ MCP_JWT_ISSUER: "https://Issuer.example", MCP_PROVIDER_HOSTS: "*.Example , issuer.example" }),
      ["*.example", "issuer.example"]
    )
  })

  it("AuthKit on an own host: the issuer's host is allowed as well, and named loopback hosts", () => {
    assert.deepStrictEqual(domains({ AUTHKIT_DOMAIN: "auth.example.com" }), [
      "*.authkit.app",
      "*.workos.com",
      "auth.example.com"
    ])
    assert.deepStrictEqual(domains({ AUTHKIT_DOMAIN: "http://127.0.0.1:8080" }), [
      "*.authkit.app",
      "*.workos.com",
      "127.0.0.1"
    ])
    assert.deepStrictEqual(
      domains({ AUTHKIT_DOMAIN: "t.authkit.app", AUTHKIT_JWKS_URI: "http://[::1]:8080/jwks" }),
      ["*.authkit.app", "*.workos.com", "[::1]"]
    )
    const elsewhere = { AUTHKIT_DOMAIN: "auth.example.com", AUTHKIT_JWKS_URI: "https://evil.example/jwks" }
    assert.strictEqual(onlyProblemOf(elsewhere).setting, "MCP_JWT_JWKS_URI")
  })

  it("apply to every URL of a provider, once configured", () => {
    const spoilt = {
      MCP_PROVIDER_HOSTS: "*.issuer.example",
      MCP_JWT_ISSUER: "https://issuer.example",
      MCP_JWT_JWKS_URI: "http://127.0.0.1/jwks",
      MCP_OAUTH_AUTHORIZE_ENDPOINT: "https://evilissuer.example/a",
      MCP_OAUTH_TOKEN_ENDPOINT: "https://a.issuer.example.evil/t",
      MCP_OAUTH_USERINFO_ENDPOINT: "https://evil.example/a.issuer.example"
    }
    assert.deepStrictEqual(problemsOf(spoilt).map(({ setting }) => setting), [
      "MCP_JWT_ISSUER",
      "MCP_JWT_JWKS_URI",
      "MCP_OAUTH_AUTHORIZE_ENDPOINT",
      "MCP_OAUTH_TOKEN_ENDPOINT",
      "MCP_OAUTH_USERINFO_ENDPOINT"
    ])
    settingsOf({ ...spoilt, MCP_PROVIDER_HOSTS: "issuer.example,127.0.0.1,*.example,*.example.evil" })
    const type = { AUTH_PROVIDER_TYPE: "authkit", MCP_PROVIDER_HOSTS: "*.authkit.app" }
    assert.strictEqual(onlyProblemOf({ ...type, AUTHKIT_DOMAIN: "auth.example.com" }).setting, "MCP_JWT_ISSUER")
    const opaque = { MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_ISSUER: "https://a.example" }
    assert.deepStrictEqual(
      problemsOf({ ...opaque, MCP_PROVIDER_HOSTS: "b.example", MCP_OAUTH_USERINFO_ENDPOINT: "https://c.example" })
        .map(({ setting }) => setting),
      ["MCP_JWT_ISSUER", "MCP_OAUTH_USERINFO_ENDPOINT"]
    )
  })

  const label = Schema.String.check(Schema.isPattern(/^[a-z0-9]{1,8}$/))

  it.effect.prop(
    "a wildcard matches at a label boundary only",
    { host: label, below: label, glued: label },
    ({ below, glued, host }) =>
      Effect.sync(() => {
        const patterns = [`*.${host}.example`]
        assert.isTrue(matchesDomain(patterns, `${below}.${host}.example`))
        assert.isTrue(matchesDomain(patterns, `${glued}.${below}.${host}.example`))
        assert.isFalse(matchesDomain(patterns, `${host}.example`))
        assert.isFalse(matchesDomain(patterns, `.${host}.example`))
        assert.isFalse(matchesDomain(patterns, `${glued}${host}.example`))
        assert.isFalse(matchesDomain(patterns, `${below}.${host}.example.${glued}`))
        assert.isFalse(matchesDomain([`${host}.example`], `${below}.${host}.example`))
        assert.isTrue(matchesDomain([`${host}.example`], `${host}.example`))
        assert.isFalse(matchesDomain([], `${host}.example`))
      })
  )
})

const audience = (variables: Readonly<Record<string, string>>) =>
  jwtProviderOf({ AUTHKIT_DOMAIN: "t.authkit.app", ...variables }).audience

describe("the audience", () => {
  it("is a list, and auto in it is the resource identifier", () => {
    assert.deepStrictEqual(audience({}), [])
    assert.deepStrictEqual(audience({ MCP_JWT_AUDIENCE: " a ,, b , a" }), ["a", "b"])
    const auto = { AUTHKIT_AUDIENCE: "auto", MCP_PUBLIC_URL: "https://mcp.example.com/" }
    assert.deepStrictEqual(audience(auto), ["https://mcp.example.com/mcp"])
    assert.deepStrictEqual(audience({ ...auto, MCP_PATH: "/" }), ["https://mcp.example.com"])
    assert.deepStrictEqual(audience({ ...auto, AUTHKIT_AUDIENCE: "x,auto" }), ["x", "https://mcp.example.com/mcp"])
  })
})

describe("several providers", () => {
  it("have their own fields and names", () => {
    const { providers, requiredScopes, scopesSupported } = settingsOfInput({
      required_scopes: ["mcp"],
      providers: [
        { issuer: "https://t.authkit.app", required_scopes: "read", token_prefix: "a." },
        { issuer: "https://issuer.example", name: "second", required_scopes: ["read", "write"] },
        { type: "static", tokens: [{ token: "t", client_id: "c", subject: "s", scopes: ["x"] }] },
        { type: "userinfo", issuer: "https://opaque.example/", token_prefix: "mat_" },
        {
          type: "introspection",
          issuer: "https://asked.example",
          audience: ["mcp"],
          introspection_endpoint: "https://asked.example/i",
          client_id: "c",
          client_secret: "s"
        }
      ]
    })
    assert.deepStrictEqual(providers.map(({ name }) => name), [
      "authkit",
      "second",
      "static",
      "userinfo",
      "introspection"
    ])
    assert.deepStrictEqual(providers.map(({ requiredScopes }) => requiredScopes), [
      ["read"],
      ["read", "write"],
      [],
      [],
      []
    ])
    assert.deepStrictEqual(requiredScopes, ["mcp"])
    assert.deepStrictEqual(scopesSupported, ["mcp", "read", "write"])
    const opaque = providers[3] && asOwn(providers[3])
    assert.strictEqual(
      opaque?.type === "userinfo" ? opaque.userinfoEndpoint : undefined,
      "https://opaque.example/oauth/userinfo"
    )
  })
})
