/** Rejections of messages. Their details are for the log, and contain nothing that the client sent. */
import { InvalidRequest, type InvalidRequestReason } from "../errors/GatewayError.ts"
import type { JsonToken } from "./json/scanJson.ts"

export const reject = (reason: InvalidRequestReason, detail: string): InvalidRequest =>
  new InvalidRequest({ reason, detail })

/** The rejection of a member that parsers could read in two ways. */
export const repeated = (name: string): InvalidRequest =>
  reject("AmbiguousMessage", `${name} is repeated or in another case`)

/** The rejection of a token at a position where a message, or its end, is expected. */
export const rejectToken = (token: JsonToken): InvalidRequest => {
  switch (token) {
    case "TooDeep":
      return reject("MessageTooDeep", "objects and arrays are nested too deeply")
    case "Malformed":
      return reject("MalformedMessage", "not JSON in UTF-8")
    default:
      return reject("MalformedMessage", "neither a JSON object nor an array of objects")
  }
}
