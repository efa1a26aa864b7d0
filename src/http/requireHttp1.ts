import * as Result from "effect/Result"
import { InvalidRequest, type InvalidRequestReason } from "../errors/GatewayError.ts"
import type { Wire } from "./wire.ts"

const refuse = (reason: InvalidRequestReason, detail: string) => Result.fail(new InvalidRequest({ reason, detail }))

/**
 * Refuses what Node's parser lets pass although it is not HTTP/1.0 or HTTP/1.1: other versions in the request line, and
 * HTTP/1.1 without a `Host`, which is refused whether or not the host matters (RFC 9112, sections 2.3 and 3.2).
 */
export const requireHttp1 = ({ values, version }: Wire): Result.Result<void, InvalidRequest> => {
  if (version === undefined || version === "1.0") return Result.void
  if (version !== "1.1") return refuse("UnsupportedVersion", "neither HTTP/1.0 nor HTTP/1.1")
  return values("host").length === 0 ? refuse("MalformedHost", "HTTP/1.1 without Host") : Result.void
}
