import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type AddressInfo, createServer, type Server } from "node:net"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { leaks } from "../support/canary.ts"
import { type Place, serveDocuments } from "../support/documentServer.ts"
import { makeHostedStandIn } from "../support/HostedStandIn.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { serveWebHandler } from "../support/serve.ts"
import { closedPort } from "./support/ports.ts"
import { runProgram } from "./support/Program.ts"

const canary = "canary-7fa3e1d09b42c865"

const audience = "https://mcp.example/mcp"

/** Runs `--check --online`; returns its exit code and its findings, one for each line. */
const online = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>) {
  const { code, stderr, stdout } = yield* runProgram({ args: ["--check", "--online"], env })
  assert.isEmpty(leaks([stdout, stderr], canary))
  assert.isObject(JSON.parse(stdout))
  return { code, lines: stderr.trim().split("\n") }
})

const find = (lines: ReadonlyArray<string>, pattern: RegExp): string =>
  lines.find((line) => pattern.test(line)) ?? assert.fail(`${pattern} is not in\n${lines.join("\n")}`)

const levels = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.map((line) => line.slice(0, line.indexOf(":")))

/** A server that accepts requests and never responds; returns its origin. */
const silent = Effect.map(
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer((socket) => void socket.on("error", () => undefined).resume())
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    // The client has given up, and closed its side.
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  ),
  (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on TCP
)

const noise = "x".repeat(40)

/** An environment in which only the MCP server matters. */
const withServer = (gatewayUrl: string) => ({
  MCP_SERVER_URL: gatewayUrl,
  MCP_STATIC_TOKENS: `${canary}${noise}:c:s:`
})

const providers = (entries: ReadonlyArray<object>) => ({ MCP_PROVIDERS: JSON.stringify(entries) })

/** An issuer made of documents. */
const documents = (places: (origin: string) => Record<string, Place>) =>
  Effect.map(serveDocuments(places), ({ origin }) => ({
    MCP_PROVIDER_TYPE: "oidc",
    MCP_JWT_ISSUER: origin,
    MCP_JWT_AUDIENCE: audience
  }))

const wellKnown = "/.well-known/openid-configuration"

