/**
 * The whole way of a client, from its first 401 to a called tool and through a refresh, with the settings from the
 * pages of the presets: only the hosts differ, and the gateway is killed and restarted before each step.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { settingsOf } from "../config/resolving.ts"
import { post } from "../facade/Browser.ts"
import { allow } from "../facade/consenting.ts"
import { sessionKey } from "../facade/facadeFixture.ts"
import { startGateway } from "../support/gateway.ts"
import { githubUser, makeGithubStandIn } from "../support/GithubStandIn.ts"
import { type Hosted, hostedUser, makeHostedStandIn } from "../support/HostedStandIn.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"
import { restartable } from "../support/restartable.ts"
import { makeStandInProvider, standInClient, standInPool, standInUser } from "../support/StandInProvider.ts"
import { Visitor } from "../support/Visitor.ts"
import { blocksOf, sectionOf, variablesIn } from "./pages.ts"

type Json = Readonly<Record<string, unknown>>

interface Page {
  readonly facade: Json
  readonly provider: Json
  /** Settings outside of the provider. */
  readonly rest: Json
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null

/** A config file of a section that has a facade. */
const fileOf = (section: string): Page => {
  const block = blocksOf(sectionOf(section), "json").find((one) => one.includes("\"facade\"")) ?? "{}"
  const { providers, ...rest }: Json = JSON.parse(block)
  const [entry] = Array.isArray(providers) ? providers : []
  const { facade, ...provider }: Json = isObject(entry) ? entry : {}
  return isObject(facade) ? { facade, provider, rest } : assert.fail(`no facade in ${section}`)
}

/** The variables of a page, and the facade of the page about clients that cannot register, with the client of this one. */
const variablesWithFacade = (section: string): Page => {
  const variables = variablesIn(blocksOf(sectionOf(section), "sh")[0] ?? "")
  const { facade } = fileOf("Clients that cannot register")
  const fields = {
    preset: variables["MCP_PROVIDER_PRESET"],
    issuer: variables["MCP_JWT_ISSUER"],
    tenants: variables["MCP_JWT_TENANTS"],
    allowed_clients: variables["MCP_ALLOWED_CLIENTS"]
  }
  return {
    facade: { ...facade, client_id: fields.allowed_clients ?? facade["client_id"] },
    provider: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    rest: { required_scopes: variables["MCP_REQUIRED_SCOPES"] }
  }
}

interface Place {
  readonly callback: string
  readonly page: Page
  /** The URL of the MCP server. */
  readonly resource: string
}

/**
 * A stand-in for a provider: the fields that differ from the page because they name hosts, and the requests that it
 * got.
 */
interface Standing {
  readonly fields: Json
  readonly facade?: Json
  readonly authorizations: ReadonlyArray<URLSearchParams>
}

interface Case {
  readonly name: string
  readonly page: () => Page
  readonly stand: (place: Place) => Effect.Effect<Standing, never, Scope.Scope>
  /** The scopes that the challenge tells clients to request. */
  readonly requested: string
  /** The request to the provider. */
  readonly asked: ReadonlyArray<string>
  /** The parameter by which the provider is told what the token is for. */
  readonly target?: "audience" | "resource"
  readonly user: string
  /** Scopes that the MCP server sees. */
  readonly scopes: ReadonlyArray<string>
  readonly refreshes: boolean
}

const clientOf = ({ facade }: Page): string => String(facade["client_id"])

/** A hosted provider, with the client of the facade and the scopes of the page. */
const hosted = (kind: Hosted) => ({ callback, page, resource }: Place) =>
  Effect.map(
    makeHostedStandIn(kind, {
      clients: [{ id: clientOf(page), secret: standInClient.secret, redirectUri: callback }],
      audience: resource,
      scopes: String(page.rest["required_scopes"]).split(","),
      // Without it, only the parameter `audience` selects an API.
      resourceProfile: false
    }),
    ({ authorizations, issuer }) => ({ fields: { issuer }, authorizations })
  )

