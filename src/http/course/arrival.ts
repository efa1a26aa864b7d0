/** The first part of the course: from the arrival of a request to its admission. Pure. */
import * as Result from "effect/Result"
import { Admission } from "../../authorize/Admission.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { bearerToken } from "../../credential/parseAuthorization.ts"
import { NotFound } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import { allowsAnyone } from "../../rules/publicRules.ts"
import { authorize, credentialOf } from "../authorize.ts"
import { preflight } from "../cors.ts"
import type { Exchange } from "../Exchange.ts"
import { requireMethod } from "../methods.ts"
import { makeReceive } from "../receive.ts"
import { requesterOf } from "../requester.ts"
import type { FindRoute, Route } from "../route.ts"
import type { OwnResponses } from "./ownResponses.ts"
import type { Next } from "./steps.ts"

/**
 * The second part of the course, for a request that was admitted. A request without a token has no admission yet, if
 * rules may allow it to anyone.
 */
export type Admitted<A> = (exchange: Exchange, admission: Admission | undefined, route: Route) => Next<A>

/** The first part of the course. */
export type Arrive = <A>(exchange: Exchange, admitted: Admitted<A>) => Next<A>

/**
 * Builds the first part of the course.
 *
 * It checks, in this order: preflight; route, target, version and `Host`; then, for the protected path, origin,
 * credential, token, and scopes.
 *
 * @param routeOf returns the route of a request target
 * @param peek as `TokenVerifier.peek`
 */
export const makeArrival = (
  settings: GatewaySettings,
  responses: OwnResponses,
  routeOf: FindRoute,
  peek: ((token: string) => Identity | undefined) | undefined
): Arrive => {
  const { reject, respond } = responses
  const receive = makeReceive(settings, routeOf)
  const needsNoToken = settings.policy !== undefined && allowsAnyone(settings.policy)

  const authorized = <A>(
    exchange: Exchange,
    route: Route,
    identity: Identity,
    admitted: Admitted<A>
  ): Next<A> => {
    const admission = authorize(settings, exchange, identity)
    return Result.isFailure(admission)
      ? reject(exchange, admission.failure)
      : admitted(exchange, admission.success, route)
  }

  const protect = <A>(exchange: Exchange, route: Route, admitted: Admitted<A>): Next<A> => {
    const found = credentialOf(settings, exchange, route.query)
    if (Result.isFailure(found)) {
      return needsNoToken && found.failure._tag === "MissingCredential"
        ? admitted(exchange, undefined, route)
        : reject(exchange, found.failure)
    }
    const credential = found.success
    if (credential instanceof Admission) return admitted(exchange, credential, route)
    // A cached token is not parsed again: registering a `Redacted` value costs more than the rest of this function.
    const identity = peek?.(credential)
    if (identity !== undefined) return authorized(exchange, route, identity, admitted)
    return {
      _tag: "Verify",
      credential,
      token: () => bearerToken(credential),
      requester: () => requesterOf(settings.trustedProxies, exchange.request, exchange.trustedPeer),
      verified: (identity) => authorized(exchange, route, identity, admitted),
      rejected: (error) => reject(exchange, error)
    }
  }

  return (exchange, admitted) => {
    const { subrequest, request: { headers, method } } = exchange
    if (subrequest?.problem !== undefined) return reject(exchange, subrequest.problem)
    // A response to a preflight would be taken for permission to forward it, if a proxy asks for a decision.
    if (method === "OPTIONS" && subrequest === undefined) {
      return respond(exchange, preflight(headers["access-control-request-headers"]))
    }
    const received = receive(exchange)
    if (Result.isFailure(received)) return reject(exchange, received.failure)
    const route = received.success
    const { row } = route
    // The method is checked after the caller is admitted, so that callers without a token learn nothing about methods.
    if (row.access === "protected") return protect(exchange, route, admitted)
    // The gateway's own documents are not decisions: proxies must send requests for them to the gateway.
    if (subrequest !== undefined) return reject(exchange, new NotFound())
    const allowed = requireMethod(row.methods, method)
    return Result.isFailure(allowed) ? reject(exchange, allowed.failure) : row.step(exchange, responses, settings)
  }
}
