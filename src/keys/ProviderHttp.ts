import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type JsonObject, type JsonProblem, parseJsonObject } from "./JsonObject.ts"
import { providerUrl, type UrlProblem } from "./providerUrl.ts"

/** How long an exchange may take, from the first byte sent to the last byte received. */
const timeout = "5 seconds"

/** Counted after decompression. */
const maxBodyBytes = 1_048_576

/** What went wrong between the gateway and a provider. */
export type ProviderFailureKind =
  | UrlProblem
  | JsonProblem
  | "Unreachable"
  | "Timeout"
  | "Redirect"
  | "Status"
  | "TooLarge"
  | "NotUtf8"
  | "Overloaded"
  | "CircuitOpen"

/**
 * A provider gave no usable answer.
 *
 * For the log: it names the host and the kind of failure, never what was sent or received.
 */
export class ProviderRequestFailed extends Data.TaggedError("ProviderRequestFailed")<{
  readonly kind: ProviderFailureKind
  /** Empty when the URL itself is unusable. */
  readonly host: string
  /** The status of the answer, when there was one other than 200. */
  readonly status: number | undefined
}> {
  /** One line for a log. */
  get detail(): string {
    return `${this.host === "" ? "provider" : this.host}: ${this.kind}${
      this.status === undefined ? "" : ` ${this.status}`
    }`
  }
}

/** One question to a provider. */
export interface ProviderRequest {
  readonly url: string
  /** Host patterns that the URL must match; empty: any host. */
  readonly allowedDomains: ReadonlyArray<string>
  /** The value of the `Authorization` field. */
  readonly authorization?: Redacted.Redacted<string>
  /** Sent as `application/x-www-form-urlencoded` with POST; without it the request is a GET. */
  readonly form?: ReadonlyArray<readonly [name: string, value: Redacted.Redacted<string> | string]>
}

/** A complete answer with status 200. */
export interface ProviderAnswer {
  readonly body: JsonObject
  readonly cacheControl: string | undefined
}

/**
 * The one way to ask an identity provider.
 *
 * GET, or POST with a form; answers are JSON objects with status 200. Within 5 seconds all in all, at most 1 MiB after
 * decompression, over `https` (`http` only to this machine), to the allowed hosts; redirects are not followed and no
 * trace headers are sent.
 */
export class ProviderHttp extends Context.Service<ProviderHttp, {
  readonly send: (request: ProviderRequest) => Effect.Effect<ProviderAnswer, ProviderRequestFailed>
}>()("mcp-authorizer/keys/ProviderHttp") {
  static readonly make = Effect.gen(function*() {
    // Tied to the scope of one exchange, so that a connection whose body nobody wants is closed at once.
    const client = HttpClient.withScope(yield* HttpClient.HttpClient)
    return ProviderHttp.of({
      send: Effect.fnUntraced(function*(request) {
        const url = yield* Effect.fromResult(
          Result.mapError(
            providerUrl(request.url, request.allowedDomains),
            (kind) => new ProviderRequestFailed({ kind, host: "", status: undefined })
          )
        )
        const failed = (kind: ProviderFailureKind, status?: number) =>
          new ProviderRequestFailed({ kind, host: url.host, status })
        return yield* client.execute(toClientRequest(url, request)).pipe(
          Effect.mapError(() => failed("Unreachable")),
          Effect.flatMap((response) => read(response, failed)),
          Effect.scoped,
          Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(failed("Timeout")) }),
          Effect.provideService(HttpClient.TracerPropagationEnabled, false),
          // For `fetch`, which follows redirects unless told otherwise; other clients do not look at it.
          Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
        )
      })
    })
  })

  static readonly layer = Layer.effect(ProviderHttp, ProviderHttp.make)
}

const toClientRequest = (url: URL, { authorization, form }: ProviderRequest): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.acceptJson(
    form === undefined
      ? HttpClientRequest.get(url)
      : HttpClientRequest.bodyUrlParams(
        HttpClientRequest.post(url),
        form.map(([name, value]) => [name, typeof value === "string" ? value : Redacted.value(value)] as const)
      )
  )
  // Not every client decodes.
  const plain = HttpClientRequest.setHeader(request, "accept-encoding", "identity")
  return authorization === undefined
    ? plain
    : HttpClientRequest.setHeader(plain, "authorization", Redacted.value(authorization))
}

const read = Effect.fnUntraced(function*(
  response: HttpClientResponse.HttpClientResponse,
  failed: (kind: ProviderFailureKind, status?: number) => ProviderRequestFailed
) {
  const { status } = response
  if (status !== 200) return yield* failed(status >= 300 && status < 400 ? "Redirect" : "Status", status)
  const bytes = yield* response.stream.pipe(
    Stream.mapError(() => failed("Unreachable")),
    Stream.limitBytes(maxBodyBytes, () => Stream.fail(failed("TooLarge"))),
    Stream.mkUint8Array
  )
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => failed("NotUtf8")
  })
  const body = yield* Effect.fromResult(Result.mapError(parseJsonObject(text), (kind) => failed(kind)))
  return { body, cacheControl: response.headers["cache-control"] }
})
