import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { ProviderReadiness } from "../verify/ProviderRegistry.ts"
import { jsonResponse } from "./jsonResponse.ts"

const uncached = { "cache-control": "no-store" }

/** `/healthz`: the process lives. */
export const health: HttpServerResponse.HttpServerResponse = jsonResponse(200, { status: "ok" }, uncached)

/** Whether a server can verify tokens: at least one of its providers can, or none is needed. */
const isReady = (
  { authEnabled, providers }: GatewaySettings,
  found: ReadonlyArray<ProviderReadiness>
): boolean =>
  !authEnabled ||
  found.some(({ provider, ready }) => ready && providers.some(({ name }) => name === provider))

/**
 * The response to `/readyz`: 200 when at least one server can verify tokens, else 503.
 *
 * One server in trouble is no reason to turn away the callers of the others. Names the providers, whether each is ready, and the
 * state of its keys; of several servers also whether each is ready; nothing else about them.
 */
export const readinessResponse = (
  servers: ReadonlyArray<GatewaySettings>,
  providers: ReadonlyArray<ProviderReadiness>
): HttpServerResponse.HttpServerResponse => {
  const named = servers.map((server) => ({ name: server.serverName, ready: isReady(server, providers) }))
  const ready = named.some(({ ready }) => ready)
  return jsonResponse(ready ? 200 : 503, {
    status: ready ? "ready" : "unavailable",
    providers: providers.map(({ provider, ready, state }) => ({ name: provider, ready, state })),
    ...(named.every(({ name }) => name === "") ? {} : { servers: named })
  }, ready ? uncached : { ...uncached, "retry-after": "5" })
}
