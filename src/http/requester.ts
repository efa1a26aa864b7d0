/** On whose behalf the gateway does the work for a request. Pure. */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type { TrustedProxies } from "../config/GatewaySettings.ts"
import type { Owner } from "../fairness/FairQueue.ts"
import type { Requester } from "../fairness/Requester.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Exchange } from "./Exchange.ts"
import type { RequestHead } from "./requestHead.ts"

const parse = (text: string): NetAddress.IpAddress | undefined => {
  const address = NetAddress.ipFromString(text.trim())
  return Result.isSuccess(address) ? NetAddress.toCanonical(address.success) : undefined
}

/** An IPv6 client can use any address of its /64 network, so the network counts as one client. */
const shareOf = (address: NetAddress.IpAddress): string =>
  NetAddress.isIpv6Address(address)
    ? NetAddress.ipv6ToSegments(address).slice(0, 4).map((segment) => segment.toString(16)).join(":")
    : NetAddress.formatIp(address)

/** The last address in `X-Forwarded-For` that is not a trusted proxy. Addresses before it may be invented. */
const forwardedAddress = (trusted: TrustedProxies, field: string): NetAddress.IpAddress | undefined => {
  const hops = field.split(",")
  // Only the last 16 are read: clients are not behind that many proxies.
  for (const hop of hops.slice(-16).toReversed()) {
    const address = parse(hop)
    if (address === undefined) return undefined
    if (trusted._tag !== "Networks" || !trusted.networks.some((network) => IpNetwork.contains(network, address))) {
      return address
    }
  }
  return undefined
}

const portOf = (source: object): string =>
  Predicate.hasProperty(source, "socket") && Predicate.hasProperty(source.socket, "remotePort")
    ? String(source.socket.remotePort)
    : ""

/** The client's address: that of the connection, or behind a trusted proxy the one that the proxy reports. */
const addressOf = (
  trusted: TrustedProxies,
  { headers, peerAddress }: Pick<RequestHead, "headers" | "peerAddress">,
  trustedPeer: boolean
): NetAddress.IpAddress | undefined => {
  const peer = Option.getOrUndefined(peerAddress)
  const forwarded = trustedPeer ? headers["x-forwarded-for"] : undefined
  return (forwarded === undefined ? undefined : forwardedAddress(trusted, forwarded)) ??
    (peer === undefined ? undefined : parse(peer))
}

/** The address of the client as text, if it is known. */
export const clientAddress = (
  trusted: TrustedProxies,
  { request, trustedPeer }: Pick<Exchange, "request" | "trustedPeer">
): string | undefined => {
  const address = addressOf(trusted, request, trustedPeer)
  return address === undefined ? undefined : NetAddress.formatIp(address)
}

/**
 * The client's address and its connection. Behind a trusted proxy, the address is the one that the proxy reports.
 *
 * @param trustedPeer whether the peer is a proxy whose forwarding fields are trusted
 */
export const requesterOf = (
  trusted: TrustedProxies,
  request: Pick<RequestHead, "headers" | "peerAddress" | "source">,
  trustedPeer: boolean
): Requester => {
  const address = addressOf(trusted, request, trustedPeer)
  return { group: address === undefined ? "" : shareOf(address), member: portOf(request.source), isKnown: false }
}

// All requests with one token share one identity object.
const names = new WeakMap<Identity, string>()

const nameOf = (identity: Identity): string => {
  const known = names.get(identity)
  if (known !== undefined) return known
  const name = JSON.stringify([identity.issuer, identity.subject, identity.clientId])
  names.set(identity, name)
  return name
}

/** The owner of a request's work: the caller and its connection, or the peer if there is no verified caller. */
export const ownerOf = (
  trusted: TrustedProxies,
  { request, trustedPeer }: Pick<Exchange, "request" | "trustedPeer">,
  identity: Identity | undefined
): Owner =>
  identity === undefined
    ? requesterOf(trusted, request, trustedPeer)
    : { group: nameOf(identity), member: portOf(request.source) }

/** The owner of a connection from which no request has been read yet: its address. */
export const peerOf = (address: string | undefined): string => {
  const parsed = address === undefined ? undefined : parse(address)
  return parsed === undefined ? "" : shareOf(parsed)
}
