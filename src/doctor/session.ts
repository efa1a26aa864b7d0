/** The session that `initialize` begins. Pure. */
import { isJsonObject, own } from "../remote/JsonObject.ts"
import { resultOf } from "./readMessage.ts"
import type { KnownSession } from "./Step.ts"
import type { Responded } from "./wire/Reply.ts"

/** Reads the session from the response to `initialize`; `undefined` if it has no result. */
export const readSession = (reply: Responded): KnownSession | undefined => {
  const result = resultOf(reply)
  if (result === undefined) return undefined
  const version = own(result, "protocolVersion")
  const capabilities = own(result, "capabilities")
  return {
    id: reply.headers["mcp-session-id"],
    version: typeof version === "string" ? version : "",
    capabilities: isJsonObject(capabilities) ? capabilities : {}
  }
}
