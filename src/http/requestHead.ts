/** The head of a request, and the checks that need nothing else. */
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type { TrustedProxies } from "../config/GatewaySettings.ts"
import { InvalidRequest, type InvalidRequestReason } from "../errors/GatewayError.ts"

export type RequestHead = Pick<
  HttpServerRequest.HttpServerRequest,
  "headers" | "method" | "originalUrl" | "peerAddress" | "source" | "url"
>

/** The head of a request as received, before the platform merged repeated fields. */
export interface RawHead {
  /** The request target as received, normally in origin form. */
  readonly target: string
  /** The values of all field lines of one name (lower case). */
  readonly values: (name: string) => ReadonlyArray<string>
  /** The version of an HTTP/1 message; `undefined` for a Web `Request` and for HTTP/2. */
  readonly version: string | undefined
}

// Checking the first line is enough: a platform's array of lines contains only strings.
const isFieldLines = (lines: unknown): lines is ReadonlyArray<string> =>
  Array.isArray(lines) && (lines.length === 0 || Predicate.isString(lines[0]))

const authority = (url: string): string | undefined => URL.canParse(url) ? new URL(url).host : undefined

/**
 * Reads the head of a request as received.
 *
 * Node keeps only the first `Authorization` or `Host` in its headers, but its message object still has all lines. The
 * object is recognised by its properties, so that embedding the gateway needs no platform layer. A Web `Request` has
 * only joined values; those are returned, and a later check rejects them. A Web `Request` that a program has made has
 * no `Host`, but its URL names the host.
 */
export const rawHead = (request: RequestHead): RawHead => {
  const source = request.source
  const lines = "rawHeaders" in source && isFieldLines(source.rawHeaders) ? source.rawHeaders : undefined
  if (lines === undefined) {
    return {
      target: request.url,
      values: (name) => {
        const value = request.headers[name] ?? (name === "host" ? authority(request.originalUrl) : undefined)
        return value === undefined ? [] : [value]
      },
      version: undefined
    }
  }
  return {
    target: "url" in source && typeof source.url === "string" ? source.url : request.url,
    values: (name) => {
      const values: Array<string> = []
      for (let i = 0; i + 1 < lines.length; i += 2) {
        const line = lines[i] ?? ""
        // The length is compared first, for speed: this runs several times per request, over all of its fields.
        if (line.length === name.length && line.toLowerCase() === name) values.push(lines[i + 1] ?? "")
      }
      return values
    },
    version: "httpVersion" in source && !("stream" in source) && typeof source.httpVersion === "string"
      ? source.httpVersion
      : undefined
  }
}

const invalid = (reason: InvalidRequestReason, detail: string) => Result.fail(new InvalidRequest({ reason, detail }))

/**
 * Rejects requests that Node's parser accepts although they are neither HTTP/1.0 nor HTTP/1.1: other versions in the
 * request line, and HTTP/1.1 without a `Host`, even if the route needs no host (RFC 9112, sections 2.3 and 3.2).
 */
export const requireHttp1 = ({ values, version }: RawHead): Result.Result<void, InvalidRequest> => {
  if (version === undefined || version === "1.0") return Result.void
  if (version !== "1.1") return invalid("UnsupportedVersion", "neither HTTP/1.0 nor HTTP/1.1")
  return values("host").length === 0 ? invalid("MalformedHost", "HTTP/1.1 without Host") : Result.void
}

// Allows W3C trace contexts and UUIDs, and no character that could break a log line or a field.
const acceptableTraceId = /^[A-Za-z0-9._:+/=@-]{1,128}$/

/**
 * Returns the trace id of a request: the incoming one if it can be logged and forwarded, otherwise the id of the trace
 * that the request belongs to, otherwise a new random one.
 */
export const traceId = (incoming: string | undefined, ofTrace?: string): string =>
  incoming !== undefined && acceptableTraceId.test(incoming) ? incoming : ofTrace ?? crypto.randomUUID()

/**
 * Returns whether the directly connected peer is a proxy whose forwarding fields are trusted (`MCP_TRUSTED_PROXIES`).
 *
 * A peer without a known address (a Web `Request`, a Unix socket) is trusted only if all peers are.
 */
export const isTrustedPeer = (trusted: TrustedProxies, request: Pick<RequestHead, "peerAddress">): boolean => {
  if (trusted._tag !== "Networks") return trusted._tag === "All"
  const address = Option.map(request.peerAddress, NetAddress.ipFromString)
  if (Option.isNone(address) || Result.isFailure(address.value)) return false
  // A dual-stack socket reports IPv4 peers as ::ffff:a.b.c.d.
  const peer = NetAddress.toCanonical(address.value.success)
  return trusted.networks.some((network) => IpNetwork.contains(network, peer))
}
