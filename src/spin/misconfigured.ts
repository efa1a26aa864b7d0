import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { corsHeaders, preflight } from "../http/cors.ts"
import { internalFault } from "../http/errorResponse.ts"
import { traceId } from "../http/requestHead.ts"

// The default name of the trace header, because the configured one is unknown.
const traceHeader = "x-trace-id"

const fault = internalFault({ style: "oauth", resourceMetadata: undefined, requiredScopes: [] })

/**
 * The response of a gateway that cannot be built: 500 `server_error`, readable for browsers, to everything but
 * preflights.
 *
 * On Spin, there is no start at which an operator would see the failure.
 */
export const misconfigured: Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  HttpServerRequest.HttpServerRequest
> = Effect.map(HttpServerRequest.HttpServerRequest, ({ headers, method }) =>
  HttpServerResponse.setHeaders(
    method === "OPTIONS" ? preflight(headers["access-control-request-headers"]) : fault,
    {
      ...corsHeaders({ _tag: "Any" }, headers["origin"], traceHeader),
      [traceHeader]: traceId(headers[traceHeader])
    }
  ))
