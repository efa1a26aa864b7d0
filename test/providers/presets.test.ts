/** Presets: that their settings start, and which tokens of their providers are then accepted. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { describe as describeSettings } from "../../src/config/describe.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { resolveSources } from "../../src/config/resolve.ts"
import { warnings } from "../../src/config/warnings.ts"
import { requestedScopes } from "../../src/discovery/requestedScopes.ts"
import { presets } from "../../src/providers/presets/presets.ts"
import { onlyProblemOf, problemsOf, settingsOf } from "../config/resolving.ts"
import { makeStandIn } from "../support/standIn.ts"
import { start } from "../verify/support.ts"
import { blockOf, page, sectionOf, variablesIn } from "./pages.ts"
import { type Neighbour, type PresetCase, presetCases } from "./presetCases.ts"

const common = { MCP_SERVER_URL: "http://127.0.0.1:8080/mcp", MCP_PUBLIC_URL: "https://mcp.example.com" }

type Variables = Readonly<Record<string, string>>

const variablesOf = ({ name, page, variables = {} }: PresetCase): Variables =>
  page === undefined
    ? { ...common, MCP_PROVIDER_PRESET: name, ...variables }
    : variablesIn(blockOf(sectionOf(page), "sh"))

/** The same as a config file: one provider, whose fields are named as in the reference. */
const fields: Readonly<Record<string, string>> = {
  MCP_PROVIDER_PRESET: "preset",
  MCP_JWT_ISSUER: "issuer",
  MCP_JWT_TENANTS: "tenants",
  MCP_JWT_AUDIENCE: "audience",
  MCP_ALLOWED_CLIENTS: "allowed_clients",
  MCP_DISCOVERY_URL: "discovery_url"
}

const fileOf = (variables: Variables) => {
  const { MCP_PUBLIC_URL, MCP_REQUIRED_SCOPES, MCP_SERVER_URL, ...rest } = variables
  const provider = Object.entries(rest).flatMap(([name, value]) => {
    const field = fields[name]
    return field === undefined ? [] : [[field, value]]
  })
  return {
    server_url: MCP_SERVER_URL,
    public_url: MCP_PUBLIC_URL,
    ...(MCP_REQUIRED_SCOPES === undefined ? {} : { required_scopes: MCP_REQUIRED_SCOPES }),
    providers: [Object.fromEntries(provider)]
  }
}

const tokenOf = ({ page, token = {} }: PresetCase): Readonly<Record<string, unknown>> =>
  page === undefined ? token : JSON.parse(blockOf(sectionOf(page), "json"))

const caseOf = (name: string): PresetCase =>
  presetCases.find((one) => one.name === name) ?? assert.fail(`no case for ${name}`)

const standIn = Effect.fnUntraced(function*(one: PresetCase, settings: GatewaySettings) {
  yield* TestClock.setTime(start * 1000)
  const provider = yield* makeStandIn(settings, one.places)
  return {
    ...provider,
    tokenOf: ({ claims, header, opaque }: Partial<Neighbour> = {}) =>
      opaque !== undefined
        ? Effect.succeed(opaque)
        : claims === undefined && one.opaque !== undefined
        ? Effect.succeed(one.opaque)
        : provider.sign({ ...(one.opaque === undefined ? tokenOf(one) : {}), ...claims }, { ...one.header, ...header })
  }
})

