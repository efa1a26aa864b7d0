/** The component on a real host, with identity providers, an official MCP server, and official clients. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { clients } from "../../clients/clients.ts"
import { httpStatus } from "../../clients/httpStatus.ts"
import { HeadlessOAuthClient } from "../../support/HeadlessOAuthClient.ts"
import { officialServerV1 } from "../../support/OfficialServerV1.ts"
import { officialServerV2 } from "../../support/OfficialServerV2.ts"
import { makeOidcProvider } from "../../support/OidcProvider.ts"

/** A gateway that runs. */
export interface RunningComponent {
  readonly origin: string
  readonly logged: () => string
}

/** A host that runs the component. */
export class RealHost extends Context.Service<RealHost, {
  /** Starts a gateway with these variables; it ends with the scope. */
  readonly start: (variables: Readonly<Record<string, string>>) => Effect.Effect<RunningComponent, never, Scope.Scope>
}>()("mcp-authorizer/test/spin/support/RealHost") {}

const servers = [["server 1.x", officialServerV1], ["server 2.x", officialServerV2]] as const

/** Registers the tests. */
export const clientsSuite = (name: string, host: Layer.Layer<RealHost>): void =>
  layer(host, { excludeTestServices: true, timeout: "10 minutes" })(`the component in ${name}`, (it) => {
    for (const [serverName, makeServer] of servers) {
      for (const [clientName, connect] of clients) {
        it.effect(`SPIN-ENGINE-01 MUST show a tool its caller, and reject callers that may not call (${serverName}, ${clientName})`, () =>
          Effect.gen(function*() {
            const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
            yield* issuer.jwks
            const server = yield* makeServer
            const gateway = yield* (yield* RealHost).start({
              mcp_gateway_url: server.url,
              mcp_jwt_issuer: issuer.issuer,
              mcp_jwt_jwks_uri: issuer.jwksUri,
              mcp_jwt_audience: "mcp-api"
            })
            const url = `${gateway.origin}/mcp`
            const authorization = `Bearer ${yield* issuer.sign()}`
            const client = yield* connect(url, { headers: { authorization } })
            assert.include(yield* client.call("whoami"), "user-1")
            assert.strictEqual(yield* client.call("add", { a: 1, b: 2 }), "3")
            const progress: Array<number> = []
            yield* client.call("slow", { steps: 3, pauseMillis: 50 }, (step) => progress.push(step))
            assert.deepStrictEqual(progress, [1, 2, 3])
            const rejected = yield* Effect.flip(connect(url, { headers: { authorization: `${authorization}x` } }))
            assert.strictEqual(httpStatus(rejected), 401)
          }))
      }
    }

    for (const [clientName, connect] of clients) {
      it.effect(`SPIN-ENGINE-02 MUST lead a client to the authorization server and back (${clientName})`, () =>
        Effect.gen(function*() {
          const provider = yield* makeOidcProvider()
          const server = yield* officialServerV2
          const gateway = yield* (yield* RealHost).start({
            mcp_gateway_url: server.url,
            mcp_provider_type: "oidc",
            mcp_jwt_issuer: provider.issuer,
            mcp_required_scopes: "mcp:read"
          })
          const oauth = new HeadlessOAuthClient()
          const client = yield* connect(`${gateway.origin}/mcp`, { oauth })
          assert.include(yield* client.call("whoami"), "oidc-user")
          assert.lengthOf(oauth.authorizations, 1)
        }))
    }
  })