const cases: ReadonlyArray<Case> = [
  {
    name: "Entra",
    page: () => fileOf("Entra"),
    stand: ({ callback, page }) =>
      Effect.map(
        makeStandInProvider("entra", callback, {
          clientId: clientOf(page),
          audience: "66666666-7777-8888-9999-000000000000",
          scopes: ["api://66666666-7777-8888-9999-000000000000/mcp.read"]
        }),
        ({ authorizations, origin }) => ({ fields: { issuer: `${origin}/{tenantid}/v2.0` }, authorizations })
      ),
    requested: "api://66666666-7777-8888-9999-000000000000/mcp.read",
    asked: ["api://66666666-7777-8888-9999-000000000000/mcp.read", "offline_access"],
    user: standInUser,
    scopes: ["mcp.read"],
    refreshes: true
  },
  {
    name: "Google",
    page: () => fileOf("Clients that cannot register"),
    stand: ({ callback, page }) =>
      Effect.map(
        makeStandInProvider("google", callback, { clientId: clientOf(page) }),
        ({ authorizations, origin }) => ({
          fields: { issuer: origin, tokeninfo_endpoint: `${origin}/tokeninfo` },
          authorizations
        })
      ),
    requested: "openid",
    asked: ["openid", "email"],
    user: standInUser,
    scopes: ["openid", "https://www.googleapis.com/auth/userinfo.email"],
    refreshes: true
  },
  {
    name: "Cognito",
    page: () => variablesWithFacade("Cognito"),
    stand: ({ callback, page }) =>
      Effect.map(
        makeStandInProvider("cognito", callback, { clientId: clientOf(page) }),
        ({ authorizations, origin }) => ({ fields: { issuer: `${origin}/{tenantid}` }, authorizations })
      ),
    requested: "notes/read",
    asked: ["notes/read"],
    user: standInUser,
    scopes: ["notes/read"],
    refreshes: true
  },
  {
    name: "GitHub",
    page: () => variablesWithFacade("GitHub"),
    stand: ({ callback, page }) =>
      Effect.map(
        makeGithubStandIn({ callback, clientId: clientOf(page), clientSecret: standInClient.secret }),
        ({ authorizations, origin }) => ({
          fields: { issuer: `${origin}/login/oauth`, tokeninfo_endpoint: `${origin}/user` },
          facade: {
            authorize_endpoint: `${origin}/login/oauth/authorize`,
            token_endpoint: `${origin}/login/oauth/access_token`
          },
          authorizations
        })
      ),
    requested: "read:user",
    asked: ["read:user"],
    user: String(githubUser.id),
    scopes: ["read:user"],
    refreshes: false
  },
  {
    name: "Okta",
    page: () => fileOf("Okta"),
    stand: hosted("okta"),
    requested: "notes:read",
    asked: ["notes:read", "offline_access"],
    user: hostedUser.okta,
    scopes: ["notes:read"],
    refreshes: true
  },
  {
    name: "Auth0",
    page: () => variablesWithFacade("Auth0"),
    stand: hosted("auth0"),
    requested: "notes:read",
    asked: ["notes:read", "offline_access"],
    target: "audience",
    user: hostedUser.auth0,
    scopes: ["notes:read"],
    refreshes: true
  },
  {
    name: "GitLab",
    page: () => variablesWithFacade("GitLab"),
    stand: hosted("gitlab"),
    requested: "read_user",
    asked: ["read_user"],
    user: hostedUser.gitlab,
    scopes: ["read_user"],
    refreshes: true
  }
]

