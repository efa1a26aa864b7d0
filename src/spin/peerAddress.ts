import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"

/** `127.0.0.1:51234` or `[::1]:51234`, as Spin writes the address of a peer. */
const socketAddress = /^(?:\[([^\]]+)\]|([^:]+)):\d+$/

/**
 * Returns the address of the peer, which Spin reports in `spin-client-addr`; `undefined` without that field.
 *
 * Only the last value is Spin's: Spin appends it to values of the same name that a client has sent. For a request of
 * another component of the same application, the address is `0.0.0.0`.
 */
export const spinClientAddress = (headers: Headers): string | undefined => {
  const last = headers.get("spin-client-addr")?.split(",").at(-1)?.trim() ?? ""
  const found = socketAddress.exec(last)
  return found?.[1] ?? found?.[2]
}

const addresses = new WeakMap<object, string>()

/** Records the address of a request's peer. */
export const notePeer = (request: Request, address: string | undefined): void => {
  if (address !== undefined) addresses.set(request, address)
}

/** Adds the address of its peer to a request, if one was noted. */
export const withPeer = (request: HttpServerRequest.HttpServerRequest): HttpServerRequest.HttpServerRequest => {
  const address = addresses.get(request.source)
  return address === undefined ? request : request.modify({ remoteAddress: Option.some(address) })
}

/** Reads the head of a request, with the address of its peer. */
export const serverRequest = (request: Request): HttpServerRequest.HttpServerRequest =>
  withPeer(HttpServerRequest.fromWeb(request))
