import * as Headers from "effect/http/Headers"
import { fieldName } from "../identity/untrustedFields.ts"

/**
 * The fields that a handler gets to see: not the token (MCP forbids to pass it on, and it has done its work), not the
 * `Origin`, which was judged, and none that looks as if the gateway had said who calls.
 */
export const handedOn = (headers: Headers.Headers, withAuthorization: boolean): Headers.Headers =>
  Headers.removeMany(
    headers,
    Object.keys(headers).filter((name) => {
      const { folded } = fieldName(name)
      return name === "origin" || folded.startsWith("x-auth-") || (folded === "authorization" && !withAuthorization)
    })
  )
