import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { perConfiguration } from "../config/perConfiguration.ts"
import { portOf, traced } from "../trace/spans.ts"
import { currentParent, parentField } from "../trace/traceContext.ts"
import { readRejection } from "./bearerChallenge.ts"
import { errorCode, wayOf } from "./failureCause.ts"
import { clockDifference } from "./httpDate.ts"
import { type JsonObject, parseJsonObject } from "./JsonObject.ts"
import { loggedUrl, ProviderRequestFailed } from "./ProviderRequestFailed.ts"
import { providerUrl } from "./providerUrl.ts"
import { retryAfterOf } from "./retryAfter.ts"

export { ProviderRequestFailed } from "./ProviderRequestFailed.ts"

/** How long an exchange may take, from the first byte sent to the last byte received. */
const timeout = "5 seconds"

/** Size limit of a body, after decompression. */
const maxBodyBytes = 1_048_576

/**
 * How much of the body of an error response is read, and for how long. If there is no body, the status alone decides.
 */
const maxErrorBytes = 16_384
const errorBodyTimeout = "1 second"

/** A request to a provider. */
export interface ProviderRequest {
  readonly url: string
  /** Host patterns that the URL must match. Empty: any host. */
  readonly allowedDomains: ReadonlyArray<string>
  /** Hosts that may be requested over http, in addition to this machine. */
  readonly allowHttp?: ReadonlyArray<string> | undefined
  /** The value of the `Authorization` field. */
  readonly authorization?: Redacted.Redacted<string>
  /** Sent as `application/x-www-form-urlencoded` with POST. Without a form, the request is a GET. */
  readonly form?: ReadonlyArray<readonly [name: string, value: Redacted.Redacted<string> | string]>
}

/** A complete response with status 200. */
export interface ProviderResponse {
  readonly body: JsonObject
  readonly cacheControl: string | undefined
  /** The fields of the response, with lower-case names. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  /** How far the provider's clock is ahead of this one, in seconds, according to the field `Date`. */
  readonly clockDifference?: number | undefined
}

/**
 * The HTTP client for all requests to identity providers.
 *
 * Sends GET, or POST with a form. Succeeds with a JSON object from a response with status 200, and fails with
 * `ProviderRequestFailed` otherwise. A request takes at most 5 seconds; a body has at most 1 MiB after decompression.
 * URLs must be `https` (`http` only to this machine and to configured hosts) and on an allowed host. Redirects are not
 * followed. `traceparent` is sent if the request is traced, and no other trace header: `tracestate` is for the caller's
 * own services.
 */
export class ProviderHttp extends Context.Service<ProviderHttp, {
  readonly send: (request: ProviderRequest) => Effect.Effect<ProviderResponse, ProviderRequestFailed>
}>()("mcp-authorizer/remote/ProviderHttp") {
  static readonly make: Effect.Effect<ProviderHttp["Service"], never, HttpClient.HttpClient> = Effect.gen(function*() {
    // The scope of the exchange: closing it closes the connection, even if its body was not read.
    const client = HttpClient.withScope(yield* HttpClient.HttpClient)
    return ProviderHttp.of({
      send: Effect.fnUntraced(function*(request) {
        const url = yield* Effect.fromResult(
          Result.mapError(
            providerUrl(request.url, request.allowedDomains, request.allowHttp),
            (kind) =>
              new ProviderRequestFailed({ kind, url: URL.canParse(request.url) ? loggedUrl(new URL(request.url)) : "" })
          )
        )
        const failed: Failed = (failure) => new ProviderRequestFailed({ ...failure, url: loggedUrl(url) })
        const exchange = currentParent.pipe(
          Effect.flatMap((parent) => client.execute(toClientRequest(url, request, parent))),
          Effect.mapError((error) => failed(unreachable(error))),
          Effect.flatMap((response) => read(response, url, failed)),
          Effect.scoped,
          Effect.timeoutOrElse({
            duration: timeout,
            orElse: () => Effect.fail(failed({ kind: "Timeout", found: timeout }))
          }),
          // Disabled, because the surrounding span is enough, and this one would show fields and queries.
          Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
          // `fetch` follows redirects by default; other clients ignore this option.
          Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
        )
        return yield* traced("mcp-authorizer.provider.request", () => attributesOf(url, request), exchange, "client")
      })
    })
  })

  static readonly layer: Layer.Layer<ProviderHttp, never, HttpClient.HttpClient> = perConfiguration(
    Layer.effect(ProviderHttp, ProviderHttp.make)
  )
}

