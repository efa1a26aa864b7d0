/**
 * Node's requests for a guard. Their bodies are read without being consumed, and handlers get them without the token.
 */
import type * as EffectHeaders from "effect/http/Headers"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import type { IncomingMessage } from "node:http"
import type { OAuthTokenInfo } from "../embed/oauthTokenInfo.ts"
import type { ClaimedIdentity } from "../identity/ClaimedIdentity.ts"
import type { Identity } from "../identity/Identity.ts"

/** A request that has passed a Node middleware. */
export interface AuthenticatedRequest<Claims = Identity["claims"]> {
  /**
   * The caller in the form of the official SDK, as its `requireBearerAuth` sets it. Its transports pass it to tools as
   * `authInfo`.
   */
  readonly auth: OAuthTokenInfo
  /** The caller. */
  readonly identity: ClaimedIdentity<Claims>
}

/** A request with the members that frameworks add. */
export interface NodeRequest extends IncomingMessage {
  /** The target before the framework removed the path of a router. */
  originalUrl?: string
  /** The body, if the framework has already parsed it. */
  body?: unknown
}

const encoder = new TextEncoder()

/** The bytes of a body that the framework has parsed. They are checked, because the handler gets the parsed body. */
const parsedBytes = (body: unknown): Uint8Array => {
  if (body instanceof Uint8Array) return body
  return encoder.encode(typeof body === "string" ? body : JSON.stringify(body) ?? "")
}

const lost = new Error("the body was read before the request came here, and is not in `request.body`")

/**
 * Reads a body and puts it back, so that later parsers and handlers find the request unchanged.
 *
 * Nothing is read before the guard needs it. The last bytes are put back before the stream reports its end, which
 * Node's streams permit.
 */
const borrowed = (request: IncomingMessage): ReadableStream<Uint8Array> => {
  const chunks: Array<Buffer> = []
  let release: (() => void) | undefined
  return new ReadableStream<Uint8Array>({
    pull: (controller) =>
      new Promise<void>((resolve) => {
        const settle = () => {
          release?.()
          resolve()
        }
        const take = () => {
          // Reading an empty stream that has ended would also end it for the next reader.
          const chunk: Buffer | null = request.readableLength === 0 ? null : request.read()
          if (chunk !== null) {
            chunks.push(chunk)
            controller.enqueue(new Uint8Array(chunk))
          }
          if (request.complete && request.readableLength === 0) {
            if (chunks.length > 0) request.unshift(Buffer.concat(chunks))
            controller.close()
            settle()
          } else if (chunk !== null) settle()
        }
        const fail = () => {
          controller.error(lost)
          settle()
        }
        release = () => {
          request.off("readable", take).off("error", fail).off("close", fail)
        }
        if (request.readableEnded || request.destroyed) {
          fail()
          return
        }
        request.on("readable", take).on("error", fail).on("close", fail)
        if (request.readableLength > 0 || request.complete) take()
      }),
    cancel: () => release?.()
  }, { highWaterMark: 0 })
}

const stored = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      if (bytes.length > 0) controller.enqueue(bytes)
      controller.close()
    }
  })

/** A body that no parser has read is read here. */
const isParsed = ({ body, readableEnded }: NodeRequest): boolean => readableEnded && body !== undefined

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

const bodyOf = (request: NodeRequest): ReadableStream<Uint8Array> | null => {
  if (isParsed(request)) return stored(parsedBytes(request.body))
  // HTTP/2 has bodies without a length.
  return hasBody(request) || ("stream" in request && !request.complete) ? borrowed(request) : null
}

/** The fields in the form of a Web request. Pseudo-fields of HTTP/2 are left out. */
const webHeaders = (request: NodeRequest): Headers => {
  const headers = new Headers()
  const { rawHeaders } = request
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ""
    if (!name.startsWith(":")) headers.append(name, rawHeaders[i + 1] ?? "")
  }
  const authority = request.headers[":authority"]
  if (typeof authority === "string" && !headers.has("host")) headers.set("host", authority)
  // The length of the received bytes does not apply to a parsed body.
  if (isParsed(request)) headers.delete("content-length")
  return headers
}

/** The request in the form that the guard reads. */
export const toServerRequest = (request: NodeRequest): HttpServerRequest.HttpServerRequest => {
  const source = {
    method: request.method ?? "GET",
    url: request.originalUrl ?? request.url ?? "/",
    headers: webHeaders(request),
    // The raw lines include repeated fields, which Node's `headers` leaves out.
    rawHeaders: request.rawHeaders.filter((_, index, all) => !all[index - index % 2]?.startsWith(":")),
    httpVersion: request.httpVersion,
    ...("stream" in request ? { stream: undefined } : {}),
    get body() {
      return bodyOf(request)
    }
  }
  // The parts of a Web request that the guard reads: its head, and its body as a stream.
  return HttpServerRequest.fromWeb(source as unknown as Request).modify({
    remoteAddress: Option.fromUndefinedOr(request.socket?.remoteAddress)
  })
}

/** The fields for the handler: without the token, and with the server's own session id. */
const giveFields = (request: NodeRequest, came: EffectHeaders.Headers, given: EffectHeaders.Headers): void => {
  const changed = Object.keys(came).filter((name) => given[name] !== came[name])
  if (changed.length === 0) return
  const headers = { ...request.headers }
  const lines: Array<string> = []
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? ""
    if (!changed.includes(name.toLowerCase())) lines.push(name, request.rawHeaders[i + 1] ?? "")
  }
  for (const name of changed) {
    const value = given[name]
    delete headers[name]
    if (value !== undefined) {
      headers[name] = value
      lines.push(name, value)
    }
  }
  request.rawHeaders = lines
  request.headers = headers
  // Cleared, so that Node derives them from the new lines.
  Reflect.set(request, "headersDistinct", undefined)
}

/**
 * Prepares the request for the handler: removes the fields that only the guard may see, and sets its caller in `auth`,
 * like the official SDK's `requireBearerAuth`, and in `identity`.
 */
export const giveRequest = (
  request: NodeRequest,
  came: EffectHeaders.Headers,
  given: EffectHeaders.Headers,
  caller: Partial<AuthenticatedRequest<unknown>>
): void => {
  giveFields(request, came, given)
  Object.assign(request, caller)
}
