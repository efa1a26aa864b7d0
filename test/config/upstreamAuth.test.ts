/** What the MCP server can trust, as a setting. */
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { generateKeyPairSync } from "node:crypto"
import { describe as describeSettings } from "../../src/config/describe.ts"
import { resolveSources } from "../../src/config/resolve.ts"
import { ed25519Pem, p256Pem } from "../upstream/keys.ts"
import { complete, onlyProblemOf, problemsOf, settingsOf } from "./resolving.ts"

const secret = "c4n4ry-s3cret-0123456789"

const signing = { MCP_SIGNING_KEY: ed25519Pem(), MCP_PUBLIC_URL: "https://mcp.example.com" }

const auth = (value: unknown, more: Readonly<Record<string, string>> = {}) => ({
  ...complete,
  ...more,
  MCP_UPSTREAM_AUTH: typeof value === "string" ? value : JSON.stringify(value)
})

const exchange = { type: "exchange", client_id: "gateway", client_secret: secret }

describe("upstream_auth", () => {
  it("is absent, a word, or an object", () => {
    assert.deepStrictEqual(settingsOf(complete).upstreamAuth, { _tag: "None" })
    const usual = {
      _tag: "IdentityJwt",
      field: "authorization",
      issuer: undefined,
      audience: undefined,
      claims: [],
      typ: "at+jwt"
    }
    assert.deepStrictEqual<unknown>(settingsOf(auth("identity_jwt", signing)).upstreamAuth, usual)
    assert.deepStrictEqual<unknown>(
      settingsOf(
        auth({ type: "identity_jwt", field: "X-Token", audience: "notes", claims: { "a.b": "c" }, typ: "JWT" }, signing)
      ).upstreamAuth,
      { ...usual, field: "x-token", audience: "notes", claims: [{ claim: "a.b", name: "c" }], typ: "JWT" }
    )
    assert.deepInclude(settingsOf(auth({ ...exchange, audience: ["a", "b"], scope: "x y" })).upstreamAuth, {
      _tag: "Exchange",
      grant: "token_exchange",
      audience: ["a", "b"],
      scope: ["x", "y"]
    })
  })

  it("is reported with its fix, member by member", () => {
    const cases: ReadonlyArray<readonly [value: unknown, problem: RegExp, more?: Readonly<Record<string, string>>]> = [
      [{ type: "header", field: "X-Key" }, /lacks the member value/],
      [{ type: "header", field: "Host", value: secret }, /has a member field that is a field with another meaning/],
      [{ type: "header", field: "Mcp-Method", value: secret }, /another meaning/],
      [{ type: "header", field: "X-Forwarded-For", value: secret }, /another meaning/],
      [{ type: "header", field: "x-auth-user-id", value: secret }, /fills with the identity/],
      [{ type: "header", field: "x key", value: secret }, /is not a field name/],
      [{ type: "header", field: "x-key", value: "ü" }, /has a member value that contains a character/],
      [
        { type: "header", field: "x-key", value: secret, valu: secret },
        /has a member valu, which this type does not have/
      ],
      [{ type: "tokens" }, /has an unknown type/],
      [{}, /has no type/],
      ["[]", /has an unknown type/],
      ["{", /is not JSON/],
      [{ type: "identity_jwt", claims: ["sub"] }, /the gateway writes itself/, signing],
      [{ type: "identity_jwt", claims: { a: "b", c: "b" } }, /has one name twice/, signing],
      [{ type: "identity_jwt", typ: "none" }, /has a member typ that/, signing],
      [{ type: "exchange", client_secret: secret }, /lacks the member client_id/],
      [{ type: "exchange", client_id: "gateway" }, /lacks the member client_secret/],
      [{ ...exchange, client_auth: "none" }, /client_secret, which is unused/],
      [{ ...exchange, grant: "on_behalf_of" }, /lacks the member scope/],
      [{ ...exchange, grant: "on_behalf_of", scope: "s", audience: "a" }, /audience, which is unused/],
      [{ ...exchange, token_endpoint: "http://idp.example/token" }, /has a member token_endpoint that is an http URL/],
      [{ ...exchange, provider: "other" }, /does not have/]
    ]
    for (const [value, text, more] of cases) {
      const { fix, problem, setting } = onlyProblemOf(auth(value, more))
      assert.strictEqual(setting, "MCP_UPSTREAM_AUTH")
      assert.match(problem, text)
      assert.isNotEmpty(fix)
      assert.notInclude(problem + fix, secret)
    }
  })

  it("needs what the rest of the settings must have, and contradicts none of it", () => {
    const missing = problemsOf(auth("identity_jwt")).map(({ problem }) => problem)
    assert.deepStrictEqual(missing.map((text) => /MCP_SIGNING_KEY|MCP_PUBLIC_URL/.exec(text)?.[0]), [
      "MCP_SIGNING_KEY",
      "MCP_PUBLIC_URL"
    ])
    const withKey = { MCP_SIGNING_KEY: signing.MCP_SIGNING_KEY }
    settingsOf(auth({ type: "identity_jwt", issuer: "https://gateway.internal" }, withKey))
    const header = { type: "header", field: "Authorization", value: "Basic YTpi" }
    settingsOf(auth(header))
    settingsOf(auth(header, { MCP_AUTH_ENABLED: "false" }))
    for (
      const [value, more] of [
        ["identity_jwt", { ...signing, MCP_AUTH_ENABLED: "false" }],
        [header, { MCP_FORWARD_AUTHORIZATION: "true" }],
        [{ type: "header", field: "x-a", value: secret }, { MCP_FORWARD_CLAIMS: JSON.stringify({ tid: "x-a" }) }],
        [{ type: "header", field: "x-trace-id", value: secret }, {}],
        ["identity_jwt", { ...signing, MCP_SERVER_URL: "http+unix://%2Frun%2Fmcp.sock/mcp" }]
      ] as const
    ) assert.strictEqual(onlyProblemOf(auth(value, more)).setting, "MCP_UPSTREAM_AUTH", JSON.stringify(value))
  })

  it("is exchange at one provider, which must be named where there are several", () => {
    const several = JSON.stringify([{ issuer: "https://a.example" }, { issuer: "https://b.example", name: "b" }])
    const at = (provider?: string) => ({
      MCP_PROVIDERS: several,
      MCP_UPSTREAM_AUTH: JSON.stringify({ ...exchange, provider })
    })
    assert.match(onlyProblemOf(at()).problem, /has several providers/)
    settingsOf(at("b"))
    const opaque = JSON.stringify([{ type: "static", tokens: `${secret}:c:s:` }])
    const fixed = { MCP_PROVIDERS: opaque, MCP_UPSTREAM_AUTH: JSON.stringify(exchange) }
    assert.match(onlyProblemOf(fixed).problem, /without metadata/)
  })

  it("is shown without its secrets", () => {
    const shown = describeSettings(settingsOf(auth(exchange)))
    assert.deepInclude(shown["upstream_auth"], {
      type: "exchange",
      client_id: "gateway",
      client_secret: "(hidden)",
      field: "authorization"
    })
    const all = describeSettings(settingsOf(auth({ type: "header", field: "X-Key", value: secret }, signing)))
    assert.deepStrictEqual(all["upstream_auth"], { type: "header", field: "x-key", value: "(hidden)" })
    assert.strictEqual(all["signing_key"], "(hidden)")
    assert.notInclude(JSON.stringify(all), secret)
  })

  it("takes its secrets from files, in the variable and in an entry of servers", () => {
    const variables = auth({ type: "header", field: "X-Key", value_file: "/run/secrets/key" })
    const files = { "/run/secrets/key": { text: secret } }
    const { upstreamAuth } = Result.getOrThrow(resolveSources({ variables, files }))
    assert.strictEqual(upstreamAuth._tag === "Header" ? Redacted.value(upstreamAuth.value) : "", secret)
    const broken = { "/run/secrets/key": { problem: "cannot be read (ENOENT)", fix: "Name a readable file" } }
    const rejected = Result.getOrThrow(Result.flip(resolveSources({ variables, files: broken })))
    assert.deepStrictEqual(rejected.problems.map(({ problem, setting }) => [setting, problem]), [
      ["MCP_UPSTREAM_AUTH.value_file", "/run/secrets/key cannot be read (ENOENT)"]
    ])
    const document = {
      jwt_issuer: "https://issuer.example",
      signing_key: p256Pem(),
      servers: [
        {
          name: "notes",
          path: "/notes",
          url: "http://127.0.0.1:8080/mcp",
          upstream_auth: { ...exchange, client_secret: undefined, client_secret_file: "/run/secrets/key" }
        },
        { name: "files", path: "/files", url: "http://127.0.0.1:8081/mcp", upstream_auth: "identity_jwt" },
        { name: "other", path: "/other", url: "http://127.0.0.1:8082/mcp" }
      ]
    }
    const found = Result.getOrThrow(
      resolveSources({ variables: { MCP_PUBLIC_URL: "https://mcp.example.com" }, document, files })
    )
    assert.deepStrictEqual(found.servers.map((server) => server.upstreamAuth._tag), ["Exchange", "IdentityJwt", "None"])
  })
})

