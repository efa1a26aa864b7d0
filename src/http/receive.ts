/** The route of a request, and the URL that its client uses for the gateway. Pure. */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { InvalidRequest } from "../errors/GatewayError.ts"
import type { Exchange } from "./Exchange.ts"
import { publicUrl, type RequestAuthority } from "./publicUrl.ts"
import { type RawHead, type RequestHead, requireHttp1 } from "./requestHead.ts"
import { isSameAuthority, requestTarget } from "./requestTarget.ts"
import type { FindRoute, Route } from "./route.ts"

/**
 * Returns the fields of a request that name its host.
 *
 * @param named the host in the request target, used if there is no `Host`
 */
export const authorityOf = (
  raw: RawHead,
  { headers }: Pick<RequestHead, "headers">,
  trustedPeer: boolean,
  named: string | undefined
): RequestAuthority => {
  const host = raw.values("host")
  return {
    host: named !== undefined && host.length === 0 ? [named] : host,
    forwardedHost: trustedPeer ? headers["x-forwarded-host"] ?? headers["x-original-host"] : undefined,
    forwardedProto: trustedPeer ? headers["x-forwarded-proto"] : undefined
  }
}

/**
 * Builds the function that returns the URL that the client of a request uses for the gateway.
 *
 * It remembers its last result: nearly all requests have the same host.
 */
const makePublicUrlOf = (settings: GatewaySettings) => {
  let last: { readonly fields: string; readonly url: ReturnType<typeof publicUrl> } | undefined

  return ({ raw, request, trustedPeer }: Exchange, named: string | undefined) => {
    const authority = authorityOf(raw, request, trustedPeer, named)
    const { forwardedHost = "", forwardedProto = "" } = authority
    // A line break cannot occur in a field value, so it is a safe separator.
    const fields = `${forwardedHost}\n${forwardedProto}\n${authority.host.join("\n")}`
    if (last?.fields !== fields) last = { fields, url: publicUrl(settings.publicUrl, authority) }
    return last.url
  }
}

/** Returns whether the host of a target in absolute form agrees with `Host`, if there is one. */
const agree = (authority: string, host: ReadonlyArray<string>): boolean =>
  host.every((value) => isSameAuthority(authority, value))

/**
 * Builds the first check of a request: its route, and whether its target, version and `Host` are usable.
 *
 * Of a target in absolute form (RFC 9112, section 3.2.2), the path and query are used; its host must equal `Host`. The
 * results are recorded in the exchange, the route even if the request is rejected, because error responses depend on
 * it.
 *
 * @param routeOf returns the route of a request target
 */
export const makeReceive = (settings: GatewaySettings, routeOf: FindRoute) => {
  const publicUrlOf = makePublicUrlOf(settings)

  return (exchange: Exchange): Result.Result<Route, InvalidRequest> => {
    const { authority, origin } = requestTarget(exchange.raw.target)
    const found = routeOf(origin)
    if (Result.isFailure(found)) return found
    const route = found.success
    exchange.route = route
    const http1 = requireHttp1(exchange.raw)
    if (Result.isFailure(http1)) return Result.fail(http1.failure)
    // Load balancers may send probes as HTTP/1.0 without a `Host`.
    if (!route.row.needsHost) return found
    if (authority !== undefined && !agree(authority, exchange.raw.values("host"))) {
      // RFC 9112 gives precedence to the target, but a proxy in front may have checked the `Host`.
      return Result.fail(
        new InvalidRequest({ reason: "MalformedHost", detail: "the target and Host name different hosts" })
      )
    }
    const base = publicUrlOf(exchange, authority)
    if (Result.isFailure(base)) return Result.fail(base.failure)
    exchange.base = base.success
    return found
  }
}
