/** The examples with Node's requests, on their real frameworks, with real clients. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { GatewayConfigInput } from "mcp-authorizer"
import { TestIssuer } from "mcp-authorizer/testing"
import type { IncomingMessage, ServerResponse } from "node:http"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { connectV1, connectV2 } from "../support/OfficialClients.ts"
import { makeOidcProvider } from "../support/OidcProvider.ts"
import * as expressExample from "./expressMiddleware.ts"
import * as fastifyExample from "./fastifyServer.ts"
import * as nestExample from "./nestServer.ts"

type App = (request: IncomingMessage, response: ServerResponse) => void

/** How each example is brought up. */
const examples: Readonly<
  Record<string, (settings: GatewayConfigInput) => Effect.Effect<App, never, Scope.Scope>>
> = {
  Express: (settings) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => expressExample.makeApp(settings)),
        ({ dispose }) => Effect.promise(dispose)
      ),
      ({ app }) => app
    ),
  Fastify: (settings) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.promise(async () => {
          const app = await fastifyExample.makeApp(settings)
          await app.ready()
          return app
        }),
        (app) => Effect.promise(async () => app.close())
      ),
      (app) => (request, response) => app.routing(request, response)
    ),
  Nest: (settings) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.promise(async () => {
          const { app, dispose } = await nestExample.makeApp(settings)
          await app.init()
          return { app, dispose }
        }),
        ({ app, dispose }) => Effect.promise(() => app.close().then(dispose))
      ),
      ({ app }) => app.getHttpAdapter().getInstance()
    )
}

/** Starts an example; its URL is known only when the port is. */
const start = Effect.fnUntraced(function*(name: string, issuer: string) {
  let app: App | undefined
  const { origin } = yield* listen((request, response) => Effect.sync(() => app?.(request, response)))
  const make = examples[name] ?? assert.fail(name)
  app = yield* make({ jwt_issuer: issuer, jwt_audience: "auto", public_url: origin })
  return { origin, url: `${origin}/mcp` }
})

describe("servers behind makeNodeMiddleware, with real clients", () => {
  for (const name of Object.keys(examples)) {
    it.live(`EMBED-20 ${name} MUST accept callers with a good token, and tell the tools who calls`, () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer.make()
        const { origin, url } = yield* start(name, issuer.issuer)
        assert.strictEqual(yield* Effect.promise(async () => (await fetch(origin)).text()), "not protected")

        const bearer = (subject: string, scope = "") =>
          Effect.map(issuer.sign({ claims: { aud: url, sub: subject, scope, client_id: "c1" } }), (token) => ({
            headers: { authorization: `Bearer ${token}` }
          }))
        const alice = yield* connectV1(url, yield* bearer("alice"))
        const bob = yield* connectV2(url, "auto", yield* bearer("bob", "admin"))
        assert.strictEqual(yield* alice.call("whoami"), "alice through c1")
        assert.strictEqual(yield* bob.call("whoami"), "bob through c1")
        assert.strictEqual(yield* bob.call("shutdown"), "shut down")
        const { cause } = yield* Effect.flip(alice.call("shutdown"))
        assert.include(String(cause), "insufficient_scope")
      }))

    it.live(`EMBED-24 ${name} MUST lead a client to the authorization server and back`, () =>
      Effect.gen(function*() {
        const provider = yield* makeOidcProvider({ scopes: ["admin"] })
        const { url } = yield* start(name, provider.issuer)
        const oauth = new HeadlessOAuthClient()
        const client = yield* connectV1(url, { oauth })
        assert.strictEqual(yield* client.call("whoami"), `oidc-user through ${oauth.clientInformation()?.client_id}`)
        assert.lengthOf(oauth.authorizations, 1)
        assert.strictEqual(oauth.authorizations[0]?.searchParams.get("resource"), url)
      }))
  }
})
