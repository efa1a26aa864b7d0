/** On whose behalf a request is worked on. Pure. */
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

/** An IPv6 client has as many addresses as it likes, within a network of 64 bits. */
const shareOf = (address: NetAddress.IpAddress): string =>
  NetAddress.isIpv6Address(address)
    ? NetAddress.ipv6ToSegments(address).slice(0, 4).map((segment) => segment.toString(16)).join(":")
    : NetAddress.formatIp(address)

/** The nearest address in `X-Forwarded-For` that is not one of the trusted proxies: farther ones may be made up. */
const forwardedAddress = (trusted: TrustedProxies, field: string): NetAddress.IpAddress | undefined => {
  const hops = field.split(",")
  // A long chain does not come from a client.
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

/** Where a request comes from: the address of the connection, or behind a trusted proxy the one that the proxy reports. */
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

/** The address of the client, as text, if it is known. */
export const clientAddress = (
  trusted: TrustedProxies,
  { request, trustedPeer }: Pick<Exchange, "request" | "trustedPeer">
): string | undefined => {
  const address = addressOf(trusted, request, trustedPeer)
  return address === undefined ? undefined : NetAddress.formatIp(address)
}

/**
 * The peer and its connection: the address that the connection comes from, or behind a trusted proxy the one that it
 * reports.
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

// Identities are shared between the requests of one token.
const names = new WeakMap<Identity, string>()

const nameOf = (identity: Identity): string => {
  const known = names.get(identity)
  if (known !== undefined) return known
  const name = JSON.stringify([identity.issuer, identity.subject, identity.clientId])
  names.set(identity, name)
  return name
}

/** The caller and its connection or, without a verified caller, the peer. */
export const ownerOf = (
  trusted: TrustedProxies,
  { request, trustedPeer }: Pick<Exchange, "request" | "trustedPeer">,
  identity: Identity | undefined
): Owner =>
  identity === undefined
    ? requesterOf(trusted, request, trustedPeer)
    : { group: nameOf(identity), member: portOf(request.source) }

/** The owner of a connection before its requests are read: its address. */
export const peerOf = (address: string | undefined): string => {
  const parsed = address === undefined ? undefined : parse(address)
  return parsed === undefined ? "" : shareOf(parsed)
}
