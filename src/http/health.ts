import * as Context from "effect/Context"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { ProviderReadiness } from "../verify/ProviderRegistry.ts"
import { jsonResponse } from "./jsonResponse.ts"

const uncached = { "cache-control": "no-store" }

/** The response to `/healthz`: the process is running. */
export const health: HttpServerResponse.HttpServerResponse = jsonResponse(200, { status: "ok" }, uncached)

/**
 * Whether the gateway is about to stop, so that load balancers should send requests elsewhere. Set by hosts that stop.
 */
export const Stopping = Context.Reference<{ isStopping: boolean }>("mcp-authorizer/http/health/Stopping", {
  defaultValue: () => ({ isStopping: false })
})

/** Returns whether a server can verify tokens: at least one of its providers can, or it needs no provider. */
const isReady = (
  { authEnabled, providers }: GatewaySettings,
  found: ReadonlyArray<ProviderReadiness>
): boolean =>
  !authEnabled ||
  found.some(({ provider, ready }) => ready && providers.some(({ name }) => name === provider))

/**
 * The response to `/readyz`: 200 if at least one server can verify tokens and the gateway is not about to stop,
 * otherwise 503.
 *
 * One failing server does not make the gateway unready, because the others still work. The body names each provider,
 * whether it is ready and the state of its keys; if there are several servers, also whether each of them is ready.
 */
export const readinessResponse = (
  servers: ReadonlyArray<GatewaySettings>,
  providers: ReadonlyArray<ProviderReadiness>,
  { isStopping }: { readonly isStopping: boolean } = { isStopping: false }
): HttpServerResponse.HttpServerResponse => {
  const named = servers.map((server) => ({ name: server.serverName, ready: isReady(server, providers) }))
  const ready = !isStopping && named.some(({ ready }) => ready)
  return jsonResponse(ready ? 200 : 503, {
    status: ready ? "ready" : isStopping ? "stopping" : "unavailable",
    providers: providers.map(({ provider, ready, state }) => ({ name: provider, ready, state })),
    ...(named.every(({ name }) => name === "") ? {} : { servers: named })
  }, ready ? uncached : { ...uncached, "retry-after": "5" })
}