describe("each preset", () => {
  it("has a case here, sources and, for the first eight providers, a page", () => {
    assert.deepStrictEqual(presetCases.map(({ name }) => name), presets.map(({ name }) => name))
    for (const { sources } of presets) {
      for (const source of sources) assert.strictEqual(new URL(source).protocol, "https:")
    }
    assert.deepStrictEqual(presetCases.flatMap(({ page }) => page ?? []), [
      "Entra",
      "Google",
      "Okta",
      "Auth0",
      "Keycloak",
      "Cognito",
      "GitHub",
      "GitLab"
    ])
    for (const { name } of presets) assert.include(page, `\`${name}\``)
  })

  it.each(presetCases)("starts with at most ten lines: $name", (one) => {
    const variables = variablesOf(one)
    assert.isAtMost(Object.keys(variables).length, 10)
    const settings = settingsOf(variables)
    const [provider] = settings.providers
    assert.strictEqual(provider?.name, one.name)
    // From a file, the same.
    assert.deepStrictEqual(settingsOf({}, fileOf(variables)).providers, settings.providers)
  })

  it.each(presetCases)("warns about nothing that its settings could have put right: $name", (one) => {
    const audience = /no audience is configured/
    const unwise = warnings(settingsOf({ ...variablesOf(one), MCP_ALLOWED_ORIGINS: "*" }))
    // Clerk writes none: only their type distinguishes its access tokens from those of sessions.
    assert.deepStrictEqual(unwise.filter((warning) => one.name !== "clerk" || !audience.test(warning)), [])
  })

  it.each(presetCases)("says in --check what it has decided: $name", (one) => {
    const settings = settingsOf(variablesOf(one))
    const [described] = describeSettings(settings)["providers"] as ReadonlyArray<Record<string, unknown>>
    const decided = described?.["decided_by_preset"] as Readonly<Record<string, unknown>>
    assert.strictEqual(described?.["preset"], one.name)
    assert.isAbove(Object.keys(decided).length, 1)
    for (const [field, value] of Object.entries(decided)) {
      // The values that it has decided are used.
      const shown = JSON.stringify(described?.[field]) ?? assert.fail(`${one.name} does not show ${field}`)
      assert.strictEqual(shown.replaceAll("https://mcp.example.com/mcp", "auto"), JSON.stringify(value), field)
    }
  })

  for (const { name, needs } of presets) {
    for (const [index, { fix, fields: [field] }] of needs.entries()) {
      it(`does not start without what only the operator knows: ${name}, ${field}`, () => {
        const variables = { ...variablesOf(caseOf(name)) }
        const entries = fileOf(variables)
        const [provider = {}] = entries.providers
        const left = Object.fromEntries(
          Object.entries(provider).filter(([key]) => !needs[index]?.fields.some((one) => one === key))
        )
        const problem = onlyProblemOf({}, { ...entries, providers: [left] })
        assert.strictEqual(problem.setting, `MCP_PROVIDERS[0].${field}`)
        assert.include(problem.problem, `is missing; the preset ${name} needs it`)
        assert.strictEqual(problem.fix, fix)
      })
    }
  }
})

