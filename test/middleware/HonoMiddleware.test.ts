/** The Hono middleware in front of handlers of Hono. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { Hono } from "hono"
import { cors } from "hono/cors"
import { type GatewayConfigInput, InvalidConfiguration } from "mcp-authorizer"
import { type HonoMiddlewareOptions, makeHonoMiddleware } from "mcp-authorizer/middleware/HonoMiddleware"
import { makeNextRoutes } from "mcp-authorizer/middleware/NextRoutes"
import { initialize, message, ping, toolCall, toolsList } from "../fixtures/messages.ts"

const logger = Logger.layer([])
const origin = "https://notes.example.com"

const settings: GatewayConfigInput = {
  static_tokens: "alice:c1:alice:notes:read;bob:c2:bob:",
  public_url: origin,
  path: "/mcp"
}

const middlewareOf = (more: GatewayConfigInput = {}, options: HonoMiddlewareOptions = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => makeHonoMiddleware({ ...settings, ...more }, { logger, ...options })),
    ({ dispose }) => Effect.promise(dispose)
  )

const post = (
  token: string | undefined,
  body: string,
  headers: Readonly<Record<string, string>> = {}
): RequestInit => ({
  method: "POST",
  headers: {
    "content-type": "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...headers
  },
  body
})

describe("makeHonoMiddleware", () => {
  it.live("EMBED-45 serves documents, challenges, and gives typed variables", () =>
    Effect.gen(function*() {
      const { protect } = yield* middlewareOf()
      const app = new Hono()
        .get("/", (c) => c.text("public"))
        .use("/.well-known/*", protect)
        .post("/mcp", protect, async (c) => {
          // Typed without a cast.
          const subject: string = c.var.identity.subject
          const scopes: ReadonlyArray<string> = c.var.auth.scopes
          return c.json({
            subject,
            scopes,
            body: await c.req.json(),
            authorization: c.req.header("authorization") ?? null
          })
        })
      const send = (path: string, init?: RequestInit) =>
        Effect.promise(async () => app.request(`${origin}${path}`, init))
      assert.strictEqual(yield* Effect.promise(async () => (await app.request(`${origin}/`)).text()), "public")
      const rejected = yield* send("/mcp", post(undefined, ping))
      assert.strictEqual(rejected.status, 401)
      const place = /resource_metadata="https:\/\/notes\.example\.com([^"]+)"/.exec(
        rejected.headers.get("www-authenticate") ?? ""
      )?.[1] ?? assert.fail("no place")
      assert.strictEqual((yield* send(place)).status, 200)
      assert.strictEqual((yield* send("/.well-known/oauth-protected-resource/mcp")).status, 200)
      const good = yield* send("/mcp", post("alice", ping))
      assert.deepStrictEqual(yield* Effect.promise(() => good.json()), {
        subject: "alice",
        scopes: ["notes:read"],
        body: JSON.parse(ping),
        authorization: null
      })
    }))

  it.live("EMBED-46 binds sessions, and leaves none of the server's own ids in the response", () =>
    Effect.gen(function*() {
      const { protect } = yield* middlewareOf()
      // Mounted twice, as for all paths and for one.
      const app = new Hono().use(protect).post("/mcp", protect, (c) => {
        c.header("mcp-session-id", "session-1")
        return c.text(c.req.header("mcp-session-id") ?? "none")
      })
      const send = (init: RequestInit) => Effect.promise(async () => app.request(`${origin}/mcp`, init))
      const begun = yield* send(post("alice", initialize))
      const session = begun.headers.get("mcp-session-id") ?? ""
      assert.match(session, /^[\w-]{43}\.session-1$/)
      const again = yield* send(post("alice", ping, { "mcp-session-id": session }))
      assert.strictEqual(yield* Effect.promise(() => again.text()), "session-1")
      assert.strictEqual((yield* send(post("bob", ping, { "mcp-session-id": session }))).status, 404)
    }))

  it.live("EMBED-47 checks calls although a middleware before it has read the body, and filters lists", () =>
    Effect.gen(function*() {
      const { protect } = yield* middlewareOf({
        rules: [{ tools: ["remove"], when: "claims.sub == 'alice'" }, { tools: ["hello"] }, {
          methods: ["tools/list"]
        }],
        default_rule: "deny"
      })
      const app = new Hono()
        .use(async (c, next) => {
          await c.req.text()
          await next()
        })
        .use(protect)
        .post("/mcp", async (c) =>
          (await c.req.text()).includes("tools/list")
            ? c.json({ jsonrpc: "2.0", id: 1, result: { tools: [{ name: "remove" }, { name: "hello" }] } })
            : c.body("called"))
      const send = (token: string, body: string) =>
        Effect.promise(async () => {
          const response = await app.request(`${origin}/mcp`, post(token, body))
          return [response.status, await response.text()] as const
        })
      assert.deepStrictEqual(yield* send("bob", toolCall("hello")), [200, "called"])
      assert.strictEqual((yield* send("bob", toolCall("remove")))[0], 403)
      assert.strictEqual((yield* send("bob", message("other")))[0], 403)
      const [, list] = yield* send("bob", toolsList)
      assert.include(list, "hello")
      assert.notInclude(list, "remove")
    }))

  it.live("EMBED-48 works together with Hono's own cors, and passes work after the response to the platform", () =>
    Effect.gen(function*() {
      const { protect } = yield* middlewareOf({ allowed_origins: ["https://app.example.com"] }, {
        waitUntil: (work, c) => c.executionCtx.waitUntil(work)
      })
      const app = new Hono().use(cors({ origin: "https://app.example.com" })).post(
        "/mcp",
        protect,
        (c) => c.text("hello")
      )
      const response = yield* Effect.promise(async () =>
        app.request(`${origin}/mcp`, post("alice", ping, { origin: "https://app.example.com" }))
      )
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers.get("access-control-allow-origin"), "https://app.example.com")
    }))

  it("EMBED-38 variables have the type of the claims", () => {
    const { dispose, protect } = makeHonoMiddleware(settings, {
      logger,
      claims: Schema.Struct({ department: Schema.String })
    })
    const typed = new Hono().get("/mcp", protect, (c) => c.text(c.var.identity.claims.department))
    assert.lengthOf(typed.routes, 2)
    // @ts-expect-error a claim that is not declared
    new Hono().get("/mcp", protect, (c) => c.text(c.var.identity.claims.tenant))
    // @ts-expect-error without the middleware there is no caller
    new Hono().get("/mcp", (c) => c.text(c.var.identity.subject))
    return dispose()
  })
})

describe("makeNextRoutes", () => {
  it.live("EMBED-49 gives the handler the caller and the parameters, and serves documents by every method that has one", () =>
    Effect.gen(function*() {
      const { dispose, documents, publicRoute, route } = makeNextRoutes({
        ...settings,
        rules: [{ methods: ["ping"], allow: "anyone" }],
        default_rule: "deny"
      }, { logger })
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const { GET, OPTIONS, POST } = route(async (
        _request,
        { subject },
        { params }: { params: Promise<{ id: string }> }
      ) => Response.json({ subject, ...await params }))
      const context = { params: Promise.resolve({ id: "7" }) }
      const good = yield* Effect.promise(() => POST(new Request(`${origin}/mcp`, post("alice", ping)), context))
      assert.deepStrictEqual(yield* Effect.promise(() => good.json()), { subject: "alice", id: "7" })
      assert.strictEqual((yield* Effect.promise(() => GET(new Request(`${origin}/mcp`), context))).status, 401)
      const preflight = new Request(`${origin}/mcp`, {
        method: "OPTIONS",
        headers: { origin: "http://localhost:6274", "access-control-request-method": "POST" }
      })
      assert.strictEqual((yield* Effect.promise(() => OPTIONS(preflight, context))).status, 204)
      const anyone = publicRoute((_request, identity) => new Response(identity?.subject ?? "nobody"))
      const response = yield* Effect.promise(() => anyone.POST(new Request(`${origin}/mcp`, post(undefined, ping))))
      assert.strictEqual(yield* Effect.promise(() => response.text()), "nobody")
      const place = `${origin}/.well-known/oauth-protected-resource/mcp`
      assert.strictEqual((yield* Effect.promise(() => documents.GET(new Request(place)))).status, 200)
      const head = yield* Effect.promise(() => documents.HEAD(new Request(place, { method: "HEAD" })))
      assert.strictEqual(head.status, 200)
      assert.strictEqual(yield* Effect.promise(() => head.text()), "")
    }))

  it.effect("EMBED-49 can be loaded without settings, as next build does, and rejects requests without good ones", () =>
    Effect.gen(function*() {
      const { dispose, documents, route } = makeNextRoutes({ jwt_issuer: undefined, path: "/mcp" }, { logger })
      const { POST } = route(() => new Response("called"))
      for (const handle of [POST, documents.GET]) {
        const error = yield* Effect.flip(Effect.tryPromise(() => handle(new Request(`${origin}/mcp`))))
        assert.instanceOf(error.cause, InvalidConfiguration)
      }
      yield* Effect.promise(dispose)
    }))
})
