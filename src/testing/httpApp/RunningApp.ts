import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { UpstreamRequest } from "../../forward/GatewayClient.ts"
import type { Identity } from "../../identity/Identity.ts"
import { makeRecords } from "../records.ts"
import type { Caller } from "./caller.ts"
import type { ClientRequest } from "./clientRequest.ts"
import type { Circumstances } from "./fixture.ts"
import { Subject } from "./Subject.ts"
import { upstreamMark } from "./upstream.ts"

/** A response, read to its end. */
export interface AppResponse {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Whether the response is the MCP server's, relayed. */
  readonly relayed: boolean
}

/** An app in the circumstances of a case. */
export interface RunningApp {
  readonly settings: GatewaySettings
  /** The identity of the caller's token, if it is accepted. */
  readonly identity: Identity
  /** The same of another caller. */
  readonly identityOf: (caller: Caller) => Identity
  readonly send: (request: ClientRequest, caller?: Caller) => Effect.Effect<AppResponse>
  /** Sends a request and returns the response with its body unread. An interruption is a client that leaves. */
  readonly open: (request: ClientRequest, caller?: Caller) => Effect.Effect<Response>
  /** What the app has written so far to the log, to spans and to the console. */
  readonly written: () => ReadonlyArray<string>
  /** The requests that the MCP server has received, in order. */
  readonly forwarded: ReadonlyArray<UpstreamRequest>
  /** The tokens that the verifier was called with, in order; `undefined` if the verifier is the app's own. */
  readonly verified: ReadonlyArray<string> | undefined
}

/** The authority that clients use, unless they send another `Host`. */
export const authority = "gateway.test"

/** A body that is produced as it is read. */
const streamed = (text: string, more: () => Uint8Array<ArrayBuffer> | undefined): ReadableStream => {
  let begun = false
  return new ReadableStream({
    pull: (controller) => {
      const piece = begun ? more() : new TextEncoder().encode(text)
      begun = true
      if (piece === undefined) controller.close()
      else controller.enqueue(piece)
    }
  }, { highWaterMark: 0 })
}

const addressed = (
  settings: GatewaySettings,
  token: string,
  { body, headers, method, more, target }: ClientRequest,
  signal?: AbortSignal
) => {
  const path = settings.path === "/" ? "" : settings.path
  const fill = (text: string): string => text.replaceAll("{mcp}", () => path).replaceAll("{token}", () => token)
  const filled = fill(target)
  const text = body === undefined || method === "GET" || method === "HEAD" ? undefined : fill(body)
  const fields = new Headers({ host: authority })
  if (text !== undefined && more === undefined) {
    fields.set("content-length", String(new TextEncoder().encode(text).length))
  }
  for (const [name, value] of Object.entries(headers)) fields.set(name, fill(value))
  return new Request(`http://${authority}${filled.startsWith("/") ? filled : `/${filled}`}`, {
    method,
    headers: fields,
    ...(signal === undefined ? {} : { signal }),
    ...(text === undefined
      ? {}
      : more === undefined
      ? { body: text }
      // `duplex` is a part of the Fetch standard, but not of the types.
      : { body: streamed(text, more), duplex: "half" })
  })
}

/** Builds the app under test in the given circumstances. */
export const runApp = Effect.fnUntraced(function*(
  circumstances: Circumstances
): Effect.fn.Return<RunningApp, never, Subject | Scope.Scope> {
  const { start } = yield* Subject
  const { app, forwarded, identityOf, settings, tokenOf, verified } = yield* start(circumstances)
  const records = makeRecords()
  yield* records.watchConsole
  const context = yield* Effect.context<never>().pipe(
    // The span around the app belongs to the server that runs it.
    Effect.provideService(HttpMiddleware.TracerDisabledWhen, () => true),
    Effect.provide(records.layer)
  )
  const handler = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(context)(
    app.handle
  )
  const open = (request: ClientRequest, caller: Caller = circumstances.caller): Effect.Effect<Response> =>
    Effect.promise((signal) => handler(addressed(settings, tokenOf(caller), request, signal)))
  return {
    settings,
    identity: identityOf(circumstances.caller),
    identityOf,
    forwarded,
    verified,
    written: records.texts,
    open,
    send: (request, caller) =>
      Effect.flatMap(open(request, caller), (response) =>
        Effect.promise(async () => {
          const { headers, status } = response
          return { status, headers, text: await response.text(), relayed: headers.has(upstreamMark) }
        }))
  }
})
