import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import { jsonResponse } from "./jsonResponse.ts"

const uncached = { "cache-control": "no-store" }

/** `/healthz`: the process lives. */
export const health: HttpServerResponse.HttpServerResponse = jsonResponse(200, { status: "ok" }, uncached)

/**
 * Builds the response to `/readyz`: 200 when at least one provider can verify tokens, or none is needed; else 503.
 *
 * Names the providers, whether each is ready, and the state of its keys; nothing else about them.
 */
export const makeReadiness = (authEnabled: boolean) =>
  Effect.map(ProviderRegistry, (registry) =>
    Effect.map(registry.readiness, (providers) => {
      const ready = !authEnabled || providers.some(({ ready }) => ready)
      return jsonResponse(ready ? 200 : 503, {
        status: ready ? "ready" : "unavailable",
        providers: providers.map(({ provider, ready, state }) => ({ name: provider, ready, state }))
      }, ready ? uncached : { ...uncached, "retry-after": "5" })
    }))
