import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { TestIssuer } from "mcp-authorizer/testing"
import { vi } from "vitest"
import { connectV1, connectV2 } from "../support/OfficialClients.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { serveWebHandler } from "../support/serve.ts"
import { makeApp } from "./honoServer.ts"
import { makeGateway } from "./webGateway.ts"

type WebHandler = (request: Request) => Promise<Response>

/** How each example is brought up, given its issuer and the origin under which clients know it. */
const examples: Readonly<
  Record<string, (issuer: string, origin: string) => Effect.Effect<WebHandler, never, Scope.Scope>>
> = {
  "Hono": (issuer, origin) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => makeApp({ jwt_issuer: issuer, jwt_audience: "auto", public_url: origin })),
        ({ dispose }) => Effect.promise(dispose)
      ),
      ({ app }): WebHandler => async (request) => app.fetch(request)
    ),
  "a module worker": (issuer, origin) =>
    Effect.promise(async () => {
      const { default: worker } = await import("./workersServer.ts")
      return (request) => worker.fetch(request, { ISSUER: issuer, PUBLIC_URL: origin }, { waitUntil: () => undefined })
    }),
  "a Next.js route": (issuer, origin) =>
    Effect.promise(async () => {
      vi.stubEnv("ISSUER", issuer)
      vi.stubEnv("PUBLIC_URL", origin)
      const { documentRoute, mcpRoute } = await import("./nextRoute.ts")
      vi.unstubAllEnvs()
      // As the router of Next.js selects a handler: by the path of the file, and by the method.
      return async (request) => {
        const methods: Readonly<Record<string, WebHandler>> = new URL(request.url).pathname === "/mcp"
          ? { ...mcpRoute }
          : { ...documentRoute }
        return methods[request.method]?.(request) ?? new Response(null, { status: 405 })
      }
    })
}

describe("web handlers behind makeFetchMiddleware, with real clients", () => {
  for (const [name, start] of Object.entries(examples)) {
    it.live(`EMBED-20 ${name} MUST accept callers with a good token, and tell the tools who calls`, () =>
      Effect.gen(function*() {
        let handler: WebHandler | undefined
        const origin = yield* serveWebHandler((request) => handler?.(request) ?? assert.fail("too early"))
        const url = `${origin}/mcp`
        const issuer = yield* TestIssuer.make({ audience: url })
        handler = yield* start(issuer.issuer, origin)

        const rejected = yield* Effect.promise(() => fetch(url, { method: "POST" }))
        assert.strictEqual(rejected.status, 401)
        const metadata = /resource_metadata="([^"]+)"/.exec(rejected.headers.get("www-authenticate") ?? "")?.[1]
        const document = yield* Effect.promise(async () => (await fetch(metadata ?? "")).json())
        assert.deepInclude(document, { resource: url, authorization_servers: [issuer.issuer] })

        const bearer = (subject: string, scope = "") =>
          Effect.map(issuer.sign({ claims: { sub: subject, scope } }), (token) => ({
            headers: { authorization: `Bearer ${token}` }
          }))
        const alice = yield* connectV1(url, yield* bearer("alice"))
        const bob = yield* connectV2(url, "auto", yield* bearer("bob", "admin"))
        assert.strictEqual(yield* alice.call("whoami"), "alice")
        assert.strictEqual(yield* bob.call("whoami"), "bob")
        assert.strictEqual(yield* bob.call("shutdown"), "shut down")
        const { cause } = yield* Effect.flip(alice.call("shutdown"))
        assert.include(String(cause), "insufficient_scope")
      }))
  }

  it.live("EMBED-21 the whole gateway MUST run as a web handler in front of a server", () =>
    Effect.gen(function*() {
      let handler: WebHandler | undefined
      const origin = yield* serveWebHandler((request) => handler?.(request) ?? assert.fail("too early"))
      const { url: upstream } = yield* officialServerV2
      const issuer = yield* TestIssuer.make({ audience: `${origin}/mcp` })
      const gateway = yield* Effect.acquireRelease(
        Effect.sync(() =>
          makeGateway({
            server_url: upstream,
            jwt_issuer: issuer.issuer,
            jwt_audience: "auto",
            public_url: origin
          })
        ),
        ({ dispose }) => Effect.promise(dispose)
      )
      handler = gateway.handler
      const headers = { authorization: `Bearer ${yield* issuer.sign({ claims: { sub: "carol" } })}` }
      const client = yield* connectV2(`${origin}/mcp`, "auto", { headers })
      assert.include(yield* client.call("whoami"), "carol")
      const progress: Array<number> = []
      yield* client.call("slow", { steps: 3, pauseMillis: 5 }, (step) => progress.push(step))
      assert.deepStrictEqual(progress, [1, 2, 3])
      assert.strictEqual((yield* Effect.promise(() => gateway.handler(new Request(`${origin}/mcp`)))).status, 401)
    }))
})
