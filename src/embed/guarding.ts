/** Small parts of the guard: which paths it protects, and what it reads from requests. Pure. */
import * as Headers from "effect/http/Headers"
import * as Result from "effect/Result"
import type { Admission } from "../authorize/Admission.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { credentialOf } from "../http/authorize.ts"
import { missingCredential } from "../http/course/methodWithoutToken.ts"
import type { Exchange } from "../http/Exchange.ts"
import { type FindRoute, makeRoute, toMcp } from "../http/route.ts"
import type { ServerPlace } from "../http/routes.ts"
import type { Identity } from "../identity/Identity.ts"
import { frozen } from "./frozen.ts"

/**
 * Everything except the well-known paths is protected, because the host decides which paths it routes here. Well-known
 * paths without a document are unknown, not protected: a client that looks for a document must not get a challenge.
 */
export const makeGuardedRoute = (place: ServerPlace): FindRoute => {
  const routeOf = makeRoute(place)
  return (target) => {
    if (target.startsWith("/.well-known/")) return routeOf(target)
    const mark = target.indexOf("?")
    return toMcp("", mark === -1 ? "" : target.slice(mark + 1))
  }
}

/** Returns the caller, who must be identified. */
export const known = (admission: Admission | undefined): Result.Result<Identity, GatewayError> =>
  admission?.identity === undefined ? Result.fail(missingCredential()) : Result.succeed(frozen(admission.identity))

export const tokenOf = (settings: GatewaySettings, exchange: Exchange, query: string): string | undefined => {
  const found = credentialOf(settings, exchange, query)
  return Result.isSuccess(found) && typeof found.success === "string" ? found.success : undefined
}

/** Settings for a server whose tools require further scopes. */
export const withScopes = (settings: GatewaySettings, scopes: ReadonlyArray<string>): GatewaySettings =>
  scopes.length === 0
    ? settings
    : { ...settings, scopesSupported: [...new Set([...settings.scopesSupported, ...scopes])] }

/** Adds the length of a body: a Web request may have neither a length nor a transfer encoding. */
export const withLength = (headers: Headers.Headers): Headers.Headers =>
  headers["content-length"] === undefined ? Headers.set(headers, "transfer-encoding", "chunked") : headers
