import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { startGateway } from "../support/gateway.ts"
import { reservePort } from "../support/reservePort.ts"

/**
 * Starts a gateway in front of `upstream` that takes the issuer's access tokens for its own resource, and no others.
 *
 * Returns that resource: the URL of its MCP endpoint.
 */
export const protectResource = Effect.fnUntraced(function*(
  upstream: string,
  issuer: string,
  overrides: Partial<GatewaySettings> = {}
) {
  // The resource is the audience, so its URL must be known before the gateway listens.
  const port = yield* reservePort
  const publicUrl = `http://127.0.0.1:${port}`
  const resource = `${publicUrl}/mcp`
  const providers = [jwtProvider({ issuer, audience: resource }, { requireAccessTokenType: true })]
  yield* startGateway(settings(upstream, { port, publicUrl, providers, ...overrides }))
  return resource
})