describe("tokens of a preset's provider", () => {
  it.effect.each(presetCases)(
    "are accepted as the documentation describes them: $name",
    (one) =>
      Effect.scoped(Effect.gen(function*() {
        const settings = settingsOf(variablesOf(one))
        const { tokenOf, verify } = yield* standIn(one, settings)
        const identity = yield* verify(yield* tokenOf())
        assert.deepInclude(identity, one.identity)
        const [provider] = settings.providers
        if (one.requested !== undefined) {
          assert.deepStrictEqual(requestedScopes(settings, identity.scopes, provider?.name), one.requested)
        }
        for (const scope of settings.requiredScopes) assert.include(identity.scopes, scope)
      }))
  )

  it.effect.each(presetCases)("are rejected if they are others: $name", (one) =>
    Effect.scoped(Effect.gen(function*() {
      const { tokenOf, verify } = yield* standIn(one, settingsOf(variablesOf(one)))
      // Positive control.
      yield* verify(yield* tokenOf())
      for (const [title, neighbour] of Object.entries(one.neighbours)) {
        const error = yield* Effect.flip(verify(yield* tokenOf(neighbour)))
        assert.strictEqual(error._tag, "InvalidToken", title)
        if (error._tag !== "InvalidToken") continue
        assert.strictEqual(error.reason, neighbour.reason, `${title}: ${error.detail}`)
        if (neighbour.detail === undefined) continue
        assert.include(error.detail, neighbour.detail, title)
        if (one.page !== undefined) assert.include(sectionOf(one.page), `\`${neighbour.detail}\``)
      }
    })))

  it.effect.each(presetCases.filter(({ client }) => client !== undefined))(
    "are rejected if they belong to another client than the allowed ones: $name",
    (one) =>
      Effect.scoped(Effect.gen(function*() {
        const variables = { ...variablesOf(one), MCP_ALLOWED_CLIENTS: String(tokenOf(one)[one.client ?? ""]) }
        const { tokenOf: tokenWith, verify } = yield* standIn(one, settingsOf(variables))
        yield* verify(yield* tokenWith())
        const error = yield* Effect.flip(verify(yield* tokenWith({ claims: { [one.client ?? ""]: "evil" } })))
        assert.strictEqual(error._tag, "InvalidToken")
        assert.include(error.detail, "evil")
      }))
  )

  it.effect.each(presetCases.filter(({ opaque }) => opaque === undefined))(
    "are rejected if someone else has signed them: $name",
    (one) =>
      Effect.scoped(Effect.gen(function*() {
        const settings = settingsOf(variablesOf(one))
        const mine = yield* standIn(one, settings)
        const other = yield* standIn(one, settings)
        const token = yield* other.tokenOf()
        yield* other.verify(token)
        const error = yield* Effect.flip(mine.verify(token))
        assert.strictEqual(error._tag, "InvalidToken")
      }))
  )
})