const keyOf = (value: string) => settingsOf({ ...complete, MCP_SIGNING_KEY: value }).signingKeys

describe("the signing key", () => {
  it("is PEM or a JWK, one or two of them", () => {
    const [ed, ec] = [ed25519Pem(), p256Pem()]
    assert.deepStrictEqual(keyOf(ed).map(({ algorithm }) => algorithm), ["EdDSA"])
    assert.deepStrictEqual(keyOf(ec.replaceAll("\n", "\\n")).map(({ algorithm }) => algorithm), ["ES256"])
    assert.deepStrictEqual(keyOf(`${ec}${ed}`).map(({ algorithm }) => algorithm), ["ES256", "EdDSA"])
    const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })
    assert.deepInclude(keyOf(JSON.stringify({ ...jwk, kid: "2027" }))[0], { algorithm: "EdDSA", keyId: "2027" })
    assert.strictEqual(keyOf(JSON.stringify({ keys: [jwk, { ...jwk, kid: "b" }] })).length, 2)
  })

  it("is reported where it is public, of another kind, or one too many", () => {
    const { d: _, ...open } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" })
    const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ type: "pkcs8", format: "pem" })
    const sec1 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "sec1", format: "pem" })
    for (
      const [text, expected] of [
        [JSON.stringify(open), /private part/],
        [rsa.toString(), /neither Ed25519 nor EC/],
        [p384.toString(), /neither Ed25519 nor EC/],
        [sec1.toString(), /PKCS#8/],
        [ed25519Pem() + ed25519Pem() + ed25519Pem(), /more than two/],
        ["secret", /neither a PEM/]
      ] as const
    ) {
      const { problem, setting } = onlyProblemOf({ ...complete, MCP_SIGNING_KEY: text })
      assert.strictEqual(setting, "MCP_SIGNING_KEY")
      assert.match(problem, expected)
    }
  })
})
