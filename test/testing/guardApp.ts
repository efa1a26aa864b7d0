/** A server with the guard in front of its handler as an `HttpApp`, so that the suite of those can be run on the guard. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import { Guard } from "../../src/embed/Guard.ts"
import { serveAdmitted } from "../../src/embed/serveAdmitted.ts"
import { makeCallerFields } from "../../src/forward/callerFields.ts"
import { GatewayClient } from "../../src/forward/GatewayClient.ts"
import { requestHeaders } from "../../src/forward/requestHeaders.ts"
import { responseHeaders } from "../../src/forward/responseHeaders.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"
import { relay } from "../../src/http/relay.ts"
import { CurrentIdentity } from "../../src/identity/CurrentIdentity.ts"

const failed = HttpServerResponse.jsonUnsafe(
  { error: "server_error", error_description: "The server behind the host failed" },
  { status: 502, headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" } }
)

/** A handler that sends each request to another server, as a host would that is a proxy itself. */
const handlerWith = (client: GatewayClient["Service"], settings: GatewayConfig["Service"]) => {
  const callerFields = makeCallerFields(settings)
  const { pathname } = new URL(settings.gatewayUrl)
  const base = pathname === "/" ? "" : pathname

  return Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const identity = yield* CurrentIdentity
    // Shows what the guard adds to the log of handlers.
    yield* Effect.logDebug("sending")
    const body = new Uint8Array(yield* Effect.orDie(request.arrayBuffer))
    const headers = requestHeaders(request.headers, {
      trustedPeer: false,
      forwardAuthorization: false,
      bindsSession: false,
      ownedFields: new Set(),
      own: callerFields(identity)
    })
    const rest = settings.path === "/"
      ? request.url.replace(/^\/(?=\?|$)/, "")
      : request.url.slice(settings.path.length)
    const { body: received, headers: fields, status } = yield* client.send({
      method: request.method,
      target: rest.startsWith("/") ? `${base}${rest}` : `${pathname}${rest}`,
      headers,
      body: body.length === 0 ? undefined : body,
      identity
    })
    return relay({ status, headers: responseHeaders(fields) }, received)
  }).pipe(
    Effect.orElseSucceed(() => failed),
    Effect.catchDefect(() => Effect.succeed(failed)),
    // A client that disconnects before the head of the response cancels the request.
    Effect.interruptible
  )
}

/** The paths that a host routes to the guard: the documents, and the MCP endpoint with what is below it. */
const isGuarded = (mcpPath: string, target: string): boolean => {
  const path = target.split("?", 1)[0] ?? ""
  if (path.startsWith("/.well-known/") || path === mcpPath) return true
  const isPlain = !path.includes("//") && !/%2f|%5c|%00|;/i.test(path)
  return isPlain && path !== "/healthz" && path !== "/readyz" && path.startsWith(mcpPath === "/" ? "/" : `${mcpPath}/`)
}

/** The guard as an app. Requests for other paths than the guard's go to the gateway. */
export const guardApp = <E>(guard: Layer.Layer<Guard, E, Layer.Services<typeof Guard.layer>>) =>
  Layer.effect(
    HttpApp,
    Effect.gen(function*() {
      const { check } = yield* Guard
      const settings = yield* GatewayConfig
      const handler = handlerWith(yield* GatewayClient, settings)
      const gateway = yield* HttpApp
      const handle = Effect.gen(function*() {
        const request = yield* HttpServerRequest.HttpServerRequest
        if (!isGuarded(settings.path, request.url)) return yield* gateway.handle
        const result = yield* check(request)
        return result._tag === "Responded" ? result.response : yield* serveAdmitted(result, handler)
      })
      return HttpApp.of({ ...gateway, handle })
    })
  ).pipe(Layer.provide([guard, HttpApp.layer]))

/** Why a requirement on gateways does not apply to a guard. */
export const guardInapplicable: Readonly<Record<string, string>> = {
  "APP-33": "a guard cannot be built without authentication",
  "APP-64": "a guard cannot be built without authentication",
  "APP-57": "the host decides which methods it has",
  "APP-62": "the host sends no trace id to another server",
  "APP-70": "the guard does not change messages",
  "APP-71": "the guard does not change messages",
  "APP-72": "the guard does not change responses",
  "APP-73": "the guard reads messages only where tools require scopes",
  "APP-74": "the guard reads messages only where tools require scopes",
  "APP-77": "the guard reads messages only where tools require scopes",
  "APP-82": "the host decides what it does with the responses of another server",
  "APP-83": "the host decides how it responds when another server fails",
  "APP-84": "the host decides what it does with the responses of another server",
  "APP-92": "the guard renames no fields of the session"
}
