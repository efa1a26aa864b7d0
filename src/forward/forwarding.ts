import type * as Effect from "effect/Effect"
import { traced } from "../errors/spans.ts"
import type { UpstreamRequest, UpstreamResponse } from "./GatewayClient.ts"

/** Runs what sends a request to the MCP server in a span, up to the head of the response. */
export const forwarding = <E, R>(
  { method }: UpstreamRequest,
  sending: Effect.Effect<UpstreamResponse, E, R>
): Effect.Effect<UpstreamResponse, E, R> =>
  traced("mcp-authorizer.forward", () => ({ "http.request.method": method }), sending)
