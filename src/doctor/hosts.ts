/** Hosts that can be reached only from this machine or this network. Pure. */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import { isLoopbackHost } from "../config/kinds/loopback.ts"

const networks = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::1/128",
  "fc00::/7",
  "fe80::/10"
].map(IpNetwork.fromStringUnsafe)

const privateName = /(?:^|\.)(?:localhost|local|internal|lan|intranet|home|corp|test|svc|home\.arpa)$/

/**
 * Returns whether a host (`URL.hostname`) cannot be reached from the internet: a private address, a name without a dot,
 * or one below a name for private use (RFC 6762, RFC 8375, RFC 6761).
 */
export const isPrivateHost = (hostname: string): boolean => {
  if (isLoopbackHost(hostname)) return true
  const ip = Result.getOrUndefined(NetAddress.ipFromString(hostname.replace(/^\[(.*)\]$/, "$1")))
  if (ip !== undefined) return networks.some((network) => IpNetwork.contains(network, ip))
  const name = hostname.replace(/\.$/, "").toLowerCase()
  return !name.includes(".") || privateName.test(name)
}
