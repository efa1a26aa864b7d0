import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Authentication, GatewayConfig, layerVerifier } from "mcp-authorizer"
import { TestIssuer } from "mcp-authorizer/testing"
import { serveRoutes } from "../support/serve.ts"

/** A route with an endless response. */
const endless = (path: `/${string}`, contentType: string) =>
  HttpRouter.add(
    "GET",
    path,
    HttpServerResponse.stream(Stream.concat(Stream.make(new TextEncoder().encode("data: 1\n\n")), Stream.never), {
      contentType
    })
  )

describe("Authentication.layer", () => {
  it.live("CACHE-08 MUST end an event stream with the token that opened it, and no other response", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const origin = yield* serveRoutes(
        Layer.mergeAll(endless("/events", "text/event-stream"), endless("/bytes", "application/octet-stream")).pipe(
          Layer.provide(Authentication.layer),
          Layer.provide(layerVerifier),
          Layer.provide(GatewayConfig.layer({
            jwt_issuer: issuer.issuer,
            jwt_jwks_uri: issuer.jwksUri,
            jwt_audience: issuer.audience,
            clock_skew: 0
          }))
        )
      )
      const authorization = `Bearer ${yield* issuer.sign({ expiresIn: "4 seconds" })}`
      const left = new AbortController()
      const open = (path: string) =>
        Effect.promise(() => fetch(origin + path, { headers: { authorization }, signal: left.signal }))
      const bytes = (yield* open("/bytes")).body?.getReader() ?? assert.fail("no body")
      yield* Effect.promise(() => bytes.read())
      const afterwards = bytes.read().then(() => "ended", () => "left")
      const events = yield* open("/events")
      assert.strictEqual(yield* Effect.promise(() => events.text()), "data: 1\n\n")
      left.abort()
      assert.strictEqual(yield* Effect.promise(() => afterwards), "left")
    }))
})
