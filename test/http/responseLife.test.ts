import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import { GatewayClient } from "../../src/forward/GatewayClient.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { message } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"

const identity: Identity = {
  subject: "alice",
  clientId: undefined,
  issuer: "https://issuer.example",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "static",
  expiresAt: 60,
  claims: {}
}

/** The gateway as an effect, in front of a server whose response never ends, at time zero of the test clock. */
const open = Effect.fnUntraced(function*(method: "GET" | "POST", message: string, type: string) {
  const capture = yield* Layer.build(LogCapture.layer)
  const surroundings = Layer.mergeAll(
    Layer.succeed(
      GatewayConfig,
      settings("http://127.0.0.1:1/mcp", { clockSkewSeconds: 0, responseTimeoutMillis: 600_000 })
    ),
    Layer.succeed(TokenVerifier, { verify: () => Effect.succeed(identity) }),
    Layer.mock(ProviderMetadata, {}),
    Layer.mock(ProviderRegistry, {}),
    Layer.succeed(GatewayClient, {
      send: () =>
        Effect.succeed({
          status: 200,
          headers: { "content-type": type },
          body: { _tag: "Stream", stream: Stream.never }
        })
    }),
    Digest.layerWebCrypto
  )
  const app = yield* Layer.build(HttpApp.layer.pipe(Layer.provide(surroundings)))
  const headers = { host: "localhost", authorization: "Bearer t", "content-type": "application/json" }
  const request = new Request("http://localhost/mcp", {
    method,
    headers,
    ...(method === "POST" ? { body: message } : {})
  })
  const scope = yield* Scope.make()
  const response = yield* Context.get(app, HttpApp).handle.pipe(
    Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request)),
    Scope.provide(scope)
  )
  assert.strictEqual(response.status, 200)
  const { body } = response
  if (body._tag !== "Stream") return assert.fail("no stream")
  const over = yield* Deferred.make<boolean>()
  const reading = yield* Stream.runDrain(Stream.orDie(body.stream)).pipe(
    Effect.onExit((exit) => Deferred.succeed(over, Exit.isSuccess(exit))),
    Effect.exit,
    Effect.forkChild
  )
  yield* Effect.yieldNow
  return {
    isOver: Deferred.isDone(over),
    /** Waits for the end, and returns whether it was complete, with its log entry. */
    ended: Effect.gen(function*() {
      const exit = yield* Fiber.join(reading)
      yield* Effect.provideContext(Scope.close(scope, exit), capture)
      const entry = Context.get(capture, LogCapture).entries().find((entry) =>
        entry.includes("\"message\":\"request\"")
      )
      return [Exit.isSuccess(exit), JSON.parse(entry?.split("\n", 1)[0] ?? "{}").annotations?.ended]
    })
  }
})

const call = message("tools/call")
const subscribe = `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}`
const events = "text/event-stream"

describe("the duration of a response in HttpApp", () => {
  it.effect("CACHE-08 a stream that only listens ends with its token, and the log says why", () =>
    Effect.gen(function*() {
      for (const [method, message] of [["GET", ""], ["POST", subscribe]] as const) {
        const { ended, isOver } = yield* open(method, message, events)
        yield* TestClock.adjust(59_000)
        assert.isFalse(yield* isOver)
        yield* TestClock.adjust(1_000)
        assert.deepStrictEqual(yield* ended, [true, "token ended"])
        yield* TestClock.setTime(0)
      }
    }))

  it.effect("a response to a message outlives its token, and is aborted after MCP_RESPONSE_TIMEOUT", () =>
    Effect.gen(function*() {
      for (const type of [events, "application/json"]) {
        const { ended, isOver } = yield* open("POST", call, type)
        yield* TestClock.adjust(599_000)
        assert.isFalse(yield* isOver)
        yield* TestClock.adjust(1_000)
        assert.deepStrictEqual(yield* ended, [false, "response timeout"])
        yield* TestClock.setTime(0)
      }
    }))
})
