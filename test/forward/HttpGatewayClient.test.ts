import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import { SharedIo } from "../../src/fairness/SharedIo.ts"
import { GatewayClient, type UpstreamRequest } from "../../src/forward/GatewayClient.ts"
import * as HttpGatewayClient from "../../src/forward/HttpGatewayClient.ts"
import { settings } from "../fixtures/settings.ts"

type Reply = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

const respondingWith = (response: () => Response): Reply => (request) =>
  Effect.sync(() => HttpClientResponse.fromWeb(request, response()))

const broken = (cause: unknown): Reply => (request) =>
  Effect.fail(new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) }))

const coded = (code: string) => Object.assign(new Error("secret"), { code })

const get: UpstreamRequest = { method: "GET", target: "/mcp", headers: {}, body: undefined }

const config = (gatewayUrl = "http://mcp.test/mcp") => Layer.succeed(GatewayConfig, settings(gatewayUrl))

/** Sends a request through the client whose platform responds in this way. */
const send = (reply: Reply, request = get, gatewayUrl?: string) =>
  Effect.flatMap(GatewayClient, (client) => client.send(request)).pipe(
    Effect.provide(
      HttpGatewayClient.layer.pipe(
        Layer.provide([Layer.succeed(HttpClient.HttpClient, HttpClient.make(reply)), config(gatewayUrl)])
      )
    )
  )

const gzip = { "content-encoding": "gzip", "content-length": "20" }

describe("HttpGatewayClient on simulated platforms", () => {
  it.effect("HTTP-19 a redirect that the platform hides MUST NOT be passed on as a response", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(send(respondingWith(() => Response.error())))
      assert.deepInclude(error, { _tag: "UpstreamUnavailable", detail: "the MCP server redirects" })
    }))

  it.effect("HTTP-19 fetch MUST be told not to follow redirects", () =>
    Effect.gen(function*() {
      const seen: Array<RequestInit["redirect"]> = []
      const fetch: typeof globalThis.fetch = (_, init) => {
        seen.push(init?.redirect)
        return Promise.resolve(new Response("{}"))
      }
      yield* Effect.flatMap(GatewayClient, (client) => client.send(get)).pipe(
        Effect.provide(
          HttpGatewayClient.layerFetch.pipe(Layer.provide([Layer.succeed(FetchHttpClient.Fetch, fetch), config()]))
        )
      )
      assert.deepStrictEqual(seen, ["manual"])
    }))

  it.effect("HTTP-18 a response MUST be requested unencoded, and rejected where it may have been decoded", () =>
    Effect.gen(function*() {
      const asked: Array<string | undefined> = []
      const decoded: Reply = (request) => {
        asked.push(request.headers["accept-encoding"])
        return respondingWith(() => new Response("decoded", { headers: gzip }))(request)
      }
      const error = yield* Effect.flip(send(decoded, { ...get, headers: { "accept-encoding": "gzip" } }))
      assert.strictEqual(error._tag, "UpstreamUnavailable")
      assert.deepStrictEqual(asked, ["identity"])
    }))

  it.effect("HTTP-18 positive control: the fields of a response without a body describe another", () =>
    Effect.gen(function*() {
      const bodiless = respondingWith(() => new Response(null, { headers: gzip }))
      const response = yield* send(bodiless, { ...get, method: "HEAD" })
      assert.deepInclude(response, { status: 200, headers: gzip, body: { _tag: "Empty" } })
      const plain = yield* send(
        respondingWith(() => new Response("{}", { headers: { "content-encoding": "identity" } }))
      )
      assert.strictEqual(plain.status, 200)
    }))

  it.effect("a missing body MUST be passed on as an empty one", () =>
    Effect.gen(function*() {
      const { body } = yield* send(respondingWith(() => new Response(null)))
      assert.strictEqual(body._tag, "Stream")
      assert.deepStrictEqual(body._tag === "Stream" ? yield* Stream.runCollect(body.stream) : undefined, [])
    }))

  it.effect("the platform's timeouts MUST become UpstreamTimeout, and its other failures UpstreamUnavailable", () =>
    Effect.gen(function*() {
      for (const code of ["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "ETIMEDOUT"]) {
        for (const cause of [coded(code), new TypeError("fetch failed", { cause: coded(code) })]) {
          assert.deepInclude(yield* Effect.flip(send(broken(cause))), { _tag: "UpstreamTimeout", millis: 5000 })
        }
      }
      for (const [cause, what] of [[coded("ECONNREFUSED"), "ECONNREFUSED"], ["secret", "TransportError"]]) {
        const detail = `the MCP server cannot be reached or broke off (${String(what)})`
        assert.deepInclude(yield* Effect.flip(send(broken(cause))), { _tag: "UpstreamUnavailable", detail })
      }
    }))

  it.effect("an error MUST carry as its cause where the platform's client failed and by which code, and no text of it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(send(broken(coded("ECONNREFUSED"))))
      assert.strictEqual(error._tag, "UpstreamUnavailable")
      if (!(error.cause instanceof Error)) return assert.fail("there is no cause")
      assert.deepInclude(error.cause.cause, { message: "ECONNREFUSED" })
      assert.include(error.cause.stack, "    at ")
      assert.notInclude(inspect(error, { depth: Infinity, showHidden: true }), "secret")
    }))

  it.effect("MCP_UPSTREAM_TIMEOUT MUST be kept to the millisecond", () =>
    Effect.gen(function*() {
      const sending = yield* Effect.forkChild(Effect.flip(send(() => Effect.never)))
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(sending.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(yield* Fiber.join(sending), { _tag: "UpstreamTimeout", millis: 5000 })
    }))

  it.effect("a Unix socket MUST be rejected when the client is built, with the name of the setting", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        send(respondingWith(() => new Response("{}")), get, "http+unix://%2Frun%2Fmcp.sock/mcp")
      )
      assert.strictEqual(error._tag, "InvalidConfiguration")
      assert.include(error.message, "MCP_SERVER_URL")
    }))
})

