import type { Host } from "./Host.ts"
import { notePeer } from "./peerAddress.ts"

const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i

/**
 * Adapts the engine's request to a Web handler.
 *
 * Its `signal` cannot be read in this engine, and hosts that do not pass `Host` put the authority into the URL. The own
 * properties hide those of the class; a copy of the request would lose the length of its body.
 */
export const incomingRequest = ({ peerAddress }: Pick<Host, "peerAddress">, request: Request): Request => {
  const headers = new Headers(request.headers)
  const host = authority.exec(request.url)?.[1]
  if (!headers.has("host") && host !== undefined) headers.set("host", host)
  notePeer(request, peerAddress(headers))
  return Object.defineProperties(request, { headers: { value: headers }, signal: { value: undefined } })
}
