import { assert, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import {
  type BearerToken,
  type FetchMiddleware,
  type Identity,
  InvalidConfiguration,
  InvalidToken,
  makeFetchMiddleware,
  TokenVerifier
} from "mcp-authorizer"
import { TestIssuer } from "mcp-authorizer/testing"
import { ping, toolCall } from "../fixtures/messages.ts"
import { LogCapture } from "../support/canary.ts"

const logger = Logger.layer([])

const resource = "https://notes.example.com/mcp"

/** A middleware around a handler that returns its arguments, and an issuer that it trusts. */
class Protected extends Context.Service<Protected, {
  readonly issuer: TestIssuer["Service"]
  readonly middleware: FetchMiddleware
  readonly handle: (request: Request) => Effect.Effect<Response>
}>()("mcp-authorizer/test/embed/FetchMiddleware.test/Protected") {
  static readonly layer = Layer.effect(
    Protected,
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: resource })
      const middleware = yield* Effect.acquireRelease(
        Effect.sync(() =>
          makeFetchMiddleware({
            jwt_issuer: issuer.issuer,
            jwt_jwks_uri: issuer.jwksUri,
            jwt_audience: "auto",
            public_url: "https://notes.example.com",
            allowed_origins: ["https://app.example.com"]
          }, { toolScopes: (tool) => tool === "delete" ? ["notes:delete"] : [], logger })
        ),
        ({ dispose }) => Effect.promise(dispose)
      )
      const handle = middleware.protect(async (request, { subject }) =>
        Response.json({
          subject,
          session: request.headers.get("mcp-session-id"),
          body: await request.text()
        }, { headers: { "mcp-session-id": "session-1", vary: "Accept", "set-cookie": "a=1" } })
      )
      return { issuer, middleware, handle: (request) => Effect.promise(() => handle(request)) }
    })
  )
}

const message = (authorization: string | undefined, body: string, headers: Record<string, string> = {}) =>
  new Request(resource, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(authorization === undefined ? {} : { authorization }),
      ...headers
    },
    body
  })

const apiKey = (key: BearerToken): Effect.Effect<Identity, InvalidToken> =>
  String(key).includes("never")
    ? Effect.die("a token in a string")
    : Effect.fail(new InvalidToken({ reason: "UnknownToken", provider: "keys", detail: "no such key" }))

/** The error that `make` throws. */
const thrown = (make: () => unknown): unknown => {
  try {
    make()
  } catch (error) {
    return error
  }
  return assert.fail("made")
}

const json = (response: Response) => Effect.promise(() => response.json())

