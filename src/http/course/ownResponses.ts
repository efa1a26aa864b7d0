import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { GatewayError } from "../../errors/GatewayError.ts"
import { callId } from "../../message/callId.ts"
import { decorate } from "../decorate.ts"
import {
  errorContext,
  errorResponse,
  internalFault,
  type OnError,
  shuttingDown,
  toolResultResponse
} from "../errorResponse.ts"
import type { Exchange } from "../Exchange.ts"
import type { Respond } from "./steps.ts"

/** The responses of the gateway itself; each is recorded in the exchange. */
export interface OwnResponses {
  readonly respond: (exchange: Exchange, response: HttpServerResponse) => Respond
  readonly reject: (exchange: Exchange, error: GatewayError) => Respond
  /** Like `reject`, but with a page for people. */
  readonly rejectPage: (
    exchange: Exchange,
    error: GatewayError,
    page: (status: number) => HttpServerResponse
  ) => Respond
  /**
   * Rejects a message. The response to a tool call without a token or scopes depends on the server's `MCP_STEP_UP`;
   * everything else is rejected by `reject`.
   */
  readonly rejectMessage: (exchange: Exchange, error: GatewayError, body: Uint8Array | undefined) => Respond
  readonly fault: (exchange: Exchange) => Respond
  /** The response to a request that is still open when the gateway stops. */
  readonly shuttingDown: (exchange: Exchange) => Respond
}

const protocolVersionField = "mcp-protocol-version"

/** Returns whether results in this revision have a `resultType`. Revisions are dates, so they compare as text. */
const isModern = (revision: string | undefined): boolean => revision !== undefined && revision >= "2026-07-28"

const callsOneTool = ({ operations }: Exchange): boolean =>
  operations?.length === 1 && operations[0]?.method === "tools/call"

/**
 * Builds the responses of the gateway itself, for errors and for everything else, with the fields that every response
 * has.
 *
 * @param onError changes the responses to errors
 */
export const makeOwnResponses = (settings: GatewaySettings, onError?: OnError): OwnResponses => {
  const respond = (exchange: Exchange, response: HttpServerResponse): Respond => {
    exchange.status = response.status
    return { _tag: "Respond", response: decorate(settings, exchange, response) }
  }
  const reject = (exchange: Exchange, error: GatewayError): Respond => {
    exchange.error = error
    return respond(exchange, errorResponse(error, errorContext(settings, exchange), onError))
  }
  return {
    respond,
    reject,
    rejectPage: (exchange, error, page) => {
      exchange.error = error
      return respond(exchange, page(errorResponse(error, errorContext(settings, exchange), onError).status))
    },
    rejectMessage: (exchange, error, body) => {
      const isStepUp = settings.stepUp === "tool_result" &&
        (error._tag === "TokenRequired" || error._tag === "InsufficientScope")
      const id = isStepUp && body !== undefined && callsOneTool(exchange) ? callId(body) : undefined
      if (!isStepUp || id === undefined) return reject(exchange, error)
      exchange.error = error
      const call = { id, hasResultType: isModern(exchange.request.headers[protocolVersionField]) }
      return respond(exchange, toolResultResponse(error, errorContext(settings, exchange), call, onError))
    },
    fault: (exchange) => respond(exchange, internalFault(errorContext(settings, exchange))),
    shuttingDown: (exchange) => respond(exchange, shuttingDown(errorContext(settings, exchange)))
  }
}