/** A platform whose server responds when the test tells it to. */
interface Platform {
  /** The callers whose requests are under way, in the order in which they were sent. */
  readonly asked: Array<string>
  /** Responds to the first request of this caller that is under way. */
  readonly reply: (caller: string, response?: Response) => Effect.Effect<void>
  readonly responder: Reply
}

const makePlatform = (): Platform => {
  const asked: Array<string> = []
  const pending: Array<{ readonly caller: string; readonly done: Deferred.Deferred<Response> }> = []
  const forget = (done: Deferred.Deferred<Response>) => {
    const index = pending.findIndex((one) => one.done === done)
    if (index !== -1) pending.splice(index, 1)
  }
  return {
    asked,
    reply: (caller, response = new Response("{}", { headers: { "content-length": "2" } })) =>
      Effect.suspend(() => {
        const found = pending.find((one) => one.caller === caller)
        return found === undefined
          ? Effect.die(`nothing of ${caller} is under way`)
          : Deferred.succeed(found.done, response)
      }),
    responder: (request) =>
      Effect.suspend(() => {
        const done = Deferred.makeUnsafe<Response>()
        const caller = request.headers["x-caller"] ?? ""
        asked.push(caller)
        pending.push({ caller, done })
        return Effect.ensuring(
          Effect.map(Deferred.await(done), (response) => HttpClientResponse.fromWeb(request, response)),
          Effect.sync(() => forget(done))
        )
      })
  }
}

const bounds = { maxWaiting: 32, maxUpstreamConnections: 8, maxStreams: 4 }

/** A client with these bounds, and its platform. */
const bounded = Effect.fnUntraced(function*(options: { readonly sharesIo?: boolean } = {}) {
  const platform = makePlatform()
  const context = yield* Layer.build(HttpGatewayClient.layer.pipe(
    Layer.provide([
      Layer.succeed(HttpClient.HttpClient, HttpClient.make(platform.responder)),
      Layer.succeed(GatewayConfig, settings("http://mcp.test/mcp", { ...bounds, upstreamTimeoutMillis: 60_000 })),
      Layer.succeed(SharedIo, options.sharesIo ?? true)
    ])
  ))
  const client = Context.get(context, GatewayClient)
  const sendFor = (caller: string) =>
    Effect.forkChild(
      Effect.scoped(client.send({ ...get, headers: { "x-caller": caller }, owner: { group: caller, member: "1" } }))
    )
  /** Sends so many, each in a fiber of its own, and waits until they are where they can get to. */
  const sendAll = Effect.fnUntraced(function*(caller: string, count: number) {
    const fibers = yield* Effect.forEach(Array.from({ length: count }), () => sendFor(caller))
    yield* settle
    return fibers
  })
  return { ...platform, client, sendAll }
})

const settle = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true }).pipe(
  Effect.andThen(Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1))))
)

const countOf = (asked: ReadonlyArray<string>, caller: string) => asked.filter((one) => one === caller).length

