import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { filesToRead, resolve, resolveSources, type Sources } from "../../../src/config/resolve.ts"
import { fromInput } from "../../../src/config/sources/document.ts"
import { asOwn } from "../../fixtures/providers.ts"
import { complete } from "../resolving.ts"

const secret = "c4n4ry-s3cret-0123456789"

const introspection = {
  MCP_PROVIDER_TYPE: "introspection",
  MCP_JWT_ISSUER: "https://issuer.example",
  MCP_JWT_AUDIENCE: "a",
  MCP_INTROSPECTION_URL: "https://issuer.example/introspect",
  MCP_CLIENT_ID: "gateway"
}

const entry = {
  type: "introspection",
  issuer: "https://issuer.example",
  introspection_endpoint: "https://issuer.example/introspect",
  client_id: "gateway"
}

const path = "/run/secrets/client_secret"

const files = { [path]: { text: secret } }

const settingsOf = (sources: Sources) =>
  Result.getOrThrowWith(resolveSources(sources), ({ message }) => new Error(message))

const problemsOf = (sources: Sources): ReadonlyArray<string> => {
  const resolved = resolveSources(sources)
  return Result.isSuccess(resolved)
    ? []
    : resolved.failure.problems.map(({ problem, setting }) => `${setting} ${problem}`)
}

const clientSecret = (sources: Sources): string | undefined => {
  const [provider] = settingsOf(sources).providers.map(asOwn)
  return provider?.type === "introspection" && "clientSecret" in provider.clientAuth
    ? Redacted.value(provider.clientAuth.clientSecret)
    : undefined
}

const twice = (name: string, one: string, other: string) => [`${name} is given twice, as ${one} and as ${other}`]

const shown = (value: string) =>
  problemsOf({
    variables: { ...introspection, MCP_CLIENT_SECRET_FILE: value },
    files: { [value]: { problem: "cannot be read (ENOENT)", fix: "Name a file" } }
  }).join()

