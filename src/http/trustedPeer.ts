import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { TrustedProxies } from "../config/GatewaySettings.ts"
import type { RequestHead } from "./RequestHead.ts"

/**
 * Says whether the directly connected peer is a proxy whose forwarding fields are believed (`MCP_TRUSTED_PROXIES`).
 *
 * A peer without a known address (a Web `Request`, a Unix socket) is trusted only if all are.
 */
export const isTrustedPeer = (
  trusted: TrustedProxies,
  request: Pick<RequestHead, "peerAddress">
): boolean => {
  if (trusted._tag !== "Networks") return trusted._tag === "All"
  const address = Option.map(request.peerAddress, NetAddress.ipFromString)
  if (Option.isNone(address) || Result.isFailure(address.value)) return false
  // A dual-stack socket reports IPv4 peers as ::ffff:a.b.c.d.
  const peer = NetAddress.toCanonical(address.value.success)
  return trusted.networks.some((network) => IpNetwork.contains(network, peer))
}
