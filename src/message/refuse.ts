/** Refusals of a message; their details are for the log and hold nothing that the client sent. */
import { InvalidRequest, type InvalidRequestReason } from "../errors/GatewayError.ts"
import type { JsonToken } from "./json/scanJson.ts"

export const refuse = (reason: InvalidRequestReason, detail: string): InvalidRequest =>
  new InvalidRequest({ reason, detail })

/** The refusal for a token that cannot stand where a message, or the end of one, must. */
export const refuseToken = (token: JsonToken): InvalidRequest => {
  switch (token) {
    case "TooDeep":
      return refuse("MessageTooDeep", "objects and arrays are nested too deeply")
    case "Malformed":
      return refuse("MalformedMessage", "not JSON in UTF-8")
    default:
      return refuse("MalformedMessage", "neither a JSON object nor an array of objects")
  }
}
