import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { GatewayError } from "../../errors/GatewayError.ts"
import { decorate } from "../decorate.ts"
import { errorContext, errorResponse, internalFault, type OnError, shuttingDown } from "../errorResponse.ts"
import type { Exchange } from "../Exchange.ts"
import type { Respond } from "./steps.ts"

/** The responses of the gateway's own; each is noted in the exchange. */
export interface OwnResponses {
  readonly respond: (exchange: Exchange, response: HttpServerResponse) => Respond
  readonly reject: (exchange: Exchange, error: GatewayError) => Respond
  /** To a fault of our own. */
  readonly fault: (exchange: Exchange) => Respond
  /** To a request that there is no time left for. */
  readonly shuttingDown: (exchange: Exchange) => Respond
}

/**
 * Builds the responses of the gateway's own: for errors, and with the fields that every response carries.
 *
 * @param onError changes the responses to errors
 */
export const makeOwnResponses = (settings: GatewaySettings, onError?: OnError): OwnResponses => {
  const respond = (exchange: Exchange, response: HttpServerResponse): Respond => {
    exchange.status = response.status
    return { _tag: "Respond", response: decorate(settings, exchange, response) }
  }
  return {
    respond,
    reject: (exchange, error) => {
      exchange.error = error
      return respond(exchange, errorResponse(error, errorContext(settings, exchange), onError))
    },
    fault: (exchange) => respond(exchange, internalFault(errorContext(settings, exchange))),
    shuttingDown: (exchange) => respond(exchange, shuttingDown(errorContext(settings, exchange)))
  }
}
