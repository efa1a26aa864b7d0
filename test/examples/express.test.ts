import { afterEach, assert, beforeEach, layer, vi } from "@effect/vitest"
import { InsufficientScopeError } from "@modelcontextprotocol/client"
import * as Effect from "effect/Effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { SignOptions } from "../../src/issuer/TestIssuerOptions.ts"
import { clients } from "../clients/clients.ts"
import { httpStatus } from "../clients/httpStatus.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { makeOidcProvider } from "../support/OidcProvider.ts"
import * as sdk1 from "./expressSdk1.ts"
import * as sdk2 from "./expressSdk2.ts"

type MakeApp = (issuer: string, url: URL) => Promise<{
  readonly app: (request: IncomingMessage, response: ServerResponse) => void
  readonly dispose: () => Promise<void>
}>

const examples: ReadonlyArray<readonly [string, MakeApp]> = [["SDK 1.x", sdk1.makeApp], ["SDK 2.x", sdk2.makeApp]]

/** Starts an example; its URL is known only when the port is. */
const start = Effect.fnUntraced(function*(makeApp: MakeApp, issuer: string) {
  let app: Awaited<ReturnType<MakeApp>>["app"] | undefined
  const { origin } = yield* listen((request, response) => Effect.sync(() => app?.(request, response)))
  const url = `${origin}/mcp`
  const made = yield* Effect.acquireRelease(
    Effect.promise(() => makeApp(issuer, new URL(url))),
    ({ dispose }) => Effect.promise(dispose)
  )
  app = made.app
  return url
})

const get = (url: string) => Effect.promise((signal) => fetch(url, { signal }))

// The verifier logs its rejections on standard output.
beforeEach(() => {
  vi.spyOn(globalThis.console, "log").mockImplementation(() => undefined)
})

afterEach(() => {
  vi.restoreAllMocks()
})

layer(TestIssuer.layer(), { excludeTestServices: true })("a server that verifies tokens itself", (it) => {
  for (const [sdk, makeApp] of examples) {
    for (const [clientName, connect] of clients) {
      it.effect(`MUST tell a tool who calls (${sdk}, ${clientName})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer
          const url = yield* start(makeApp, issuer.issuer)
          const token = yield* issuer.sign({ claims: { aud: url, scope: "mcp:read", client_id: "client-1" } })
          const client = yield* connect(url, { headers: { authorization: `Bearer ${token}` } })
          assert.strictEqual(yield* client.call("whoami"), "user-1 through client-1")
        }))

      it.effect(`MUST respond 401 without a good token, and 403 without a required scope (${sdk}, ${clientName})`, () =>
        Effect.gen(function*() {
          const issuer = yield* TestIssuer
          const url = yield* start(makeApp, issuer.issuer)
          const rejected = Effect.fnUntraced(function*(claims: SignOptions["claims"]) {
            const authorization = `Bearer ${yield* issuer.sign({ claims: { aud: url, scope: "mcp:read", ...claims } })}`
            return yield* Effect.flip(connect(url, { headers: { authorization } }))
          })
          assert.strictEqual(httpStatus(yield* Effect.flip(connect(url))), 401)
          assert.strictEqual(httpStatus(yield* rejected({ aud: "https://other.example/mcp" })), 401)
          const unscoped = yield* rejected({ scope: "mcp:write" })
          // Clients 2.x report a 403 that names scopes as a separate error.
          if (unscoped.cause instanceof InsufficientScopeError) {
            assert.strictEqual(unscoped.cause.requiredScope, "mcp:read")
          } else assert.strictEqual(httpStatus(unscoped), 403)
        }))

      it.effect(`MUST lead a client to the authorization server and back (${sdk}, ${clientName})`, () =>
        Effect.gen(function*() {
          const provider = yield* makeOidcProvider()
          const url = yield* start(makeApp, provider.issuer)
          const oauth = new HeadlessOAuthClient()
          const client = yield* connect(url, { oauth })
          assert.strictEqual(
            yield* client.call("whoami"),
            `oidc-user through ${oauth.clientInformation()?.client_id}`
          )
          assert.lengthOf(oauth.authorizations, 1)
          assert.strictEqual(oauth.authorizations[0]?.searchParams.get("resource"), url)
        }))
    }

    it.effect(`MUST challenge with the scopes and the URL of the metadata (${sdk})`, () =>
      Effect.gen(function*() {
        const { issuer } = yield* TestIssuer
        const url = yield* start(makeApp, issuer)
        const metadataUrl = `${new URL(url).origin}/.well-known/oauth-protected-resource/mcp`
        const rejected = yield* get(url)
        assert.strictEqual(rejected.status, 401)
        assert.strictEqual(
          rejected.headers.get("www-authenticate"),
          "Bearer error=\"invalid_token\", error_description=\"Missing Authorization header\", scope=\"mcp:read\", " +
            `resource_metadata="${metadataUrl}"`
        )
        const document = yield* get(metadataUrl)
        const metadata: unknown = yield* Effect.promise(() => document.json())
        assert.deepInclude(metadata, { resource: url, authorization_servers: [issuer], scopes_supported: ["mcp:read"] })
      }))
  }
})