layer(Protected.layer, { excludeTestServices: true })("makeFetchMiddleware", (it) => {
  it.effect("EMBED-10 gives the handler the caller, the whole request and the platform's further arguments", () =>
    Effect.gen(function*() {
      const { issuer, middleware } = yield* Protected
      const token = `Bearer ${yield* issuer.sign()}`
      const handler = middleware.protect(async (
        request,
        identity,
        environment: { readonly name: string },
        context: number
      ) => Response.json([identity.subject, await request.text(), environment.name, context]))
      const reply = yield* Effect.promise(() => handler(message(token, ping), { name: "production" }, 7))
      assert.deepStrictEqual(yield* json(reply), ["user-1", ping, "production", 7])
    }))

  it.effect("EMBED-11 MUST NOT call the handler without a good token, and responds as the gateway does", () =>
    Effect.gen(function*() {
      const { issuer, middleware } = yield* Protected
      let calls = 0
      const handler = middleware.protect(() => {
        calls++
        return new Response()
      })
      const handle = (request: Request) => Effect.promise(() => handler(request))
      const good = yield* issuer.sign()
      const rejected: ReadonlyArray<readonly [number, Request]> = [
        [401, message(undefined, ping)],
        [401, message("Bearer garbage", ping)],
        [401, message(`Bearer ${yield* issuer.sign({ claims: { aud: "https://other.example.com/mcp" } })}`, ping)],
        [401, message(`Basic ${good}`, ping)],
        [400, message(`Bearer ${good}, Bearer ${good}`, ping)],
        [400, new Request(`${resource}?access_token=${good}`)],
        [403, message(`Bearer ${good}`, ping, { origin: "https://evil.example.com" })]
      ]
      for (const [status, request] of rejected) {
        const reply = yield* handle(request)
        assert.strictEqual(reply.status, status)
        assert.isNotNull(reply.headers.get("x-trace-id"))
        if (status !== 400) {
          assert.include(
            reply.headers.get("www-authenticate"),
            "resource_metadata=\"https://notes.example.com/.well-known/oauth-protected-resource\""
          )
        }
      }
      assert.strictEqual(calls, 0)
      assert.strictEqual((yield* handle(message(`Bearer ${good}`, ping))).status, 200)
      assert.strictEqual(calls, 1)
    }))

  it.effect("EMBED-12 serves preflights and discovery without calling the handler", () =>
    Effect.gen(function*() {
      const { handle, issuer } = yield* Protected
      const preflight = yield* handle(
        new Request(resource, { method: "OPTIONS", headers: { origin: "https://app.example.com" } })
      )
      assert.strictEqual(preflight.status, 204)
      assert.strictEqual(preflight.headers.get("access-control-allow-origin"), "https://app.example.com")
      const get = (path: string) => handle(new Request(`https://notes.example.com/.well-known/${path}`))
      const document = yield* get("oauth-protected-resource")
      assert.deepInclude(yield* json(document), { resource, authorization_servers: [issuer.issuer] })
      assert.deepInclude(yield* json(yield* get("oauth-authorization-server")), { issuer: issuer.issuer })
      assert.strictEqual((yield* get("other")).status, 404)
    }))

  it.effect("EMBED-13 keeps the response, and adds CORS fields, the trace id and a sealed session id", () =>
    Effect.gen(function*() {
      const { handle, issuer } = yield* Protected
      const token = `Bearer ${yield* issuer.sign()}`
      const reply = yield* handle(message(token, ping, { origin: "https://app.example.com", "x-trace-id": "trace-1" }))
      assert.strictEqual(reply.headers.get("vary"), "Accept, Origin")
      assert.strictEqual(reply.headers.get("access-control-allow-origin"), "https://app.example.com")
      assert.strictEqual(reply.headers.get("x-trace-id"), "trace-1")
      assert.deepStrictEqual(reply.headers.getSetCookie(), ["a=1"])
      const session = reply.headers.get("mcp-session-id") ?? assert.fail("no session")
      assert.notStrictEqual(session, "session-1")
      const next = yield* handle(message(token, ping, { "mcp-session-id": session }))
      assert.deepInclude(yield* json(next), { session: "session-1", body: ping })
      const thief = `Bearer ${yield* issuer.sign({ claims: { sub: "thief" } })}`
      for (
        const [bearer, id] of [[thief, session], [token, "session-1"], [token, `${session}0`], [token, ""]] as const
      ) {
        assert.strictEqual((yield* handle(message(bearer, ping, { "mcp-session-id": id }))).status, 404)
      }
    }))

  it.effect("MCP-08 MUST tell callers apart by issuer, subject and client", () =>
    Effect.gen(function*() {
      const { handle, issuer } = yield* Protected
      const bearer = (claims: Record<string, unknown>) => Effect.map(issuer.sign({ claims }), (jwt) => `Bearer ${jwt}`)
      const one = yield* bearer({ client_id: "one" })
      const session = (yield* handle(message(one, ping))).headers.get("mcp-session-id") ?? ""
      const other = yield* bearer({ client_id: "two" })
      assert.strictEqual((yield* handle(message(other, ping, { "mcp-session-id": session }))).status, 404)
      const fresh = yield* bearer({ client_id: "one", jti: "another token" })
      assert.strictEqual((yield* handle(message(fresh, ping, { "mcp-session-id": session }))).status, 200)
    }))

  it.effect("EMBED-14 MUST respond 403 to a tool call without the tool's scopes, and to no other call", () =>
    Effect.gen(function*() {
      const { handle, issuer } = yield* Protected
      const token = `Bearer ${yield* issuer.sign()}`
      const rejected = yield* handle(message(token, toolCall("delete")))
      assert.strictEqual(rejected.status, 403)
      assert.include(rejected.headers.get("www-authenticate"), "scope=\"notes:delete\"")
      assert.deepInclude(yield* json(yield* handle(message(token, toolCall("add")))), { body: toolCall("add") })
      const allowed = `Bearer ${yield* issuer.sign({ claims: { scope: "notes:delete" } })}`
      assert.deepInclude(yield* json(yield* handle(message(allowed, toolCall("delete")))), { body: toolCall("delete") })
      assert.strictEqual((yield* handle(message(allowed, "no message"))).status, 400)
    }))

  it.effect("MCP-04 MUST check every method that could carry a call, and accept no other", () =>
    Effect.gen(function*() {
      const { handle, issuer } = yield* Protected
      const authorization = `Bearer ${yield* issuer.sign()}`
      const send = (method: string, body: string | null) =>
        handle(new Request(resource, { method, headers: { authorization, "content-type": "application/json" }, body }))
      assert.strictEqual((yield* send("POST", toolCall("delete"))).status, 403)
      for (const method of ["PUT", "PATCH", "QUERY"]) {
        assert.strictEqual((yield* send(method, toolCall("delete"))).status, 405)
      }
      assert.strictEqual((yield* send("DELETE", toolCall("delete"))).status, 400)
      assert.strictEqual((yield* send("DELETE", null)).status, 200)
      assert.strictEqual((yield* send("GET", null)).status, 200)
    }))

  it.effect("FWD-01 MUST forward neither the token nor forged identity fields", () =>
    Effect.gen(function*() {
      const { issuer, middleware } = yield* Protected
      const handler = middleware.protect((request) => Response.json([...request.headers]))
      const request = message(`Bearer ${yield* issuer.sign()}`, ping, {
        "x-auth-user-id": "root",
        "X_Auth_Scopes": "admin",
        origin: "https://app.example.com",
        accept: "application/json"
      })
      const reply = yield* Effect.promise(() => handler(request))
      const names = (yield* json(reply)).map(([name]: [string]) => name)
      assert.include(names, "accept")
      for (const name of ["authorization", "origin", "x-auth-user-id", "x_auth_scopes"]) assert.notInclude(names, name)
    }))

  it.effect("ISO-01 MUST NOT let a handler change the identity of later requests", () =>
    Effect.gen(function*() {
      const { issuer, middleware } = yield* Protected
      const token = `Bearer ${yield* issuer.sign({ claims: { roles: ["user"] } })}`
      const handler = middleware.protect((_, identity) => {
        // As a handler in JavaScript might.
        const changes: ReadonlyArray<() => unknown> = [
          () => Object.assign(identity, { subject: "mallory" }),
          () => Array.prototype.push.call(identity.scopes, "admin"),
          () => Array.prototype.push.call(identity.claims["roles"], "root")
        ]
        for (const change of changes) assert.throws(change, TypeError)
        return Response.json([identity.subject, identity.scopes, identity.claims["roles"]])
      })
      for (let count = 0; count < 2; count++) {
        const reply = yield* Effect.promise(() => handler(message(token, ping)))
        assert.deepStrictEqual(yield* json(reply), ["user-1", [], ["user"]])
      }
    }))

  it.effect("CACHE-08 MUST end a listening event stream with its token, and abort one with a response after the response timeout", () =>
    Effect.gen(function*() {
      const { issuer } = yield* Protected
      const capture = yield* Layer.build(LogCapture.layer)
      const logged = () => Context.get(capture, LogCapture).entries().filter((entry) => entry.includes("\"ended\""))
      const { dispose, protect } = makeFetchMiddleware(
        {
          jwt_issuer: issuer.issuer,
          jwt_jwks_uri: issuer.jwksUri,
          jwt_audience: resource,
          clock_skew: 0,
          response_timeout: 1
        },
        {
          logger: Layer.succeedContext(capture),
          // Every token expires this long after its verification, so that it never expires before its request is
          // accepted.
          verifier: TokenVerifier.layerMapIdentity((identity) =>
            Effect.map(Clock.currentTimeMillis, (now) => ({ ...identity, expiresAt: now / 1000 + 0.3 }))
          ).pipe(Layer.provide(TokenVerifier.layer))
        }
      )
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      let cancelled = false
      const endless = () =>
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
          cancel: () => {
            cancelled = true
          }
        })
      const handler = protect(() => new Response(endless(), { headers: { "content-type": "text/event-stream" } }))
      const authorization = `Bearer ${yield* issuer.sign()}`
      const listening = new Request(resource, { headers: { authorization } })
      const reply = yield* Effect.promise(() => handler(listening))
      assert.strictEqual(reply.headers.get("x-accel-buffering"), "no")
      assert.strictEqual(yield* Effect.promise(() => reply.text()), "data: 1\n\n")
      assert.isTrue(cancelled)
      assert.match(logged().join(), /"status":200,.*"ended":"token ended"/)
      cancelled = false
      const responding = yield* Effect.promise(() => handler(message(authorization, ping)))
      const outcome = yield* Effect.promise(() => responding.text().then(() => "complete", () => "broken off"))
      assert.deepStrictEqual([outcome, cancelled], ["broken off", true])
      assert.match(logged().join(), /"ended":"response timeout"/)
    }))

  it.effect("EMBED-17 adds to the fields that a handler exposes, and leaves what is not a response as it is", () =>
    Effect.gen(function*() {
      const { issuer, middleware } = yield* Protected
      const token = `Bearer ${yield* issuer.sign()}`
      const exposing = middleware.protect(() =>
        new Response("", { headers: { "access-control-expose-headers": "X-Total" } })
      )
      const reply = yield* Effect.promise(() => exposing(message(token, ping)))
      assert.strictEqual(
        reply.headers.get("access-control-expose-headers"),
        "WWW-Authenticate, Mcp-Session-Id, Retry-After, x-trace-id, X-Total"
      )
      const failing = middleware.protect(() => Response.error())
      assert.strictEqual((yield* Effect.promise(() => failing(message(token, ping)))).type, "error")
    }))

  it.effect("EMBED-18 MUST warn about unwise settings once", () =>
    Effect.gen(function*() {
      const { issuer } = yield* Protected
      const capture = yield* Layer.build(LogCapture.layer)
      const { dispose, protect } = makeFetchMiddleware(
        { jwt_issuer: issuer.issuer, jwt_jwks_uri: issuer.jwksUri },
        { logger: Layer.succeedContext(capture) }
      )
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const handle = protect(() => new Response())
      const warnings = Effect.gen(function*() {
        const request = message(`Bearer ${yield* issuer.sign()}`, ping)
        yield* Effect.promise(() => handle(request))
        return Context.get(capture, LogCapture).entries().filter((entry) => entry.includes("no audience is configured"))
      })
      const first = yield* warnings
      assert.isAbove(first.length, 0)
      assert.deepStrictEqual(yield* warnings, first)
    }))

  it.effect("EMBED-15 accepts an own verifier on top of the configured providers", () =>
    Effect.gen(function*() {
      const { issuer } = yield* Protected
      const { dispose, protect } = makeFetchMiddleware(
        { jwt_issuer: issuer.issuer, jwt_jwks_uri: issuer.jwksUri, jwt_audience: resource },
        { logger, verifier: TokenVerifier.layerPrefix("key_", apiKey).pipe(Layer.provide(TokenVerifier.layer)) }
      )
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const handle = protect((_, { subject }) => new Response(subject))
      const rejected = yield* Effect.promise(() => handle(message("Bearer key_never", ping)))
      assert.include(yield* Effect.promise(() => rejected.text()), "Token not found")
      const token = yield* issuer.sign()
      const reply = yield* Effect.promise(() => handle(message(`Bearer ${token}`, ping)))
      assert.strictEqual(yield* Effect.promise(() => reply.text()), "user-1")
    }))

  it("EMBED-16 MUST reject bad settings when it is made, with every problem and its fix", () => {
    const several = thrown(() => makeFetchMiddleware({ jwt_issuer: "http://issuer.example.com", path: "no path" }))
    assert.instanceOf(several, InvalidConfiguration)
    assert.lengthOf(several.problems, 2)
    const nobody = thrown(() => makeFetchMiddleware({ auth_enabled: false }))
    assert.instanceOf(nobody, InvalidConfiguration)
    assert.include(nobody.message, "MCP_AUTH_ENABLED")
    const servers = thrown(() =>
      makeFetchMiddleware({
        jwt_issuer: "https://issuer.example.com",
        public_url: "https://mcp.example.com",
        servers: [{ name: "a", url: "http://127.0.0.1:1/mcp" }]
      })
    )
    assert.instanceOf(servers, InvalidConfiguration)
    assert.include(servers.message, "MCP_SERVERS")
  })
})
