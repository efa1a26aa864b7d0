/**
 * Clients that sign in at the provider itself, from their first 401 to a called tool and through a refresh, with the ten lines on the
 * provider's page as they are there: only hosts are other ones.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { settingsOf } from "../config/resolving.ts"
import { root } from "../node/support/builtProgram.ts"
import { startGateway } from "../support/gateway.ts"
import {
  type Hosted,
  hostedEnvironment,
  type HostedOptions,
  hostedUser,
  makeHostedStandIn
} from "../support/HostedStandIn.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"
import { Visitor } from "../support/Visitor.ts"
import { blocksOf, sectionOf, variablesIn } from "./pages.ts"

type Variables = Readonly<Record<string, string>>

const redirectUri = "http://127.0.0.1:33418/callback"

/** The client that an administrator of Okta has registered for MCP clients. */
const oktaClient = { id: "0oa1notes", redirectUri }

/** The variables of the section about AuthKit, which is a page of its own. */
const authKitVariables = (): Variables => {
  const readme = readFileSync(join(root, "src/config/README.md"), "utf8")
  const [section = ""] = readme.split("### AuthKit\n")[1]?.split(/^### /m) ?? []
  const block = /^```sh\n([^]*?)^```$/m.exec(section)?.[1] ?? assert.fail("no variables of AuthKit")
  return variablesIn(block.replace(/^export /gm, "").replace(/ *#.*$/gm, ""))
}

interface Case {
  readonly name: string
  readonly kind: Hosted
  readonly variables: () => Variables
  /** What stands in the variables for the provider's place. */
  readonly host: RegExp
  readonly options: Partial<HostedOptions>
  /** Clients do not register, but know this id. */
  readonly clientId?: string
  readonly claims: Readonly<Record<string, string>>
}

const cases: ReadonlyArray<Case> = [
  {
    name: "Okta",
    kind: "okta",
    variables: () => variablesIn(blocksOf(sectionOf("Okta"), "sh")[0] ?? ""),
    host: /https:\/\/dev-1234567\.okta\.com/,
    options: { clients: [oktaClient] },
    clientId: oktaClient.id,
    claims: { "x-auth-client-id": oktaClient.id }
  },
  {
    name: "Auth0",
    kind: "auth0",
    variables: () => variablesIn(blocksOf(sectionOf("Auth0"), "sh")[0] ?? ""),
    host: /notes\.eu\.auth0\.com/,
    options: {},
    claims: {}
  },
  {
    name: "AuthKit",
    kind: "authkit",
    variables: authKitVariables,
    host: /your-tenant\.authkit\.app/,
    options: {},
    claims: {}
  }
]

/** A gateway with the lines of the page, before a provider that stands in. */
const start = Effect.fnUntraced(function*({ host, kind, options, variables }: Case, more: Partial<HostedOptions> = {}) {
  const port = yield* reservePort
  const gateway = `http://127.0.0.1:${port}`
  const upstream = yield* makeRecordingUpstream
  const found = variables()
  const provider = yield* makeHostedStandIn(kind, {
    clients: [],
    audience: `${gateway}/mcp`,
    scopes: (found["MCP_REQUIRED_SCOPES"] ?? "").split(","),
    ...options,
    ...more
  })
  const lines = {
    MCP_PUBLIC_URL: "https://mcp.example.com",
    ...found,
    MCP_SERVER_URL: `${upstream.origin}/mcp`
  }
  const moved = Object.entries(lines).map(([name, value]) => [
    name,
    value.replace(host, provider.origin).replace("https://mcp.example.com", gateway)
  ])
  assert.isAtMost(moved.length, 10)
  yield* startGateway(settingsOf(Object.fromEntries(moved), { port }))
  return { gateway, upstream, provider, resource: `${gateway}/mcp`, scopes: found["MCP_REQUIRED_SCOPES"] ?? "" }
})

/** Clients ask for a refresh token where the metadata offer it. */
const withOffline = ({ metadata, scope = "" }: Visitor): string => {
  assert.include(metadata["scopes_supported"], "offline_access")
  return `${scope} offline_access`.trim()
}

describe("with the ten lines of its page", () => {
  for (const one of cases) {
    const { claims, clientId, kind, name } = one
    it.live(`a client signs in at a provider like ${name}, calls a tool, and calls it after a refresh`, () =>
      Effect.gen(function*() {
        const { provider, resource, scopes, upstream } = yield* start(one)
        const visitor = new Visitor(resource, { redirectUri, ...(clientId === undefined ? {} : { clientId }) })
        yield* visitor.discover
        assert.strictEqual(visitor.issuer, provider.issuer)
        assert.strictEqual(visitor.scope, scopes.replaceAll(",", " "))
        if (clientId === undefined) assert.strictEqual((yield* visitor.register()).status, 201)
        const code = yield* visitor.authorize(() => undefined, { changes: { scope: withOffline(visitor) } })
        const tokens = yield* visitor.exchange(code)
        assert.strictEqual((yield* visitor.call(tokens.access)).status, 200)
        const [sent] = upstream.requests()
        assert.deepStrictEqual(sent?.headers("x-auth-user-id"), [hostedUser[kind]])
        assert.includeMembers(sent?.headers("x-auth-scopes").join().split(" ") ?? [], scopes.split(","))
        for (const [field, value] of Object.entries(claims)) assert.deepStrictEqual(sent?.headers(field), [value])

        const refreshed = yield* visitor.refresh(tokens.refresh)
        assert.notStrictEqual(refreshed.access, tokens.access)
        assert.strictEqual((yield* visitor.call(refreshed.access)).status, 200)
        assert.deepStrictEqual(
          provider.tokenRequests.map((form) => form.get("grant_type")),
          ["authorization_code", "refresh_token"]
        )
      }).pipe(Effect.scoped))

    it.live(`the token of a client that has not all scopes is not enough, at a provider like ${name}`, () =>
      Effect.gen(function*() {
        const { resource, scopes, upstream } = yield* start(one)
        const visitor = new Visitor(resource, { redirectUri, ...(clientId === undefined ? {} : { clientId }) })
        yield* visitor.discover
        if (clientId === undefined) yield* visitor.register()
        const { access } = yield* visitor.exchange(
          yield* visitor.authorize(() => undefined, { changes: { scope: "openid" } })
        )
        const response = yield* visitor.call(access)
        assert.strictEqual(response.status, 403)
        for (const scope of scopes.split(",")) assert.include(response.headers.get("www-authenticate"), scope)
        assert.isEmpty(upstream.requests())
      }).pipe(Effect.scoped))
  }
})

const caseOf = (name: string): Case => cases.find((one) => one.name === name) ?? assert.fail(`no case ${name}`)

describe("what goes wrong, as the pages say", () => {
  it.live("Okta: clients cannot register, and a scope that is not defined ends the sign-in", () =>
    Effect.gen(function*() {
      const { resource } = yield* start(caseOf("Okta"), { scopes: ["other"] })
      const visitor = new Visitor(resource, { redirectUri, clientId: oktaClient.id })
      yield* visitor.discover
      assert.strictEqual((yield* visitor.register()).status, 403)
      const { location } = yield* visitor.browser.visit(visitor.authorizationUrl())
      assert.strictEqual(new URL(location ?? "").searchParams.get("error"), "invalid_scope")
    }).pipe(Effect.scoped))

  it.live("Okta: the audience is the authorization server's, regardless of what a client requests", () =>
    Effect.gen(function*() {
      const { resource, upstream } = yield* start(caseOf("Okta"), { audience: "api://default" })
      const visitor = new Visitor(resource, { redirectUri, clientId: oktaClient.id })
      yield* visitor.discover
      const { access } = yield* visitor.exchange(yield* visitor.authorize(() => undefined))
      assert.strictEqual((yield* visitor.call(access)).status, 401)
      assert.isEmpty(upstream.requests())
    }).pipe(Effect.scoped))

  it.live("Auth0: without the compatibility profile, tokens are not for the MCP server", () =>
    Effect.gen(function*() {
      const { resource, upstream } = yield* start(caseOf("Auth0"), { resourceProfile: false })
      const visitor = new Visitor(resource, { redirectUri })
      yield* visitor.discover
      yield* visitor.register()
      const { access } = yield* visitor.exchange(yield* visitor.authorize(() => undefined))
      assert.lengthOf(access.split("."), 5)
      assert.strictEqual((yield* visitor.call(access)).status, 401)
      assert.isEmpty(upstream.requests())
    }).pipe(Effect.scoped))

  it.live("Auth0: there is no API with the URL of the MCP server", () =>
    Effect.gen(function*() {
      const { resource } = yield* start(caseOf("Auth0"), { audience: "https://other.example/mcp" })
      const visitor = new Visitor(resource, { redirectUri })
      yield* visitor.discover
      yield* visitor.register()
      const { location } = yield* visitor.browser.visit(visitor.authorizationUrl())
      assert.strictEqual(new URL(location ?? "").searchParams.get("error"), "access_denied")
    }).pipe(Effect.scoped))

  it.live("AuthKit: a client that requests no resource gets a token of the environment", () =>
    Effect.gen(function*() {
      const { provider, resource, upstream } = yield* start(caseOf("AuthKit"))
      const visitor = new Visitor(resource, { redirectUri })
      yield* visitor.discover
      yield* visitor.register()
      const code = yield* visitor.authorize(() => undefined, { changes: { resource: undefined } })
      const { access } = yield* visitor.exchange(code)
      const [, claims = ""] = access.split(".")
      assert.include(Buffer.from(claims, "base64url").toString(), hostedEnvironment)
      assert.strictEqual((yield* visitor.call(access)).status, 401)
      assert.isEmpty(upstream.requests())
      assert.lengthOf(provider.authorizations, 1)
    }).pipe(Effect.scoped))
})