describe("HttpGatewayClient, of which each caller has a share", () => {
  it.effect("DOS-06 lets a caller have half of the connections, lets the rest wait, and serves others at once", () =>
    Effect.gen(function*() {
      const { reply, asked, sendAll } = yield* bounded()
      const greedy = yield* sendAll("greedy", 12)
      assert.strictEqual(asked.length, 4)
      const [good] = yield* sendAll("good", 1)
      assert.strictEqual(countOf(asked, "good"), 1)
      yield* reply("good")
      if (good !== undefined) assert.strictEqual((yield* Fiber.join(good)).status, 200)
      // Each response lets the next request be sent.
      for (let index = 0; index < 12; index++) {
        yield* reply("greedy")
        yield* settle
      }
      assert.strictEqual(countOf(asked, "greedy"), 12)
      for (const one of greedy) assert.strictEqual((yield* Fiber.join(one)).status, 200)
    }).pipe(Effect.scoped))

  it.effect("DOS-06 gives those that wait their turns, one caller after another", () =>
    Effect.gen(function*() {
      const { reply, asked, sendAll } = yield* bounded()
      // All connections but one, which none of these callers may have.
      for (const caller of ["a", "b", "c"]) yield* sendAll(caller, 10)
      const before = asked.length
      for (let index = 0; index < 6; index++) {
        yield* reply("a")
        yield* settle
      }
      const next = asked.slice(before)
      assert.includeMembers(next, ["b", "c"])
      assert.isAtMost(Math.max(...["a", "b", "c"].map((caller) => countOf(next, caller))), 4)
    }).pipe(Effect.scoped))

  it.effect("DOS-06 lets a caller have half of the places for waiting, and gives back those of requests that end", () =>
    Effect.gen(function*() {
      const { asked, sendAll } = yield* bounded()
      const fibers = yield* sendAll("greedy", 20)
      const failed = fibers.filter((fiber) => fiber.pollUnsafe() !== undefined)
      assert.lengthOf(failed, 4)
      for (const fiber of failed) {
        assert.deepInclude(yield* Effect.flip(Fiber.join(fiber)), { _tag: "UpstreamUnavailable" })
      }
      const others = yield* sendAll("good", 8)
      assert.isTrue(others.every((fiber) => fiber.pollUnsafe() === undefined))
      yield* Fiber.interruptAll([...fibers, ...others])
      yield* settle
      const again = yield* sendAll("greedy", 16)
      assert.isTrue(again.every((fiber) => fiber.pollUnsafe() === undefined))
      assert.isAbove(asked.length, 8)
    }).pipe(Effect.scoped))

  it.effect("DOS-06 lets a caller have half of the event streams, until they end", () =>
    Effect.gen(function*() {
      const { reply, client } = yield* bounded()
      const open = Effect.fnUntraced(function*(scope: Scope.Scope) {
        const sending = yield* Effect.forkChild(
          Scope.provide(
            client.send({ ...get, headers: { "x-caller": "greedy" }, owner: { group: "greedy", member: "1" } }),
            scope
          )
        )
        yield* settle
        yield* reply(
          "greedy",
          new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } })
        )
        return yield* Fiber.join(sending)
      })
      const scopes = yield* Effect.forEach([1, 2, 3], () => Scope.make())
      const [first, second, third] = scopes
      if (first === undefined || second === undefined || third === undefined) return assert.fail("three scopes")
      assert.strictEqual((yield* open(first)).status, 200)
      assert.strictEqual((yield* open(second)).status, 200)
      assert.deepInclude(yield* Effect.flip(open(third)), { _tag: "UpstreamUnavailable" })
      yield* Scope.close(first, Exit.void)
      assert.strictEqual((yield* open(third)).status, 200)
      for (const scope of [second, third]) yield* Scope.close(scope, Exit.void)
    }).pipe(Effect.scoped))

  it.effect("counts the time for waiting", () =>
    Effect.gen(function*() {
      const { sendAll } = yield* bounded()
      const fibers = yield* sendAll("greedy", 5)
      yield* TestClock.adjust("1 minute")
      for (const fiber of fibers) {
        assert.deepInclude(yield* Effect.flip(Fiber.join(fiber)), { _tag: "UpstreamTimeout", millis: 60_000 })
      }
    }).pipe(Effect.scoped))

  it.effect("lets no request wait where requests do not share I/O", () =>
    Effect.gen(function*() {
      const { asked, sendAll } = yield* bounded({ sharesIo: false })
      yield* sendAll("greedy", 40)
      assert.strictEqual(asked.length, 40)
    }).pipe(Effect.scoped))
})
