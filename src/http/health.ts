import * as Context from "effect/Context"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { ProviderReadiness } from "../verify/ProviderRegistry.ts"
import { jsonResponse } from "./jsonResponse.ts"

const uncached = { "cache-control": "no-store" }

/** `/healthz`: the process lives. */
export const health: HttpServerResponse.HttpServerResponse = jsonResponse(200, { status: "ok" }, uncached)

/** Whether the gateway is about to stop, so that load balancers are to send requests elsewhere. Hosts that stop set it. */
export const Stopping = Context.Reference<{ isStopping: boolean }>("mcp-authorizer/http/health/Stopping", {
  defaultValue: () => ({ isStopping: false })
})

/** Whether a server can verify tokens: at least one of its providers can, or no provider is needed. */
const isReady = (
  { authEnabled, providers }: GatewaySettings,
  found: ReadonlyArray<ProviderReadiness>
): boolean =>
  !authEnabled ||
  found.some(({ provider, ready }) => ready && providers.some(({ name }) => name === provider))

/**
 * The response to `/readyz`: 200 when at least one server can verify tokens and the gateway is not about to stop, else 503.
 *
 * A failing server is no reason to reject the callers of the others. Names the providers, whether each is ready, and
 * the state of its keys; of several servers also whether each is ready; nothing else about them.
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
