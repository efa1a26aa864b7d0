/** Sends the requests of an examination over an `HttpClient`, within bounds. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { errorCode, wayOf } from "../../remote/failureCause.ts"
import { version } from "../../version.ts"
import { Exchanges } from "./Exchanges.ts"
import type { Chunk, NoReply, Reply, Responded, ToSend } from "./Reply.ts"

/** More than an examination with four authorization servers needs. Limits what a misbehaving server can cause. */
const maxRequests = 250

/** The maximum number of concurrent requests to one server. Low, because the server may limit their rate. */
const atATime = 4

const defaultMillis = 10_000

/** The size limit of a body. Documents of real servers have a few KiB, key sets up to 100. */
const maxBytes = 1_048_576

/** How many chunks of a body keep their times. */
const maxChunks = 2_000

/** How many fields of a response are kept, and how long a value may be. */
const maxFields = 100
const maxFieldLength = 16_384

export interface WireOptions {
  /** The URL of the MCP server. */
  readonly target: URL
  readonly token?: Redacted.Redacted<string> | undefined
}

/** The minimum length of a secret. Shorter texts may be words that pages contain anyway. */
const minSecretLength = 8

/** Replaces the token, and also its signature alone, in everything that a server sends. */
const makeHide = (token: Redacted.Redacted<string> | undefined): (text: string) => string => {
  if (token === undefined) return (text) => text
  const value = Redacted.value(token)
  const secrets = [value, encodeURIComponent(value), ...value.split(".")].filter((one) => one.length >= minSecretLength)
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, "(token)"), text)
}

const now = Effect.map(Clock.Clock, (clock) => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000)

interface Body {
  readonly text: string
  readonly end: Responded["end"]
  readonly chunks: ReadonlyArray<Chunk>
}

/** Reads a body until it ends, is long enough, or takes too long. */
const readBody = Effect.fnUntraced(function*(
  response: HttpClientResponse.HttpClientResponse,
  { bodyMillis = defaultMillis, enough }: ToSend,
  begun: number
): Effect.fn.Return<Body> {
  const decoder = new TextDecoder()
  const chunks: Array<Chunk> = []
  let text = ""
  let bytes = 0
  let end: Responded["end"] = "complete"
  const take = (chunk: Uint8Array, at: number): boolean => {
    if (chunks.length < maxChunks) chunks.push({ at: at - begun, bytes: chunk.length })
    text += decoder.decode(chunk.subarray(0, maxBytes - bytes), { stream: true })
    bytes += chunk.length
    if (bytes >= maxBytes) end = "cut"
    else if (enough?.(text) === true) end = "enough"
    return end === "complete"
  }
  yield* Stream.runForEachWhile(response.stream, (chunk) => Effect.map(now, (at) => take(chunk, at))).pipe(
    Effect.catch(() => Effect.sync(() => void (end = "broken"))),
    Effect.timeoutOrElse({ duration: bodyMillis, orElse: () => Effect.sync(() => void (end = "slow")) })
  )
  return { text, end, chunks }
})

const headersOf = (
  response: HttpClientResponse.HttpClientResponse,
  hide: (text: string) => string
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(response.headers).slice(0, maxFields).map(([name, value]) => [
      name,
      hide(String(value).slice(0, maxFieldLength))
    ])
  )

const toClientRequest = (request: ToSend, authorization: string | undefined) =>
  HttpClientRequest.make(request.method)(new URL(request.url)).pipe(
    HttpClientRequest.setHeaders({
      "user-agent": `mcp-authorizer-doctor/${version}`,
      accept: "application/json",
      // Not every client decompresses.
      "accept-encoding": "identity",
      ...request.headers,
      ...(authorization === undefined ? {} : { authorization })
    }),
    request.body === undefined
      ? (made) => made
      : HttpClientRequest.bodyText(request.body, request.headers?.["content-type"] ?? "application/json")
  )

const isRequestable = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { password, protocol, username } = new URL(url)
  return (protocol === "https:" || protocol === "http:") && username === "" && password === ""
}

export const layer = ({ target, token }: WireOptions): Layer.Layer<Exchanges, never, HttpClient.HttpClient> =>
  Layer.effect(
    Exchanges,
    Effect.gen(function*() {
      // Closing the scope closes the connection, even if its body was not read.
      const client = HttpClient.withScope(yield* HttpClient.HttpClient)
      const turns = yield* Semaphore.make(atATime)
      const hide = makeHide(token)
      let sent = 0

      const authorizationFor = ({ authorization, url, withToken }: ToSend): string | undefined => {
        // Tokens that were derived from the operator's are replaced as well.
        if (new URL(url).origin !== target.origin) return undefined
        return authorization ??
          (withToken === true && token !== undefined ? `Bearer ${Redacted.value(token)}` : undefined)
      }

      const exchange = Effect.fnUntraced(function*(request: ToSend): Effect.fn.Return<Reply> {
        const begun = yield* now
        const noReply = (kind: NoReply["kind"], error?: unknown) =>
          Effect.map(now, (at): Reply => ({
            _tag: "NoReply",
            request,
            kind,
            code: error === undefined ? undefined : errorCode(error),
            way: error === undefined ? undefined : wayOf(error),
            totalMillis: at - begun
          }))
        if (!isRequestable(request.url)) return yield* noReply("InvalidUrl")
        if (sent >= maxRequests) return yield* noReply("Spent")
        sent++
        const read = Effect.fnUntraced(function*(response: HttpClientResponse.HttpClientResponse) {
          const headMillis = (yield* now) - begun
          const receivedAt = yield* Clock.currentTimeMillis
          const body = yield* readBody(response, request, begun)
          const reply: Reply = {
            _tag: "Responded",
            request,
            status: response.status,
            headers: headersOf(response, hide),
            text: hide(body.text),
            end: body.end,
            chunks: body.chunks,
            receivedAt,
            headMillis,
            totalMillis: (yield* now) - begun
          }
          return reply
        })
        return yield* client.execute(toClientRequest(request, authorizationFor(request))).pipe(
          Effect.timeout(request.headMillis ?? defaultMillis),
          Effect.flatMap(read),
          Effect.catchTags({
            TimeoutError: () => noReply("Timeout"),
            HttpClientError: (error) => noReply("Unreachable", error)
          }),
          Effect.scoped
        )
      })

      return Exchanges.of({
        send: (request) =>
          turns.withPermits(1)(exchange(request)).pipe(
            Effect.provideService(HttpClient.TracerPropagationEnabled, false),
            // `fetch` follows redirects by default; other clients ignore this option.
            Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
          ),
        sent: Effect.sync(() => sent)
      })
    })
  )
