/** Which addresses are on the public internet. Pure. */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

const networks = (...texts: ReadonlyArray<string>): ReadonlyArray<IpNetwork.IpNetwork> =>
  texts.map((text) => IpNetwork.fromStringUnsafe(text))

/**
 * IPv4 networks for special purposes (IANA registry, RFC 6890), and cloud addresses that can be reached only from
 * machines of that cloud.
 */
const specialV4 = networks(
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4"
)

/** The range that contains all public IPv6 addresses (IANA IPv6 address space). */
const globalUnicast = IpNetwork.fromStringUnsafe("2000::/3")

/** Networks in that range that are not public. Some of them contain IPv4 addresses. */
const specialV6 = networks("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")

/** IPv4 addresses in the form that IPv6-only machines use (RFC 6052, section 2.1). */
const nat64 = IpNetwork.fromStringUnsafe("64:ff9b::/96")

const isIn = (list: ReadonlyArray<IpNetwork.IpNetwork>, address: NetAddress.IpAddress): boolean =>
  list.some((network) => IpNetwork.contains(network, address))

const lastFour = (address: NetAddress.Ipv6Address): NetAddress.Ipv4Address =>
  NetAddress.ipv4FromBytesUnsafe(Uint8Array.from(NetAddress.ipv6ToOctets(address)).slice(12))

const isPublic = (address: NetAddress.IpAddress): boolean => {
  if (NetAddress.isIpv4Address(address)) return !isIn(specialV4, address)
  const mapped = NetAddress.fromIpv4Mapped(address)
  if (Option.isSome(mapped)) return isPublic(mapped.value)
  if (IpNetwork.contains(nat64, address)) return isPublic(lastFour(address))
  return IpNetwork.contains(globalUnicast, address) && !isIn(specialV6, address)
}

/**
 * Returns whether an address belongs to the public internet: not to this machine, to a private or local network, to a
 * carrier's network, to the metadata service of a cloud, or to any other special purpose. Text that is not an address
 * does not.
 *
 * IPv4 addresses that are mapped into IPv6, or reached through NAT64, are checked as IPv4 addresses. Addresses in
 * Teredo and 6to4 are never public.
 */
export const isPublicAddress = (text: string): boolean => {
  const address = Result.getOrUndefined(NetAddress.ipFromString(text))
  return address !== undefined && isPublic(address)
}