describe("with the settings on its page", () => {
  for (const { asked, name, page: read, refreshes, requested, scopes, stand, target, user } of cases) {
    it.live(`a client without an application of its own signs in at a provider like ${name}`, () =>
      Effect.gen(function*() {
        const port = yield* reservePort
        const origin = `http://127.0.0.1:${port}`
        const upstream = yield* makeRecordingUpstream
        const page = read()
        const resource = `${origin}/mcp`
        const { authorizations, facade, fields } = yield* stand({
          callback: `${origin}/oauth/callback`,
          page,
          resource
        })
        const { client_secret_file: _, ...onPage } = page.facade
        const { session_key_file: __, ...rest } = page.rest
        const { restart } = yield* restartable(startGateway(settingsOf({}, {
          ...rest,
          server_url: `${upstream.origin}/mcp`,
          public_url: origin,
          port,
          session_key: sessionKey,
          providers: [{
            ...page.provider,
            ...fields,
            facade: { ...onPage, client_secret: standInClient.secret, ...facade }
          }]
        })))

        const visitor = new Visitor(resource, { redirectUri: "http://127.0.0.1:33418/" })
        yield* visitor.discover
        assert.strictEqual(visitor.scope, requested)
        assert.strictEqual(visitor.issuer, origin)
        yield* restart
        assert.strictEqual((yield* visitor.register()).status, 201)
        assert.strictEqual(visitor.clientId, clientOf(page))
        const before = (url: string) => url.startsWith(origin) ? restart : Effect.void
        const code = yield* visitor.authorize(allow, { before })
        assert.sameMembers(authorizations[0]?.get("scope")?.split(" ") ?? [], [...asked])
        for (const name of ["audience", "resource"]) {
          assert.strictEqual(authorizations[0]?.get(name), name === target ? resource : null, name)
        }
        yield* restart
        const tokens = yield* visitor.exchange(code)
        for (const word of tokens.scope?.split(" ") ?? []) assert.notInclude(word, ",")
        yield* restart
        assert.strictEqual((yield* visitor.call(tokens.access)).status, 200)
        const [sent] = upstream.requests()
        assert.deepStrictEqual(sent?.headers("x-auth-user-id"), [user])
        assert.includeMembers(sent?.headers("x-auth-scopes").join().split(" ") ?? [], [...scopes])
        assert.strictEqual((yield* visitor.call(`${tokens.access}x`)).status, 401)

        assert.strictEqual(tokens.refresh !== undefined, refreshes)
        if (refreshes) {
          const refreshed = yield* visitor.refresh(tokens.refresh)
          yield* restart
          assert.strictEqual((yield* visitor.call(refreshed.access)).status, 200)
          // Where the response to a refresh has no refresh token, the old one is still good.
          yield* visitor.refresh(refreshed.refresh ?? tokens.refresh)
        }
        // A code is good once, and only for the client with the verifier.
        const again = yield* visitor.token({
          grant_type: "authorization_code",
          code,
          redirect_uri: visitor.redirectUri,
          code_verifier: "v".repeat(43)
        })
        assert.strictEqual(again.body["error"], "invalid_grant")
      }).pipe(Effect.scoped))

    it.live(`a client with another redirect URI is not registered, nor sent to a provider like ${name}`, () =>
      Effect.gen(function*() {
        const port = yield* reservePort
        const origin = `http://127.0.0.1:${port}`
        const page = read()
        const resource = `${origin}/mcp`
        const { authorizations, facade, fields } = yield* stand({
          callback: `${origin}/oauth/callback`,
          page,
          resource
        })
        const { client_secret_file: _, ...onPage } = page.facade
        const { session_key_file: __, ...rest } = page.rest
        yield* startGateway(settingsOf({}, {
          ...rest,
          server_url: "http://127.0.0.1:9/mcp",
          public_url: origin,
          port,
          session_key: sessionKey,
          providers: [{
            ...page.provider,
            ...fields,
            facade: { ...onPage, client_secret: standInClient.secret, ...facade }
          }]
        }))
        const visitor = new Visitor(resource, { redirectUri: "https://evil.example/callback" })
        yield* visitor.discover
        assert.strictEqual((yield* visitor.register()).body["error"], "invalid_redirect_uri")
        const { location, status } = yield* visitor.browser.visit(
          visitor.authorizationUrl({ client_id: clientOf(page) })
        )
        assert.deepStrictEqual([status, location], [400, undefined])
        assert.lengthOf(authorizations, 0)
        assert.strictEqual((yield* post(`${origin}/token`, { grant_type: "password" })).status, 400)
      }).pipe(Effect.scoped))
  }
})

describe("the user pool of the page", () => {
  it("is the one that stands in", () => {
    assert.strictEqual(variablesWithFacade("Cognito").provider["tenants"], standInPool)
  })
})
