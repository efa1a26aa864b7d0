/** What a request asks for, and under which URL its client knows the gateway. Pure. */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { publicUrl } from "../discovery/publicUrl.ts"
import type { InvalidRequest } from "../errors/GatewayError.ts"
import type { Exchange } from "./Exchange.ts"
import { requireHttp1 } from "./requireHttp1.ts"
import type { FindRoute, Route } from "./route.ts"

/**
 * Builds the function that says under which URL a request's client knows the gateway.
 *
 * It remembers its last answer: nearly all requests come to one host.
 */
const makeKnownAs = (settings: GatewaySettings) => {
  let last: { readonly asked: string; readonly answer: ReturnType<typeof publicUrl> } | undefined

  return ({ request, trustedPeer, wire }: Exchange) => {
    const authority = {
      host: wire.values("host"),
      forwardedHost: trustedPeer
        ? request.headers["x-forwarded-host"] ?? request.headers["x-original-host"]
        : undefined,
      forwardedProto: trustedPeer ? request.headers["x-forwarded-proto"] : undefined
    }
    const { forwardedHost = "", forwardedProto = "", host } = authority
    // No field holds a line break.
    const asked = `${forwardedHost}\n${forwardedProto}\n${host.join("\n")}`
    if (last?.asked !== asked) last = { asked, answer: publicUrl(settings.publicUrl, authority) }
    return last.answer
  }
}

/** Load balancers' probes are HTTP/1.0 at times, without a `Host`, and need none. */
const isProbe = (route: Route): boolean => route._tag === "Health" || route._tag === "Readiness"

/**
 * Builds the first judgement over a request: where it goes, and whether its target, version and `Host` are usable.
 *
 * What is found is written down in the exchange, the route even where the request is refused: errors differ by it.
 *
 * @param routeOf where a request target goes
 */
export const makeReceive = (settings: GatewaySettings, routeOf: FindRoute) => {
  const knownAs = makeKnownAs(settings)

  return (exchange: Exchange): Result.Result<Route, InvalidRequest> => {
    const found = routeOf(exchange.wire.target)
    if (Result.isFailure(found)) return found
    const route = found.success
    exchange.route = route
    const http1 = requireHttp1(exchange.wire)
    if (Result.isFailure(http1)) return Result.fail(http1.failure)
    if (isProbe(route)) return found
    const base = knownAs(exchange)
    if (Result.isFailure(base)) return Result.fail(base.failure)
    exchange.base = base.success
    return found
  }
}
