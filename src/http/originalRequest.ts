/**
 * Subrequests: requests by which a proxy asks for a decision about the original request, which it will forward itself.
 * Pure.
 *
 * nginx (`auth_request`), Caddy and Traefik (`forward_auth`, `ForwardAuth`) name the request in fields; Envoy
 * (`ext_authz`) appends its path to that of the decision point and sends its method.
 */
import * as Headers from "effect/http/Headers"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Result from "effect/Result"
import type { TrustedProxies } from "../config/GatewaySettings.ts"
import { AccessDenied, InvalidRequest } from "../errors/GatewayError.ts"
import { isTrustedPeer, type RawHead, rawHead, type RequestHead } from "./requestHead.ts"
import { requestTarget } from "./requestTarget.ts"

export const decisionPath = "/forward-auth"

/** The head of the original request, or why it cannot be determined. */
export type OriginalRequest = Result.Result<RequestHead, InvalidRequest | AccessDenied>

const notAccepted = (detail: string) => Result.fail(new InvalidRequest({ reason: "MalformedHeader", detail }))

// Fields in which proxies describe the original request, and fields that describe the subrequest's own body.
const subrequestFields: ReadonlySet<string> = new Set([
  "x-forwarded-uri",
  "x-forwarded-method",
  "x-original-uri",
  "x-original-url",
  "x-original-method",
  "content-length",
  "transfer-encoding",
  "expect"
])

/**
 * Returns the value of all given fields. They must agree, because a client may have sent the field that the proxy does
 * not set.
 */
const agreed = (what: string, values: ReadonlyArray<string>): Result.Result<string, InvalidRequest> => {
  const [first, ...others] = values
  if (first === undefined) {
    return notAccepted(
      `the proxy does not name the ${what} of the original request: see the configurations for each proxy`
    )
  }
  return others.every((other) => other === first)
    ? Result.succeed(first)
    : notAccepted(`the fields with the ${what} of the original request do not agree`)
}

/** The target of a URL, which begins with a slash, and its host. */
const readUrl = (url: string): { readonly target: string; readonly host: string } | undefined => {
  const { authority, origin } = requestTarget(url)
  return authority === undefined ? undefined : { target: origin, host: authority }
}

const methodForm = /^[A-Z]{1,32}$/

const originalLines = (lines: ReadonlyArray<string>, host: string | undefined): ReadonlyArray<string> => {
  const kept: Array<string> = []
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = lines[index] ?? ""
    const lower = name.toLowerCase()
    if (subrequestFields.has(lower) || (host !== undefined && lower === "host")) continue
    kept.push(name, lines[index + 1] ?? "")
  }
  return host === undefined ? kept : ["host", host, ...kept]
}

const build = (request: RequestHead, method: string, target: string, host: string | undefined): RequestHead => {
  const { headers, peerAddress, source } = request
  const kept = Object.entries(headers).filter(([name]) => !subrequestFields.has(name))
  const lines: unknown = "rawHeaders" in source ? source.rawHeaders : undefined
  return {
    // Any token is a method on the wire; the type lists the common ones.
    method: method as HttpMethod,
    url: target,
    originalUrl: target,
    headers: Headers.fromInput([...kept, ...(host === undefined ? [] : [["host", host] as const])]),
    peerAddress,
    source: Array.isArray(lines)
      ? {
        rawHeaders: originalLines(lines.map(String), host),
        url: target,
        httpVersion: "httpVersion" in source ? source.httpVersion : undefined
      }
      : {}
  }
}

const read = (request: RequestHead, raw: RawHead, suffix: string): OriginalRequest =>
  Result.gen(function*() {
    const urls: Array<{ readonly target: string; readonly host: string }> = []
    for (const url of raw.values("x-original-url")) {
      const known = readUrl(url)
      if (known === undefined) return yield* notAccepted("X-Original-URL is not a URL")
      urls.push(known)
    }
    const target = yield* agreed("path", [
      ...(suffix === "" ? [] : [suffix]),
      ...raw.values("x-forwarded-uri"),
      ...raw.values("x-original-uri"),
      ...urls.map((url) => url.target)
    ])
    const method = yield* agreed("method", [
      ...(suffix === "" ? [] : [request.method]),
      ...raw.values("x-forwarded-method"),
      ...raw.values("x-original-method")
    ])
    if (!target.startsWith("/") || !methodForm.test(method)) {
      return yield* notAccepted("the original request has an invalid path or method")
    }
    const hosts = [...urls.map(({ host }) => host), ...(urls.length === 0 ? [] : raw.values("x-forwarded-host"))]
    const host = hosts.length === 0 ? undefined : yield* agreed("host", hosts)
    return build(request, method, target, host)
  })

/**
 * Reads the original request of a subrequest; `undefined` if the request is not a subrequest.
 *
 * Only trusted proxies may send subrequests, because anyone else could name any original request. Fields with the same
 * meaning must agree, so that a field from a client cannot decide.
 *
 * Fails with `AccessDenied` for other peers, and with `InvalidRequest` if the original request is unclear.
 */
export const readOriginalRequest = (trusted: TrustedProxies, request: RequestHead): OriginalRequest | undefined => {
  const raw = rawHead(request)
  const { origin } = requestTarget(raw.target)
  if (!origin.startsWith(decisionPath)) return undefined
  const suffix = origin.slice(decisionPath.length)
  if (suffix !== "" && !/^[/?]/.test(suffix)) return undefined
  // A query right after the path belongs to the subrequest, not to the original request.
  if (isTrustedPeer(trusted, request)) return read(request, raw, suffix.startsWith("?") ? "" : suffix)
  return Result.fail(
    new AccessDenied({
      reason: "Peer",
      detail: "only a proxy in MCP_TRUSTED_PROXIES may ask for decisions"
    })
  )
}