describe.concurrent("--check --online", { timeout: 60_000 }, () => {
  it.live("reports the health of everything it asks, and sends the MCP server only a ping", () =>
    Effect.gen(function*() {
      const client = { id: "gateway", secret: `${canary}-secret` }
      const issuer = yield* TestIssuer.make({ audience, client })
      const upstream = yield* makeRecordingUpstream
      const { code, lines } = yield* online({
        MCP_SERVER_URL: `${upstream.origin}/mcp`,
        ...providers([
          { type: "oidc", name: "jwt", issuer: issuer.issuer, audience },
          {
            type: "introspection",
            name: "opaque",
            issuer: issuer.issuer,
            audience,
            introspection_endpoint: `${issuer.issuer}/oauth2/introspection`,
            client_id: client.id,
            client_secret: client.secret
          },
          { type: "userinfo", name: "user", issuer: issuer.issuer, token_prefix: "u_" },
          { type: "static", name: "fixed", tokens: `${canary}${noise}:c:s:` }
        ])
      })
      assert.strictEqual(code, 0, lines.join("\n"))
      find(lines, /^ok: Provider "jwt": keys: 1 usable key for RS256 at http:\/\/127\.0\.0\.1:\d+.*\/oauth2\/jwks$/)
      find(lines, /^ok: Provider "jwt": discovery: /)
      find(lines, /^ok: Provider "opaque": introspection: /)
      find(lines, /^ok: Provider "user": userinfo: /)
      find(lines, /^ok: Provider "fixed": /)
      find(lines, /^ok: MCP server http:\/\/127\.0\.0\.1:\d+\/mcp: it responds \(\d+\)$/)
      assert.notInclude(levels(lines), "error")
      const [request, ...others] = upstream.requests()
      assert.deepStrictEqual([request?.method, request?.url, others.length], ["POST", "/mcp", 0])
      assert.isEmpty(request?.headers("authorization"))
      assert.isEmpty(request?.headers("x-auth-user-id"))
    }))

  it.live("distinguishes rejected credentials of the gateway from a missing endpoint", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience, client: { id: "gateway", secret: "right" } })
      const upstream = yield* makeRecordingUpstream
      const asking = {
        type: "introspection",
        issuer: issuer.issuer,
        audience,
        client_id: "gateway",
        client_secret: `${canary}-wrong`
      }
      const { code, lines } = yield* online({
        MCP_SERVER_URL: upstream.origin,
        ...providers([
          { ...asking, name: "a", introspection_endpoint: `${issuer.issuer}/oauth2/introspection` },
          { ...asking, name: "b", token_prefix: "b_", introspection_endpoint: `${issuer.issuer}/nowhere` },
          {
            type: "userinfo",
            name: "c",
            token_prefix: "c_",
            issuer: issuer.issuer,
            userinfo_endpoint: `${issuer.issuer}/no`
          }
        ])
      })
      assert.strictEqual(code, 1)
      assert.match(
        find(lines, /Provider "a"/),
        /^error: .* 401, .*rejects the gateway's credentials, .*MCP_CLIENT_SECRET/
      )
      assert.match(find(lines, /Provider "b"/), /^error: .*\/nowhere: Status 404/)
      assert.match(find(lines, /Provider "c": userinfo/), /^error: .*\/no: Status 404/)
    }))

  it.live("names the algorithm that the provider signs with", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience, algorithms: ["ES256"] })
      const upstream = yield* makeRecordingUpstream
      const env = { MCP_SERVER_URL: upstream.origin, MCP_JWT_ISSUER: issuer.issuer, MCP_JWT_AUDIENCE: audience }
      const wrong = yield* online(env)
      assert.strictEqual(wrong.code, 1)
      find(wrong.lines, /^error: .*is for RS256; they are for ES256\. Set MCP_JWT_ALGORITHM/)
      const right = yield* online({ ...env, MCP_JWT_ALGORITHM: "ES256" })
      assert.strictEqual(right.code, 0)
    }))

  const issuers: ReadonlyArray<
    readonly [what: string, pattern: RegExp, places: (origin: string) => Record<string, Place>]
  > = [
    ["has no discovery document", /^error: .*: keys: .*openid-configuration: Status 404/, () => ({})],
    [
      "names another issuer in its document",
      /^error: .*names the issuer \S+other\.example/,
      () => ({ [wellKnown]: { issuer: "https://other.example", jwks_uri: "https://other.example/jwks" } })
    ],
    [
      "has an HTML page where its keys should be",
      /^error: .*\/jwks: NotJson/,
      (origin) => ({
        [wellKnown]: { issuer: origin, jwks_uri: `${origin}/jwks` },
        "/jwks": () => new Response("<html></html>", { headers: { "content-type": "text/html" } })
      })
    ],
    [
      "has a key set without a usable key",
      /^error: .*\/jwks has no usable key/,
      (origin) => ({ [wellKnown]: { issuer: origin, jwks_uri: `${origin}/jwks` }, "/jwks": { keys: [{ kty: "oct" }] } })
    ],
    [
      "fails",
      /^error: .*openid-configuration: Status 500/,
      () => ({ [wellKnown]: () => new Response(null, { status: 500 }) })
    ]
  ]
  for (const [what, pattern, places] of issuers) {
    it.live(`fails for a provider that ${what}`, () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        const { code, lines } = yield* online({ MCP_SERVER_URL: upstream.origin, ...(yield* documents(places)) })
        assert.strictEqual(code, 1)
        find(lines, pattern)
        find(lines, /^ok: MCP server/)
      }))
  }

  it.live("asks each tenant of an issuer for its keys, and endpoints that are found by discovery", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const { jwksUri } = yield* TestIssuer.make({ audience })
      const { MCP_JWT_ISSUER: origin } = yield* documents((origin) => ({
        [`/one${wellKnown}`]: { issuer: `${origin}/one`, jwks_uri: jwksUri },
        [`/user${wellKnown}`]: { issuer: `${origin}/user`, userinfo_endpoint: `${origin}/me` },
        "/me": () => new Response("", { status: 401 })
      }))
      const { code, lines } = yield* online({
        MCP_SERVER_URL: upstream.origin,
        ...providers([
          { type: "oidc", name: "many", issuer: `${origin}/{tenantid}`, tenants: ["one", "two"], audience },
          { type: "userinfo", name: "user", issuer: `${origin}/user` }
        ])
      })
      assert.strictEqual(code, 1)
      find(lines, /^ok: Provider "many": keys: 1 usable key/)
      find(lines, /^ok: Provider "many": discovery: the document of \S+\/one names it/)
      find(lines, /^error: Provider "many": keys: .*\/two.*: Status 404/)
      find(lines, /^ok: Provider "user": userinfo: /)
    }))

  it.live("warns of what MCP clients miss in a document that is right otherwise", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const { published } = yield* Effect.map(TestIssuer.make({ audience }), ({ jwksUri }) => ({ published: jwksUri }))
      const env = yield* documents((origin) => ({ [wellKnown]: { issuer: origin, jwks_uri: published } }))
      const { code, lines } = yield* online({ MCP_SERVER_URL: upstream.origin, ...env })
      assert.strictEqual(code, 0)
      find(lines, /^warning: .*does not list S256/)
      find(lines, /^note: .*no registration_endpoint/)

      // Clients see the metadata of the facade.
      const withFacade = yield* online({
        MCP_SERVER_URL: upstream.origin,
        ...env,
        MCP_PUBLIC_URL: "https://mcp.example",
        MCP_SESSION_KEY: `${canary}${noise}`,
        MCP_FACADE: JSON.stringify({
          client_id: "gateway",
          client_secret: `${canary}-secret`,
          redirect_uris: ["http://127.0.0.1/callback"]
        })
      })
      find(withFacade.lines, /^ok: Provider .*: discovery: the document of \S+ names it/)
      assert.isUndefined(withFacade.lines.find((line) => /\bS256|registration_endpoint/.test(line)))

      const whole = yield* documents((origin) => ({
        [wellKnown]: {
          issuer: origin,
          jwks_uri: published,
          code_challenge_methods_supported: ["S256"],
          registration_endpoint: `${origin}/register`
        }
      }))
      const good = yield* online({ MCP_SERVER_URL: upstream.origin, ...whole })
      assert.deepStrictEqual([good.code, new Set(levels(good.lines))], [0, new Set(["ok"])])
    }))

  it.live("asks for what a facade needs: endpoints, the gateway's client, and the keys of assertions", () =>
    Effect.gen(function*() {
      const company = yield* TestIssuer.make({ audience })
      const upstream = yield* makeRecordingUpstream
      const client = { id: "gateway", secret: `${canary}-secret`, redirectUri: "https://mcp.example/oauth/callback" }
      const hosted = yield* makeHostedStandIn("okta", { clients: [client], audience, scopes: [] })
      const found = (facade: object) =>
        online({
          MCP_SERVER_URL: upstream.origin,
          MCP_PUBLIC_URL: "https://mcp.example",
          MCP_SESSION_KEY: `${canary}${noise}`,
          ...providers([{
            preset: "okta",
            issuer: hosted.issuer,
            facade: {
              client_id: client.id,
              client_secret: client.secret,
              redirect_uris: ["http://127.0.0.1/callback"],
              assertions: true,
              assertion_issuer: company.issuer,
              ...facade
            }
          }])
        })
      const good = yield* found({})
      assert.strictEqual(good.code, 0, good.lines.join("\n"))
      find(good.lines, /^ok: Facade of "okta": endpoints: users sign in at \S+\/oauth2\/aus1notes\/v1\/authorize$/)
      find(good.lines, /^ok: Facade of "okta": client: \S+\/v1\/token knows the gateway's client/)
      find(good.lines, /^ok: Facade of "okta": assertion_issuer: keys: 1 usable key for RS256 at /)
      assert.deepStrictEqual(
        hosted.tokenRequests.map((form) => [form.get("grant_type"), form.get("redirect_uri")]),
        [["authorization_code", client.redirectUri]]
      )

      const wrong = yield* found({ client_secret: `${canary}-wrong`, assertion_issuer: `${company.issuer}/nowhere` })
      assert.strictEqual(wrong.code, 1)
      find(
        wrong.lines,
        /^error: Facade of "okta": client: .*401, invalid_client: .*: check client_id, its secret or key/
      )
      find(wrong.lines, /^error: Facade of "okta": assertion_issuer: keys: .*nowhere.*Status 404/)

      const nowhere = yield* found({ token_endpoint: `${hosted.origin}/nowhere`, assertion_issuer: undefined })
      assert.strictEqual(nowhere.code, 1)
      find(nowhere.lines, /^error: Facade of "okta": client: .*\/nowhere/)
      assert.isUndefined(nowhere.lines.find((line) => line.includes("assertion_issuer")))
    }))

  it.live("fails within seconds for providers that cannot be reached", () =>
    Effect.gen(function*() {
      const closed = yield* closedPort
      const origin = yield* silent
      const { code, lines } = yield* online({
        MCP_SERVER_URL: `http://127.0.0.1:${closed}/mcp`,
        ...providers([
          { type: "oidc", name: "closed", issuer: `http://127.0.0.1:${closed}/a`, audience },
          { type: "userinfo", name: "silent", issuer: origin }
        ])
      })
      assert.strictEqual(code, 1)
      find(lines, /^error: Provider "closed": .*: Unreachable, ECONNREFUSED: nothing listens there$/)
      find(lines, /^error: Provider "silent": .*: Timeout/)
      find(lines, /^error: MCP server .*\(ECONNREFUSED\): nothing listens there\. Start the MCP server/)
    }))

  const responses: ReadonlyArray<
    readonly [what: string, code: number, pattern: RegExp, response: (url: URL) => Response]
  > = [
    ["does not know the request", 0, /^ok: .*it responds \(400\)/, () => new Response("{}", { status: 400 })],
    [
      "is elsewhere",
      0,
      /^warning: .*it responds with 404 to POST .*Check the path/,
      () => new Response("", { status: 404 })
    ],
    ["takes no POST", 0, /^warning: .*it responds with 405/, () => new Response("", { status: 405 })],
    [
      "asks for a token",
      0,
      /^warning: .*it responds with 401 to a request without a token/,
      () => new Response("", { status: 401 })
    ],
    ["is failing", 0, /^warning: .*it responds with 503/, () => new Response("", { status: 503 })],
    [
      "is a web page",
      0,
      /^warning: .*HTML page/,
      () => new Response("<html>", { headers: { "content-type": "text/html; charset=utf-8" } })
    ],
    [
      "redirects to a slash",
      0,
      /^note: .*redirects \S+\/mcp to \S*\/mcp\/, which the gateway follows/,
      ({ origin }) => new Response("", { status: 307, headers: { location: `${origin}/mcp/` } })
    ],
    [
      "redirects elsewhere",
      1,
      /^error: .*redirects \(302\) to https:\/\/login\.example\/in, which the gateway does not follow/,
      () => new Response("", { status: 302, headers: { location: `https://login.example/in?state=${canary}` } })
    ]
  ]
  for (const [what, expected, pattern, response] of responses) {
    it.live(`says of an MCP server that ${what} what it found`, () =>
      Effect.gen(function*() {
        const origin = yield* serveWebHandler(async ({ url }) => response(new URL(url)))
        const { code, lines } = yield* online(withServer(`${origin}/mcp`))
        assert.strictEqual(code, expected, lines.join("\n"))
        find(lines, pattern)
      }))
  }

  it.live("waits for an MCP server as long as it is set to", () =>
    Effect.gen(function*() {
      const origin = yield* silent
      const { code, lines } = yield* online({
        ...withServer(`${origin}/mcp`),
        MCP_UPSTREAM_TIMEOUT: "1"
      })
      assert.strictEqual(code, 1)
      find(lines, /^error: MCP server .*it does not respond within 1 seconds \(MCP_UPSTREAM_TIMEOUT\)$/)
    }))

  it.live("sends no request where the settings are wrong, or without --check", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const wrong = yield* runProgram({ args: ["--check", "--online"], env: { MCP_SERVER_URL: upstream.origin } })
      assert.deepStrictEqual([wrong.code, wrong.stdout], [1, ""])
      assert.include(wrong.stderr, "No authentication providers configured")
      const alone = yield* runProgram({ args: ["--online"], env: withServer(upstream.origin) })
      assert.deepStrictEqual([alone.code, alone.stdout, alone.stderr], [1, "", "--online goes with --check.\n"])
      assert.isEmpty(upstream.requests())
    }))
})