describe("settings that are given by files", () => {
  it("a variable names the file, in every spelling of its name", () => {
    for (const name of ["MCP_CLIENT_SECRET_FILE", "mcp_client_secret_file", "SPIN_VARIABLE_MCP_CLIENT_SECRET_FILE"]) {
      assert.strictEqual(clientSecret({ variables: { ...introspection, [name]: ` ${path} ` }, files }), secret, name)
    }
  })

  it("a member of the config file, and one of a provider's entry, name it", () => {
    const { MCP_CLIENT_ID: client_id, MCP_INTROSPECTION_URL: introspection_url, MCP_JWT_ISSUER: jwt_issuer } =
      introspection
    const flat = {
      provider_type: "introspection",
      client_id,
      introspection_url,
      jwt_issuer,
      client_secret_file: path
    }
    assert.strictEqual(clientSecret({ variables: {}, document: flat, files }), secret)
    const document = { providers: [{ ...entry, client_secret_file: path }] }
    assert.strictEqual(clientSecret({ variables: {}, document, files }), secret)
  })

  it("every secret and the public key can be given so, and nothing else", () => {
    const providers = JSON.stringify([{ ...entry, client_secret: secret }])
    for (
      const [name, text, others] of [
        ["MCP_STATIC_TOKENS", `${secret}:c:s:read\n${secret}2:c:s:\n`, {}],
        ["MCP_PROVIDERS", `\n${providers}\n`, {}],
        ["AUTH_CONFIG", JSON.stringify({ providers: JSON.parse(providers) }), {}],
        ["MCP_SESSION_KEY", "k".repeat(32), complete]
      ] as const
    ) {
      const sources = { variables: { ...others, [`${name}_FILE`]: path }, files: { [path]: { text } } }
      assert.lengthOf(settingsOf(sources).providers, 1, name)
    }
    const key = `-----BEGIN PUBLIC KEY-----\n${"QUJD".repeat(30)}\n-----END PUBLIC KEY-----`
    const [provider] = settingsOf({
      variables: { ...complete, MCP_JWT_PUBLIC_KEY_FILE: path },
      files: { [path]: { text: key } }
    }).providers.map(asOwn)
    assert.strictEqual(provider?.type === "oidc" && provider.keys._tag, "PublicKey")
    for (const name of ["MCP_PUBLIC_URL_FILE", "MCP_JWT_ISSUER_FILE"]) {
      assert.deepStrictEqual(problemsOf({ variables: { ...complete, [name]: path }, files }), [
        `${name} is not a setting`
      ])
    }
  })

  it("files may name files, and each is read once", () => {
    const list = "/run/secrets/providers.json"
    const variables = { MCP_PROVIDERS_FILE: list }
    assert.deepStrictEqual(filesToRead({ variables }), [list])
    const text = JSON.stringify([
      { ...entry, client_secret_file: path },
      { ...entry, name: "b", token_prefix: "b_", client_secret_file: path }
    ])
    assert.deepStrictEqual(filesToRead({ variables, files: { [list]: { text } } }), [path])
    const all = { ...files, [list]: { text } }
    assert.deepStrictEqual(filesToRead({ variables, files: all }), [])
    assert.strictEqual(clientSecret({ variables, files: all }), secret)
    assert.deepStrictEqual(filesToRead({ variables: { ...complete, MCP_CA_FILE: path } }), [])
  })

  it("both at once is an error, even with the same value", () => {
    assert.deepStrictEqual(
      problemsOf({ variables: { ...introspection, MCP_CLIENT_SECRET: secret, MCP_CLIENT_SECRET_FILE: path }, files }),
      twice("MCP_CLIENT_SECRET", "MCP_CLIENT_SECRET", "MCP_CLIENT_SECRET_FILE")
    )
    assert.deepStrictEqual(
      problemsOf({
        variables: { ...introspection, MCP_CLIENT_SECRET_FILE: path, mcp_client_secret_file: "/run/secrets/other" },
        files: { ...files, "/run/secrets/other": { text: secret } }
      }),
      twice("MCP_CLIENT_SECRET", "MCP_CLIENT_SECRET_FILE", "mcp_client_secret_file")
    )
    const both = { ...entry, client_secret: secret, client_secret_file: path }
    assert.deepStrictEqual(
      problemsOf({ variables: {}, document: { providers: [both] }, files }),
      twice("MCP_PROVIDERS[0].client_secret", "client_secret", "client_secret_file")
    )
    assert.deepStrictEqual(
      problemsOf({ variables: introspection, document: { client_secret: secret, client_secret_file: path }, files }),
      twice("MCP_CLIENT_SECRET", "client_secret in the config file", "client_secret_file in the config file")
    )
    // The environment takes precedence over the file, in every combination of forms.
    const own = "of the environment"
    assert.strictEqual(
      clientSecret({
        variables: { ...introspection, MCP_CLIENT_SECRET: own },
        document: { client_secret_file: path },
        files
      }),
      own
    )
    assert.strictEqual(
      clientSecret({
        variables: { ...introspection, MCP_CLIENT_SECRET_FILE: path },
        document: { client_secret: own },
        files
      }),
      secret
    )
  })

  it("a file's problem is the only one that is reported, with its path", () => {
    const broken = { [path]: { problem: "cannot be read (ENOENT)", fix: "Name a readable file" } }
    for (
      const [name, variables] of [
        ["MCP_CLIENT_SECRET_FILE", { ...introspection, MCP_CLIENT_SECRET_FILE: path }],
        ["MCP_PROVIDERS_FILE", { MCP_PROVIDERS_FILE: path }],
        ["AUTH_CONFIG_FILE", { AUTH_CONFIG_FILE: path }],
        ["MCP_STATIC_TOKENS_FILE", { MCP_STATIC_TOKENS_FILE: path }]
      ] as const
    ) {
      assert.deepStrictEqual(problemsOf({ variables, files: broken }), [`${name} ${path} cannot be read (ENOENT)`])
    }
    const document = { providers: [{ ...entry, client_secret_file: path }] }
    assert.deepStrictEqual(problemsOf({ variables: {}, document, files: broken }), [
      `MCP_PROVIDERS[0].client_secret_file ${path} cannot be read (ENOENT)`
    ])
    const wrong = { providers: [{ ...entry, client_secret_file: 7 }] }
    assert.deepStrictEqual(problemsOf({ variables: {}, document: wrong, files }), [
      "MCP_PROVIDERS[0].client_secret_file is not the path of a file"
    ])
    // A bad value in a readable file is reported like any other bad value.
    const control = { [path]: { text: `${secret}\n${secret}` } }
    const [problem, ...others] = problemsOf({
      variables: { ...introspection, MCP_CLIENT_SECRET_FILE: path },
      files: control
    })
    assert.deepStrictEqual([problem, others.length], [
      "MCP_CLIENT_SECRET contains a line break or another control character",
      0
    ])
  })

  it("a secret in place of a path is not shown", () => {
    for (
      const value of ["s3cr3tS3cr3t", "/9j4AAQSkZJRgABAQ+x/d==", "aGVsbG8gd29ybGQ/aGVsbG8=", "GOCSPX-a_b-c1D2e3F4"]
    ) {
      assert.notInclude(shown(value), value)
      assert.include(shown(value), "does not look like a path")
    }
    for (
      const value of [
        "/run/secrets/mcp",
        "./secrets/mcp",
        "../secret.txt",
        "secret.txt",
        "secrets/client.secret",
        "/etc/mcp-authorizer/providers.json",
        "C:\\secrets\\mcp",
        "/nothing"
      ]
    ) assert.include(shown(value), value)
  })

  it("hosts without files report that, with the fix", () => {
    const [problem, ...others] = problemsOf({ variables: { ...introspection, MCP_CLIENT_SECRET_FILE: path } })
    assert.deepStrictEqual([problem, others.length], [
      "MCP_CLIENT_SECRET_FILE names a file, and nothing here can read files",
      0
    ])
    // TypeScript code cannot express it; JavaScript code can.
    const input = { jwt_issuer: "https://issuer.example", static_tokens_file: path }
    const embedded = resolve([fromInput(input)])
    assert.isTrue(Result.isFailure(embedded))
  })
})
