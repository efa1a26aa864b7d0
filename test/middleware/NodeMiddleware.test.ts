/** The Node middleware on the real frameworks: challenges, documents, callers, bodies, sessions, streams and lists. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import express from "express"
import Fastify from "fastify"
import { type GatewayConfigInput, InvalidConfiguration } from "mcp-authorizer"
import { makeNodeMiddleware, type MiddlewareOptions, type NodeHandler } from "mcp-authorizer/middleware/NodeMiddleware"
import { TestIssuer } from "mcp-authorizer/testing"
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { initialize, message, ping, toolCall, toolsList } from "../fixtures/messages.ts"

const logger = Logger.layer([])

/** The handler of a test. */
type Handle = (request: IncomingMessage & { body?: unknown }, response: ServerResponse) => void

type App = (request: IncomingMessage, response: ServerResponse) => void

/** Each framework with the middleware mounted as its users would, in front of one handler. */
const frameworks: Readonly<Record<string, (protect: NodeHandler, handle: Handle) => Promise<App>>> = {
  "Node alone": async (protect, handle) => (request, response) =>
    protect(request, response, (error) => error === undefined ? handle(request, response) : response.destroy()),
  Express: async (protect, handle) => {
    const app = express()
    app.use(["/mcp", "/.well-known"], protect)
    app.all("/mcp", (request, response) => handle(request, response))
    return app
  },
  "Express after express.json": async (protect, handle) => {
    const app = express()
    app.use(express.json())
    app.use(protect)
    app.all("/mcp", (request, response) => handle(request, response))
    return app
  },
  "Express before express.json, mounted twice": async (protect, handle) => {
    const app = express()
    app.use(protect)
    app.use(express.json())
    app.all("/mcp", protect, (request, response) => handle(request, response))
    return app
  },
  "an Express router below a path": async (protect, handle) => {
    const app = express()
    const router = express.Router()
    router.use(protect)
    router.all("/", (request, response) => handle(request, response))
    app.use("/mcp", router)
    app.use("/.well-known", protect)
    return app
  },
  Fastify: async (protect, handle) => {
    const app = Fastify()
    app.addHook("onRequest", (request, reply, done) => protect(request.raw, reply.raw, done))
    app.all("/mcp", (request, reply) => {
      reply.hijack()
      handle(Object.assign(request.raw, { body: request.body }), reply.raw)
    })
    await app.ready()
    return (request, response) => app.routing(request, response)
  }
}

const read = async (request: IncomingMessage & { body?: unknown }): Promise<unknown> => {
  if (request.body !== undefined) return request.body
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  return text === "" ? undefined : JSON.parse(text)
}

/** Responds with what a handler sees. */
const echo: Handle = (request, response) => {
  read(request).then((body) => {
    const { auth, identity } = request as { auth?: unknown; identity?: { subject: string } }
    const seen = {
      body,
      auth,
      subject: identity?.subject,
      headers: request.headers,
      lines: request.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
    }
    response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "session-1" })
    response.end(JSON.stringify(seen))
  }, () => response.destroy())
}

const start = Effect.fnUntraced(function*(
  framework: string,
  settings: GatewayConfigInput = {},
  options: MiddlewareOptions = {},
  handle: Handle = echo
) {
  const issuer = yield* TestIssuer.make()
  let app: App | undefined
  const { origin } = yield* listen((request, response) => Effect.sync(() => app?.(request, response)))
  const url = `${origin}/mcp`
  const middleware = yield* Effect.acquireRelease(
    Effect.sync(() =>
      makeNodeMiddleware({
        jwt_issuer: issuer.issuer,
        jwt_audience: "auto",
        public_url: origin,
        allowed_origins: ["https://app.example.com"],
        ...settings
      }, { logger, ...options })
    ),
    ({ dispose }) => Effect.promise(dispose)
  )
  const make = frameworks[framework] ?? assert.fail(framework)
  app = yield* Effect.promise(() => make(middleware.protect, handle))
  const send = (init: RequestInit = {}, target = url) => Effect.promise((signal) => fetch(target, { signal, ...init }))
  const bearer = (claims: Readonly<Record<string, unknown>> = {}) =>
    Effect.map(issuer.sign({ claims: { aud: url, ...claims } }), (token) => `Bearer ${token}`)
  const post = (authorization: string | undefined, body: string, headers: Readonly<Record<string, string>> = {}) =>
    send({
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(authorization === undefined ? {} : { authorization }),
        ...headers
      },
      body
    })
  return { issuer, origin, url, send, bearer, post }
})