describe("a preset", () => {
  const entra = { ...common, MCP_PROVIDER_PRESET: "entra", MCP_JWT_TENANTS: "11111111-2222-3333-4444-555555555555" }
  const app = "66666666-7777-8888-9999-000000000000"

  it("that does not exist is reported with the name that was meant", () => {
    const problem = onlyProblemOf({ ...entra, MCP_JWT_AUDIENCE: app, MCP_PROVIDER_PRESET: "entar" })
    assert.deepStrictEqual([problem.setting, problem.fix], ["MCP_PROVIDER_PRESET", "Did you mean entra?"])
    assert.include(onlyProblemOf({ ...common, MCP_PROVIDER_PRESET: "my-provider" }).fix, "keycloak")
  })

  it("leaves every field to the operator", () => {
    const [provider] = settingsOf({
      ...entra,
      MCP_JWT_AUDIENCE: app,
      MCP_PROVIDER_NAME: "staff",
      MCP_JWT_ISSUER: "https://login.microsoftonline.us/{tenantid}/v2.0",
      MCP_SUBJECT_CLAIMS: "sub",
      MCP_SCOPES_REQUESTED: `{"read": "api://notes/Notes.Read"}`,
      MCP_JWT_ALGORITHM: "PS256"
    }).providers
    assert.deepInclude<object>(provider ?? {}, {
      name: "staff",
      issuer: "https://login.microsoftonline.us/{tenantid}/v2.0",
      subjectClaims: ["sub"],
      scopesRequested: { read: "api://notes/Notes.Read" },
      algorithms: ["PS256"],
      clientClaims: ["azp", "appid"]
    })
    assert.notInclude(Object.keys(provider?.preset?.fields ?? {}), "issuer")
  })

  it("leaves the type to the operator, and fills in only what the type uses", () => {
    const [provider] = settingsOf({
      ...common,
      MCP_PROVIDER_PRESET: "keycloak",
      MCP_PROVIDER_TYPE: "introspection",
      MCP_JWT_ISSUER: "https://login.example.com/realms/notes",
      MCP_CLIENT_ID: "gateway",
      MCP_CLIENT_SECRET: "secret-of-the-gateway"
    }).providers
    assert.deepInclude<object>(provider ?? {}, { type: "introspection", audience: ["https://mcp.example.com/mcp"] })
  })

  it("is one of several providers", () => {
    const { providers } = settingsOf({}, {
      server_url: "http://127.0.0.1:8080/mcp",
      public_url: "https://mcp.example.com",
      providers: [
        { preset: "entra", tenants: ["11111111-2222-3333-4444-555555555555"], audience: app },
        { preset: "github", allowed_clients: "Ov23liNotesExample" }
      ]
    })
    assert.deepStrictEqual(providers.map(({ name, type }) => [name, type]), [["entra", "oidc"], [
      "github",
      "tokeninfo"
    ]])
  })

  it.each([
    [
      "Okta's org authorization server",
      "okta",
      { MCP_JWT_ISSUER: "https://dev-1234567.okta.com" },
      "MCP_JWT_ISSUER",
      "org"
    ],
    ["Okta by its domain alone", "okta", { MCP_JWT_ISSUER: "dev-1234567.okta.com" }, "MCP_JWT_ISSUER", "org"],
    [
      "Keycloak without a realm",
      "keycloak",
      { MCP_JWT_ISSUER: "https://login.example.com" },
      "MCP_JWT_ISSUER",
      "realm"
    ],
    [
      "authentik without an application",
      "authentik",
      { MCP_JWT_ISSUER: "https://login.example.com", MCP_JWT_AUDIENCE: "a" },
      "MCP_JWT_ISSUER",
      "application"
    ],
    [
      "a tenant by its domain",
      "entra",
      { MCP_JWT_TENANTS: "contoso.onmicrosoft.com", MCP_JWT_AUDIENCE: app },
      "MCP_JWT_TENANTS",
      "other than its id"
    ],
    [
      "only a name of one's own as the audience of Entra",
      "entra",
      { MCP_JWT_TENANTS: "11111111-2222-3333-4444-555555555555", MCP_JWT_AUDIENCE: "api://notes" },
      "MCP_JWT_AUDIENCE",
      "Application (client) ID"
    ],
    [
      "a user pool without its region",
      "cognito",
      { MCP_JWT_TENANTS: "AbCdEf123", MCP_ALLOWED_CLIENTS: "c" },
      "MCP_JWT_TENANTS",
      "user pool"
    ],
    [
      "user pools of two regions",
      "cognito",
      { MCP_JWT_TENANTS: "eu-central-1_AbCdEf123,us-east-1_AbCdEf123", MCP_ALLOWED_CLIENTS: "c" },
      "MCP_JWT_TENANTS",
      "several regions"
    ],
    ["no project of Descope", "descope", { MCP_JWT_ISSUER: "https://auth.example.com" }, "MCP_JWT_ISSUER", "project"]
  ])("finds what cannot be right: %s", (_, name, variables, setting, text) => {
    const problem = onlyProblemOf({ ...common, MCP_PROVIDER_PRESET: name, ...variables })
    assert.strictEqual(problem.setting, setting)
    assert.include(problem.problem, text)
  })

  it("asks for the public URL where the audience follows from it", () => {
    const { MCP_SERVER_URL } = common
    const problem = onlyProblemOf({
      MCP_SERVER_URL,
      MCP_PROVIDER_PRESET: "auth0",
      MCP_JWT_ISSUER: "notes.eu.auth0.com"
    })
    assert.include(problem.fix, "MCP_PUBLIC_URL")
  })

  it("alone, without anything else, reports all that is missing", () => {
    assert.deepStrictEqual(problemsOf({ ...common, MCP_PROVIDER_PRESET: "entra-b2c" }).map(({ setting }) => setting), [
      "MCP_DISCOVERY_URL",
      "MCP_JWT_TENANTS",
      "MCP_JWT_AUDIENCE"
    ])
  })
})