/** The attributes of the span of a request, by OpenTelemetry's semantic conventions. */
const attributesOf = (url: URL, { form }: ProviderRequest) => ({
  "http.request.method": form === undefined ? "GET" : "POST",
  "url.full": loggedUrl(url),
  "server.address": url.hostname,
  "server.port": portOf(url)
})

/** @param parent `traceparent`, if the request is traced */
const toClientRequest = (
  url: URL,
  { authorization, form }: ProviderRequest,
  parent: string | undefined
): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.acceptJson(
    form === undefined
      ? HttpClientRequest.get(url)
      : HttpClientRequest.bodyUrlParams(
        HttpClientRequest.post(url),
        form.map(([name, value]) => [name, typeof value === "string" ? value : Redacted.value(value)] as const)
      )
  )
  const plain = HttpClientRequest.setHeaders(request, {
    // Sent because not every client decompresses.
    "accept-encoding": "identity",
    // GitHub rejects requests without `User-Agent`.
    "user-agent": "mcp-authorizer"
  })
  const placed = parent === undefined ? plain : HttpClientRequest.setHeader(plain, parentField, parent)
  return authorization === undefined
    ? placed
    : HttpClientRequest.setHeader(placed, "authorization", Redacted.value(authorization))
}

type Failed = (failure: Omit<ConstructorParameters<typeof ProviderRequestFailed>[0], "url">) => ProviderRequestFailed

const unreachable = (error: HttpClientError.HttpClientError) => ({
  kind: "Unreachable" as const,
  found: errorCode(error),
  way: wayOf(error)
})

/** The target of a redirect, in a form that may be logged. */
const redirectTarget = (location: string | undefined, from: URL): string | undefined =>
  location !== undefined && URL.canParse(location, from) ? `to ${loggedUrl(new URL(location, from))}` : undefined

const mediaType = /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}(?=\s*(?:;|$))/

/** Describes a body that is not JSON, for the log: as HTML, or by its media type. */
const foundInstead = (text: string, contentType: string | undefined): string | undefined => {
  if (text.trim() === "") return "an empty body"
  if (/^\s*<(?:!doctype|html)/i.test(text)) return "HTML"
  return mediaType.exec(contentType?.trim().toLowerCase() ?? "")?.[0]
}

const readText = (response: HttpClientResponse.HttpClientResponse, maxBytes: number, failed: Failed) =>
  response.stream.pipe(
    Stream.mapError((error) => failed(unreachable(error))),
    Stream.limitBytes(maxBytes, () => Stream.fail(failed({ kind: "TooLarge", found: `more than ${maxBytes} bytes` }))),
    Stream.mkUint8Array,
    Effect.flatMap((bytes) =>
      Effect.try({
        try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
        catch: () => failed({ kind: "NotUtf8" })
      })
    )
  )

/** Builds the failure for a response with a status other than 200. */
const readStatus = Effect.fnUntraced(function*(
  response: HttpClientResponse.HttpClientResponse,
  url: URL,
  failed: Failed
) {
  const { headers, status } = response
  if (status >= 300 && status < 400) {
    return failed({ kind: "Redirect", status, found: redirectTarget(headers["location"], url) })
  }
  const retryAfter = retryAfterOf(headers["retry-after"], yield* Clock.currentTimeMillis)
  if (status < 400 || status >= 500) return failed({ kind: "Status", status, retryAfter })
  const text = yield* readText(response, maxErrorBytes, failed).pipe(
    Effect.timeoutOrElse({ duration: errorBodyTimeout, orElse: () => Effect.succeed("") }),
    Effect.orElseSucceed(() => "")
  )
  const body = Result.getOrElse(parseJsonObject(text), (): JsonObject => ({}))
  return failed({ kind: "Status", status, retryAfter, rejection: readRejection(headers["www-authenticate"], body) })
})

const read = Effect.fnUntraced(function*(
  response: HttpClientResponse.HttpClientResponse,
  url: URL,
  failed: Failed
) {
  if (response.status !== 200) return yield* yield* readStatus(response, url, failed)
  const text = yield* readText(response, maxBodyBytes, failed)
  const contentType = response.headers["content-type"]
  const body = yield* Effect.fromResult(
    Result.mapError(
      parseJsonObject(text),
      (kind) => failed({ kind, found: kind === "NotJson" ? foundInstead(text, contentType) : undefined })
    )
  )
  const { headers } = response
  const difference = clockDifference(headers["date"], headers["age"], yield* Clock.currentTimeMillis)
  return { body, cacheControl: headers["cache-control"], headers, clockDifference: difference }
})
