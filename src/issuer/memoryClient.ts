/** The issuer's side of an exchange without a socket: an `HttpClient` that reaches only one origin. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { maxBodyBytes, type ReceivedRequest } from "./ReceivedRequest.ts"
import { Disconnected, isBodiless, type WireResponse } from "./WireResponse.ts"

const receive = Effect.fnUntraced(
  function*(request: HttpClientRequest.HttpClientRequest, { pathname, searchParams }: URL) {
    const web = yield* HttpClientRequest.toWeb(request)
    const bytes = new Uint8Array(yield* Effect.tryPromise(() => web.arrayBuffer()))
    const received: ReceivedRequest = {
      method: web.method,
      path: pathname,
      query: searchParams,
      headers: Object.fromEntries(web.headers),
      body: new TextDecoder().decode(bytes.subarray(0, maxBodyBytes))
    }
    return received
  }
)

/** Ends after `length` bytes, and waits forever for missing ones, as a client on a socket does. */
const framed = (body: WireResponse["body"], length: number): WireResponse["body"] =>
  Stream.suspend(() => {
    let left = length
    const counted = Stream.map(body, (chunk) => {
      const part = chunk.subarray(0, left)
      left -= part.length
      return part
    })
    return counted.pipe(
      Stream.takeUntil(() => left === 0),
      Stream.concat(Stream.suspend(() => left === 0 ? Stream.empty : Stream.never))
    )
  })

const decoded = (body: ReadableStream<Uint8Array<ArrayBuffer>>, coding: string | undefined) =>
  coding === "gzip" || coding === "deflate" ? body.pipeThrough(new DecompressionStream(coding)) : body

const toWeb = Effect.fnUntraced(
  function*({ body, headers, status }: WireResponse, broken: Effect.Effect<never, Disconnected>) {
    const make = (content: ReadableStream | null) => Effect.try(() => new Response(content, { status, headers }))
    if (isBodiless(status)) return yield* make(null)
    const length = headers["content-length"]
    const readable = yield* (length === undefined ? body : framed(body, Number(length))).pipe(
      Stream.interruptWhen(broken),
      // Web streams require bytes that no other thread shares, as all of these are.
      Stream.map((chunk) => Uint8Array.from(chunk)),
      Stream.toReadableStreamEffect()
    )
    return yield* make(decoded(readable, headers["content-encoding"]))
  }
)

const aborted = (signal: AbortSignal): Effect.Effect<never, Disconnected> =>
  Effect.callback((resume) => {
    const leave = () => resume(Effect.fail(new Disconnected()))
    signal.addEventListener("abort", leave)
    return Effect.sync(() => signal.removeEventListener("abort", leave))
  })

/**
 * Builds a client whose requests to `origin` are handled by `respond`, in the fiber that sends them.
 *
 * Failures are those of a client on a socket (`TransportError` before the head, an error of the body after it), including
 * when its scope closes. Redirects are followed as `fetch` does, unless `FetchHttpClient.RequestInit` disables them.
 */
export const makeMemoryClient = Effect.fnUntraced(function*(
  origin: string,
  respond: (request: ReceivedRequest) => Effect.Effect<WireResponse, Disconnected>
): Effect.fn.Return<HttpClient.HttpClient, never, Scope.Scope> {
  const stopped = yield* Deferred.make<never, Disconnected>()
  yield* Effect.addFinalizer(() => Deferred.fail(stopped, new Disconnected()))
  const direct = HttpClient.make((request, url, signal) => {
    const failed = (description: string, cause?: unknown) =>
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.TransportError({ request, description, cause })
      })
    if (url.origin !== origin) return Effect.fail(failed(`only ${origin} can be reached`))
    const broken = Effect.raceFirst(Deferred.await(stopped), aborted(signal))
    return receive(request, url).pipe(
      Effect.flatMap(respond),
      Effect.raceFirst(Deferred.await(stopped)),
      Effect.flatMap((wire) => toWeb(wire, broken)),
      Effect.mapBoth({
        onFailure: (cause) => failed("the connection was closed", cause),
        onSuccess: (response) => HttpClientResponse.fromWeb(request, response)
      })
    )
  })
  const following = HttpClient.followRedirects(direct)
  return HttpClient.transform(direct, (execute, request) =>
    Effect.flatMap(
      Effect.serviceOption(FetchHttpClient.RequestInit),
      (init) => Option.exists(init, ({ redirect }) => redirect === "manual") ? execute : following.execute(request)
    ))
})
