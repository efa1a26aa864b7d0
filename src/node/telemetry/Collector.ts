import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import { Agent, type Dispatcher, ProxyAgent } from "undici"
import { annotate } from "../../log/logFields.ts"
import { retryAfterOf } from "../../remote/retryAfter.ts"
import { errorCode } from "../errorCode.ts"
import type { ProxyFor } from "../outbound/proxies.ts"
import type { Export, Signal } from "./Telemetry.ts"

/** Attempts of one batch, and the pauses between them. */
const maxAttempts = 4
const shortestPauseMillis = 1_000
const longestPauseMillis = 30_000

/** How much of a response is read. Its content is not used. */
const maxResponseBytes = 16_384

/** Statuses after which a batch is sent again (OTLP/HTTP response, retryable codes). */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504])

type Outcome =
  | { readonly _tag: "Accepted" }
  | { readonly _tag: "Rejected"; readonly code: string }
  | { readonly _tag: "Failed"; readonly code: string; readonly retryAfterMillis: number | undefined }

/** Reports once that data cannot be exported, until all of it can be exported again. */
export interface Reports {
  readonly failed: (signal: Signal, collector: string, code: string) => Effect.Effect<void>
  readonly lost: () => void
  readonly accepted: (signal: Signal) => Effect.Effect<void>
}

/** Not every error of a client has a code. */
const codeOf = (error: unknown): string =>
  error instanceof Error && !("code" in error && typeof error.code === "string") ? error.name : errorCode(error)

export const makeReports = Effect.fnUntraced(function*() {
  const failing = new Set<Signal>()
  let lostBatches = 0
  // Those of the process. The exporters have other annotations, which are meaningless to an operator.
  const annotations = yield* References.CurrentLogAnnotations
  const log = (entry: Effect.Effect<void>) =>
    Effect.provideService(entry, References.CurrentLogAnnotations, annotations)
  const reports: Reports = {
    lost: () => {
      lostBatches += 1
    },
    failed: (signal, collector, code) =>
      Effect.suspend(() => {
        const isFirst = failing.size === 0
        failing.add(signal)
        return isFirst
          ? log(Effect.logWarning("Telemetry cannot be exported").pipe(annotate({ signal, collector, code })))
          : Effect.void
      }),
    accepted: (signal) =>
      Effect.suspend(() => {
        if (!failing.delete(signal) || failing.size > 0) return Effect.void
        const lost_batches = lostBatches
        lostBatches = 0
        return log(Effect.logInfo("Telemetry is exported again").pipe(annotate({ signal, lost_batches })))
      })
  }
  return reports
})

export interface CollectorOptions {
  readonly signal: Signal
  readonly target: Export
  /** Batches that may be under way. Further ones are dropped, so that a collector that hangs costs no memory. */
  readonly maxPending: number
  readonly reports: Reports
  readonly proxyFor: ProxyFor
}

/** Where data goes, without what could be a secret. */
export const shownUrl = (url: string): string => {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

const makeDispatcher = ({ proxyFor, target }: CollectorOptions): Dispatcher => {
  const [ca, cert, key] = [target.certificate, target.clientCertificate, target.clientKey].map((path) =>
    path === undefined ? undefined : readFileSync(path)
  )
  const connect = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key })
  }
  const proxy = proxyFor(new URL(target.url))
  return proxy === undefined ? new Agent({ connect }) : new ProxyAgent({
    uri: proxy.origin,
    ...(proxy.authorization === undefined ? {} : { token: proxy.authorization }),
    requestTls: connect,
    proxyTunnel: false
  })
}

const respond = (request: HttpClientRequest.HttpClientRequest, status: number) =>
  HttpClientResponse.fromWeb(request, new Response(null, { status }))

const bytesOf = (body: HttpBody.HttpBody): Uint8Array | null => body._tag === "Uint8Array" ? body.body : null

/**
 * Builds the HTTP client that exporters send their batches with.
 *
 * Regardless of the collector, it never fails for long, and never keeps more than a few batches: after a temporary
 * failure a batch is sent again, at most three times, and is then dropped. For the exporter a dropped batch is one that
 * was sent, because exporters of Effect keep silent for a minute after a failure. With `reportsLoss` they see the
 * failure, for metrics that count from the last successful export.
 */
export const makeCollector = Effect.fnUntraced(function*(
  options: CollectorOptions & { readonly reportsLoss: boolean }
): Effect.fn.Return<
  { readonly client: HttpClient.HttpClient; readonly close: () => void },
  never,
  Scope.Scope
> {
  const { maxPending, reports, reportsLoss, signal, target } = options
  const collector = shownUrl(target.url)
  const dispatcher = yield* Effect.acquireRelease(
    Effect.sync(() => makeDispatcher(options)),
    (dispatcher) => Effect.promise(() => dispatcher.destroy())
  )
  let pending = 0
  let isClosed = false

  const send = async (
    { body, headers, method }: HttpClientRequest.HttpClientRequest,
    url: URL,
    aborted: AbortSignal,
    now: number
  ): Promise<Outcome> => {
    const response = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      // The exporters send nothing else.
      method: method as Dispatcher.HttpMethod,
      headers,
      body: bytesOf(body),
      signal: aborted
    })
    const { headers: { "retry-after": after }, statusCode } = response
    await response.body.dump({ limit: maxResponseBytes, signal: aborted }).catch(() => undefined)
    if (statusCode >= 200 && statusCode < 300) return { _tag: "Accepted" }
    const code = `HTTP_${statusCode}`
    if (!retryable.has(statusCode)) return { _tag: "Rejected", code }
    const seconds = retryAfterOf(typeof after === "string" ? after : undefined, now)
    return { _tag: "Failed", code, retryAfterMillis: seconds === undefined ? undefined : seconds * 1_000 }
  }

  const attempt = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest, url: URL) {
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.tryPromise({
      try: (aborted) => send(request, url, aborted, now),
      catch: (error): Outcome => ({ _tag: "Failed", code: codeOf(error), retryAfterMillis: undefined })
    }).pipe(
      Effect.catch(Effect.succeed),
      Effect.timeoutOrElse({
        duration: target.timeoutMillis,
        orElse: () => Effect.succeed<Outcome>({ _tag: "Failed", code: "TIMEOUT", retryAfterMillis: undefined })
      })
    )
  })

  /** Sends a batch until it is accepted or given up. Returns whether it was accepted. */
  const deliver = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest, url: URL) {
    for (let attempts = 1;; attempts += 1) {
      const outcome = yield* attempt(request, url)
      if (outcome._tag === "Accepted") {
        yield* reports.accepted(signal)
        return true
      }
      yield* reports.failed(signal, collector, outcome.code)
      if (outcome._tag === "Rejected" || attempts === maxAttempts || isClosed) return false
      const pause = outcome.retryAfterMillis ?? shortestPauseMillis * 2 ** (attempts - 1)
      yield* Effect.sleep(Math.min(pause, longestPauseMillis))
    }
  })

  const give = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest, url: URL) {
    if (isClosed) return respond(request, 200)
    if (pending >= maxPending) {
      reports.lost()
      return respond(request, 200)
    }
    pending += 1
    const isAccepted = yield* Effect.ensuring(
      deliver(request, url),
      Effect.sync(() => {
        pending -= 1
      })
    )
    if (!isAccepted) reports.lost()
    // 400 is what exporters do not repeat by themselves.
    return respond(request, isAccepted || !reportsLoss ? 200 : 400)
  })

  return {
    client: HttpClient.make((request, url) => give(request, url)),
    close: () => {
      isClosed = true
    }
  }
})