const pay = (amount: number, padding = "") =>
  message("tools/call", `{"name":"pay","arguments":{"amount":${amount},"memo":"${padding}"}}`)

const json = (response: Response) => Effect.promise(() => response.json())

describe("makeNodeMiddleware", () => {
  for (const framework of Object.keys(frameworks)) {
    it.live(`EMBED-24 MUST challenge, and serve the documents that the challenge names (${framework})`, () =>
      Effect.gen(function*() {
        const { issuer, origin, post, send, url } = yield* start(framework)
        const rejected = yield* post(undefined, ping)
        assert.strictEqual(rejected.status, 401)
        const place = /resource_metadata="([^"]+)"/.exec(rejected.headers.get("www-authenticate") ?? "")?.[1] ?? ""
        const inserted = `${origin}/.well-known/oauth-protected-resource/mcp`
        for (const target of [place, inserted, `${origin}/.well-known/oauth-protected-resource`]) {
          const document = yield* send({ headers: { origin: "https://anywhere.example" } }, target)
          assert.strictEqual(document.status, 200)
          assert.strictEqual(document.headers.get("access-control-allow-origin"), "*")
          assert.deepInclude(yield* json(document), { resource: url, authorization_servers: [issuer.issuer] })
        }
        const metadata = yield* send({}, `${origin}/.well-known/oauth-authorization-server`)
        assert.strictEqual(metadata.status, 200)
        assert.deepInclude(yield* json(metadata), { issuer: issuer.issuer })
        assert.strictEqual((yield* send({}, `${origin}/.well-known/other`)).status, 404)
      }))

    it.live(`EMBED-25 MUST respond to preflights, and to other origins with 403 (${framework})`, () =>
      Effect.gen(function*() {
        const { bearer, post, send } = yield* start(framework)
        const preflight = yield* send({
          method: "OPTIONS",
          headers: {
            origin: "https://app.example.com",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, mcp-protocol-version"
          }
        })
        assert.strictEqual(preflight.status, 204)
        assert.strictEqual(preflight.headers.get("access-control-allow-origin"), "https://app.example.com")
        const good = yield* bearer()
        const allowed = yield* post(good, ping, { origin: "https://app.example.com" })
        assert.strictEqual(allowed.status, 200)
        assert.strictEqual(allowed.headers.get("access-control-allow-origin"), "https://app.example.com")
        assert.strictEqual((yield* post(good, ping, { origin: "https://evil.example.com" })).status, 403)
      }))

    it.live(`EMBED-26 gives the handler the caller and the body, and no token in a field (${framework})`, () =>
      Effect.gen(function*() {
        const { bearer, issuer, post } = yield* start(framework)
        const authorization = yield* bearer({ scope: "a b", client_id: "client-1" })
        const response = yield* post(authorization, ping, { "x-auth-user-id": "root" })
        const seen = yield* json(response)
        assert.deepStrictEqual(seen.body, JSON.parse(ping))
        assert.strictEqual(seen.subject, "user-1")
        const { auth } = seen
        assert.strictEqual(`Bearer ${auth.token}`, authorization)
        assert.deepInclude(auth, { clientId: "client-1", scopes: ["a", "b"] })
        assert.isNumber(auth.expiresAt)
        assert.deepInclude(auth.extra, { subject: "user-1", issuer: issuer.issuer })
        for (const name of ["authorization", "x-auth-user-id", "origin"]) {
          assert.notProperty(seen.headers, name)
          assert.notInclude(seen.lines, name)
        }
      }))

    it.live(`EMBED-27 rejects what no handler must see, each by its own status (${framework})`, () =>
      Effect.gen(function*() {
        const { bearer, post } = yield* start(framework, { required_scopes: "mcp:read" })
        const good = yield* bearer({ scope: "mcp:read" })
        assert.strictEqual((yield* post(good, ping)).status, 200)
        assert.strictEqual((yield* post("Bearer junk", ping)).status, 401)
        assert.strictEqual((yield* post(yield* bearer({ aud: "https://other.example" }), ping)).status, 401)
        const unscoped = yield* post(yield* bearer(), ping)
        assert.strictEqual(unscoped.status, 403)
        assert.include(unscoped.headers.get("www-authenticate") ?? "", `scope="mcp:read"`)
      }))

    it.live(`EMBED-28 checks the calls in a body, and gives the body on unread (${framework})`, () =>
      Effect.gen(function*() {
        const { bearer, post } = yield* start(framework, {
          rules: [{ tools: ["pay"], when: "message.arguments.amount <= 100" }, { methods: ["*"] }],
          default_rule: "deny",
          max_body_bytes: 400_000
        }, { toolScopes: { remove: ["notes:delete"] } })
        const good = yield* bearer()
        assert.deepStrictEqual((yield* json(yield* post(good, pay(100)))).body, JSON.parse(pay(100)))
        // More than a stream buffers at once; less than what express.json takes.
        const long = pay(1, "x".repeat(90_000))
        assert.deepStrictEqual((yield* json(yield* post(good, long))).body, JSON.parse(long))
        assert.strictEqual((yield* post(good, pay(101))).status, 403)
        const scoped = yield* post(good, toolCall("remove"))
        assert.strictEqual(scoped.status, 403)
        assert.include(scoped.headers.get("www-authenticate") ?? "", "notes:delete")
        assert.strictEqual((yield* post(undefined, pay(1))).status, 401)
      }))

    it.live(`EMBED-29 binds sessions to their caller (${framework})`, () =>
      Effect.gen(function*() {
        const { bearer, post } = yield* start(framework)
        const alice = yield* bearer({ sub: "alice" })
        const begun = yield* post(alice, initialize)
        const session = begun.headers.get("mcp-session-id") ?? ""
        assert.match(session, /^[\w-]{43}\.session-1$/)
        const again = yield* json(yield* post(alice, ping, { "mcp-session-id": session }))
        assert.strictEqual(again.headers["mcp-session-id"], "session-1")
        const bob = yield* bearer({ sub: "bob" })
        assert.strictEqual((yield* post(bob, ping, { "mcp-session-id": session })).status, 404)
      }))
  }

  it.live("EMBED-30 an event stream comes through as it is written, and ends with its token", () =>
    Effect.gen(function*() {
      let ended = false
      const { bearer, send } = yield* start("Express", { clock_skew: 0 }, {}, (_request, response) => {
        response.on("close", () => ended = true)
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write("data: 1\n\n")
      })
      const now = (yield* Clock.currentTimeMillis) / 1000
      const authorization = yield* bearer({ exp: Math.floor(now) + 3 })
      const response = yield* send({ headers: { accept: "text/event-stream", authorization } })
      assert.strictEqual(response.headers.get("x-accel-buffering"), "no")
      // The handler never ends it.
      assert.strictEqual(yield* Effect.promise(() => response.text()), "data: 1\n\n")
      assert.isTrue(ended)
    }))

  const lists = [
    ["at once", (response: ServerResponse, body: string) => {
      response.setHeader("content-type", "application/json")
      response.setHeader("content-length", body.length)
      response.end(body)
    }],
    ["in pieces", (response: ServerResponse, body: string) => {
      response.writeHead(200, "fine", ["Content-Type", "application/json", "x-own", "1"])
      response.write(body.slice(0, 20))
      setImmediate(() => response.end(body.slice(20)))
    }],
    ["as events", (response: ServerResponse, body: string) => {
      response.writeHead(200, { "content-type": "text/event-stream" })
      response.flushHeaders()
      response.write(`data: ${body}\n\n`, () => response.end())
    }]
  ] as const

  for (const [name, write] of lists) {
    it.live(`EMBED-31 lists lack the tools that rules never let the caller use (written ${name})`, () =>
      Effect.gen(function*() {
        const tools = JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          result: { tools: [{ name: "hello", inputSchema: {} }, { name: "delete", inputSchema: {} }] }
        })
        const { bearer, post } = yield* start(
          "Express",
          {
            rules: [{ tools: ["delete"], when: "claims.sub == 'admin'" }, { tools: ["hello"] }, {
              methods: ["tools/list"]
            }],
            default_rule: "deny"
          },
          {},
          (request, response) => {
            request.resume().on("end", () => write(response, tools))
          }
        )
        const some = yield* post(yield* bearer(), toolsList)
        const text = yield* Effect.promise(() => some.text())
        assert.include(text, "hello")
        assert.notInclude(text, "delete")
        const all = yield* post(yield* bearer({ sub: "admin" }), toolsList)
        assert.include(yield* Effect.promise(() => all.text()), "delete")
      }))
  }

  it.live("EMBED-32 leaves responses as the handler writes them: length, cookies, status text, large bodies", () =>
    Effect.gen(function*() {
      const large = "x".repeat(1_000_000)
      const { bearer, send, url } = yield* start("Node alone", {}, {}, (request, response) => {
        if (request.url?.endsWith("?large")) {
          response.write(large, () => response.end(large))
          return
        }
        response.appendHeader("set-cookie", "a=1")
        response.appendHeader("set-cookie", "b=2")
        response.statusMessage = "Kept"
        response.end("hello")
      })
      const authorization = yield* bearer()
      const short = yield* send({ headers: { authorization } })
      assert.strictEqual(short.statusText, "Kept")
      assert.strictEqual(short.headers.get("content-length"), "5")
      assert.deepStrictEqual(short.headers.getSetCookie(), ["a=1", "b=2"])
      const long = yield* send({ headers: { authorization } }, `${url}?large`)
      assert.strictEqual((yield* Effect.promise(() => long.text())).length, 2_000_000)
    }))

  it.live("EMBED-33 MUST reject a second Authorization field, which Node leaves out of its own headers", () =>
    Effect.gen(function*() {
      const { bearer, url } = yield* start("Express")
      const good = yield* bearer()
      const status = (authorization: ReadonlyArray<string>) =>
        Effect.promise(() =>
          new Promise<number | undefined>((resolve, reject) => {
            const headers = ["host", new URL(url).host, ...authorization.flatMap((value) => ["authorization", value])]
            httpRequest(url, { headers }, (response) => {
              response.resume()
              resolve(response.statusCode)
            }).on("error", reject).end()
          })
        )
      assert.strictEqual(yield* status([good]), 200)
      assert.strictEqual(yield* status([good, good]), 400)
    }))

  it.live("EMBED-34 a body that was read and not kept is not taken for one without calls", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const { dispose, protect } = makeNodeMiddleware({
        jwt_issuer: issuer.issuer,
        jwt_audience: "notes",
        rules: [{ tools: ["hello"] }],
        default_rule: "deny"
      }, { logger })
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      let calls = 0
      const { origin } = yield* listen((request, response) =>
        Effect.sync(() => {
          request.resume().on("end", () =>
            protect(request, response, () => {
              calls++
              response.end()
            }))
        })
      )
      const token = yield* issuer.sign({ claims: { aud: "notes" } })
      const response = yield* Effect.promise(() =>
        fetch(`${origin}/mcp`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${token}`,
            "content-type": "application/json"
          },
          body: toolCall("hello")
        })
      )
      assert.strictEqual(response.status, 400)
      assert.strictEqual(calls, 0)
    }))

  it.live("EMBED-35 tells the caller of a request that has passed, and of no other", () =>
    Effect.gen(function*() {
      const middleware = makeNodeMiddleware({ static_tokens: "dev-token:c:alice:read", path: "/mcp" }, { logger })
      yield* Effect.addFinalizer(() => Effect.promise(middleware.dispose))
      const { callerOf, protect } = middleware
      const server = createServer((request, response) =>
        protect(request, response, () => void response.end(callerOf(request).identity.subject))
      )
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      const port = yield* Effect.promise(() =>
        new Promise<number>((resolve) =>
          server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port))
        )
      )
      const response = yield* Effect.promise(() =>
        fetch(`http://127.0.0.1:${port}/mcp`, { headers: { authorization: "Bearer dev-token" } })
      )
      assert.strictEqual(yield* Effect.promise(() => response.text()), "alice")
      assert.throws(() => callerOf({}), TypeError)
      assert.throws(() => makeNodeMiddleware({ jwt_issuer: "junk" }), InvalidConfiguration)
    }))
})
