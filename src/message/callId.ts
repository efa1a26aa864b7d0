import { type KnownName, knownName, matchName } from "./json/memberName.ts"
import { requestId } from "./json/scalarValue.ts"
import { JsonScanner, maxMessageDepth } from "./json/scanJson.ts"

const idName: KnownName = knownName("id")

/**
 * Returns the id of the one request in a body, for the gateway's own response.
 *
 * `undefined` for a batch, for a notification, and for a number that this program cannot repeat exactly.
 */
export const callId = (body: Uint8Array): string | number | undefined => {
  const scanner = new JsonScanner(body, maxMessageDepth)
  if (scanner.next() !== "OpenObject") return undefined
  for (let token = scanner.next(); token !== "End"; token = scanner.next()) {
    if (token === "Malformed" || token === "TooDeep" || token === "More") return undefined
    if (token !== "Name" || scanner.depth !== 1 || matchName(body, scanner, idName) !== "Exact") continue
    const value = scanner.next()
    const { end, plain, start } = scanner
    const id = requestId(body, { token: value, start, end, plain })
    if (typeof id === "string") return id
    return typeof id === "number" && Number.isSafeInteger(id) ? id : undefined
  }
  return undefined
}