const issuerOf = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`

/** The config files of the page, with the files that they name. */
const files = [...page.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, text = ""]) => JSON.parse(text))
  .filter((file) => "providers" in file)

const resolveFile = (document: unknown) =>
  Result.getOrThrowWith(
    resolveSources({
      variables: {},
      document,
      files: {
        "/run/secrets/session-key": { text: "k".repeat(44) },
        "/run/secrets/client-secret": { text: "the-secret-of-the-client-0123456789" }
      }
    }),
    ({ message }) => new Error(message)
  )

const facadeOf = (provider: Readonly<Record<string, string>>) =>
  settingsOf({}, {
    server_url: common.MCP_SERVER_URL,
    public_url: common.MCP_PUBLIC_URL,
    session_key: "k".repeat(44),
    providers: [{
      ...provider,
      facade: { client_id: "c", client_secret: "s3cret", redirect_uris: ["http://127.0.0.1/"] }
    }]
  }).providers[0]?.facade

/** What the preset of Auth0 has decided of a facade, as `--check` shows it. */
const decidedOf = (facade: object) => {
  const [described] = describeSettings(settingsOf({}, {
    server_url: common.MCP_SERVER_URL,
    public_url: common.MCP_PUBLIC_URL,
    session_key: "k".repeat(44),
    providers: [{
      preset: "auth0",
      issuer: "notes.eu.auth0.com",
      facade: {
        client_id: "c",
        client_secret: "s3cret-of-the-client",
        redirect_uris: ["http://127.0.0.1/"],
        ...facade
      }
    }]
  }))["providers"] as ReadonlyArray<Readonly<Record<string, object>>>
  assert.notInclude(JSON.stringify(described), "s3cret-of-the-client")
  const { decided_by_preset: found = {}, facade: shown } = described ?? {}
  const members = "facade" in found ? found.facade : undefined
  // What was decided is what counts.
  assert.deepInclude(shown, members ?? {})
  return members
}

describe("the config files of the page", () => {
  it("start, with what the presets know of facades", () => {
    const providers = files.map((file) => resolveFile(file).providers[0])
    assert.deepStrictEqual(providers.map((provider) => provider?.name), ["okta", "entra", "okta", "google"])
    const [, entra, okta, google] = providers
    assert.deepInclude(okta?.facade, { scopes: ["offline_access"], resource: undefined })
    assert.deepInclude(entra?.facade, { scopes: ["offline_access"], resource: undefined })
    assert.deepInclude<object>(google ?? {}, { allowedClients: ["1234567890-notes.apps.googleusercontent.com"] })
    assert.deepInclude(google?.facade, {
      scopes: ["openid", "email"],
      authorizeParameters: [["access_type", "offline"], ["prompt", "consent"]]
    })
    assert.notInclude(JSON.stringify(describeSettings(resolveFile(files[3]))), "the-secret-of")
  })

  it("know what providers need of a facade, whose pages have no file for it", () => {
    // They issue refresh tokens for this scope alone.
    const ory = facadeOf({ preset: "ory", issuer: "https://x.projects.oryapis.com", audience: "notes" })
    assert.deepStrictEqual(ory?.scopes, ["offline_access"])
    const zitadel = facadeOf({ preset: "zitadel", issuer: "notes.zitadel.cloud", audience: "2810000000000001" })
    assert.deepStrictEqual(zitadel?.scopes, ["openid", "offline_access"])
    const authentik = facadeOf({
      preset: "authentik",
      issuer: "https://login.example.com/application/o/notes/",
      audience: "JUr9Notes"
    })
    assert.deepStrictEqual(authentik?.scopes, ["openid", "offline_access"])
    const authkit = facadeOf({ preset: "authkit", issuer: "https://notes.authkit.app" })
    assert.deepInclude(authkit, { scopes: ["openid", "offline_access"], resource: "keep" })
    const connect = facadeOf({ preset: "workos-connect", issuer: "https://notes.authkit.app", audience: "client_01E" })
    assert.deepInclude(connect, { scopes: ["openid", "offline_access"], resource: undefined })
    const auth0 = { preset: "auth0", issuer: "notes.eu.auth0.com" }
    for (
      const [audience, sent] of [
        [undefined, "{resource}"],
        ["auto", "{resource}"],
        ["https://api.example,auto", "{resource}"],
        ["https://api.example,https://old.example", "https://api.example"]
      ] as const
    ) {
      const facade = facadeOf({ ...auth0, ...(audience === undefined ? {} : { audience }) })
      assert.deepInclude(facade, { scopes: ["offline_access"], authorizeParameters: [["audience", sent]] })
    }
    // GitHub reads credentials from the form alone.
    assert.strictEqual(facadeOf({ preset: "github" })?.auth.method, "post")
  })

  it("say in --check what they have decided of a facade, which is only what the operator left out", () => {
    const audience = { audience: "{resource}" }
    assert.deepStrictEqual(decidedOf({}), { scopes: ["offline_access"], authorize_parameters: audience })
    assert.deepStrictEqual(decidedOf({ scopes: "openid" }), { authorize_parameters: audience })
    assert.isUndefined(decidedOf({ scopes: "openid", authorize_parameters: { prompt: "login" } }))
  })

  it("leave each member of a facade to the operator", () => {
    const facade = {
      client_id: "Ov23liNotesExample",
      client_secret: "the-secret-of-the-client-0123456789",
      redirect_uris: "http://127.0.0.1/",
      authorize_endpoint: "https://github.example.com/login/oauth/authorize"
    }
    const variables = {
      ...common,
      MCP_SESSION_KEY: "k".repeat(44),
      MCP_PROVIDER_PRESET: "github",
      MCP_FACADE: JSON.stringify(facade)
    }
    const [provider] = settingsOf(variables).providers
    assert.deepInclude<object>(provider ?? {}, { allowedClients: ["Ov23liNotesExample"] })
    assert.deepInclude(provider?.facade, {
      authorizeEndpoint: "https://github.example.com/login/oauth/authorize",
      tokenEndpoint: "https://github.com/login/oauth/access_token"
    })
    const [other] = settingsOf({ ...variables, MCP_ALLOWED_CLIENTS: "Ov23liOther" }).providers
    assert.deepInclude<object>(other ?? {}, { allowedClients: ["Ov23liOther"] })
  })
})

describe("several tenants of Entra", () => {
  const [one, two] = ["11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"]
  const app = "66666666-7777-8888-9999-000000000000"
  it.effect("are those of the list, each with its own issuer, under the same keys", () =>
    Effect.scoped(Effect.gen(function*() {
      const settings = settingsOf({
        ...common,
        MCP_PROVIDER_PRESET: "entra",
        MCP_JWT_TENANTS: `${one},${two}`,
        MCP_JWT_AUDIENCE: app
      })
      yield* TestClock.setTime(start * 1000)
      const { sign, verify } = yield* makeStandIn(settings, (jwks) => ({
        ...Object.fromEntries([one, two].map((tenant) => [
          `${issuerOf(tenant)}/.well-known/openid-configuration`,
          { issuer: issuerOf(tenant), jwks_uri: "https://login.microsoftonline.com/common/discovery/v2.0/keys" }
        ])),
        "https://login.microsoftonline.com/common/discovery/v2.0/keys": { ...jwks }
      }))
      const token = (tenant: string, tid = tenant) =>
        sign({ iss: issuerOf(tenant), tid, oid: "o", sub: "s", aud: app, scp: "read" })
      for (const tenant of [one, two]) {
        assert.strictEqual((yield* verify(yield* token(tenant))).issuer, issuerOf(tenant))
      }
      for (
        const bad of [
          token("33333333-2222-3333-4444-555555555555"),
          token(one, two),
          token("common"),
          token("{tenantid}")
        ]
      ) {
        assert.strictEqual((yield* Effect.flip(verify(yield* bad)))._tag, "InvalidToken")
      }
    })))
})
