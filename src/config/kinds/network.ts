/** Settings about peers, browsers and the address to listen on. */
import * as IpNetwork from "effect/net/IpNetwork"
import * as Result from "effect/Result"
import type { AllowedOrigins, TrustedProxies } from "../GatewaySettings.ts"
import { type Checked, invalid, type Kind, makeKind } from "./kind.ts"
import { listForms, string } from "./kinds.ts"

const parseNetwork = (text: string) =>
  IpNetwork.fromString(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`)

const parseProxies = (members: ReadonlyArray<string>): Checked<TrustedProxies> => {
  const word = members.length === 1 ? members[0]?.toLowerCase() : undefined
  if (word === "none") return Result.succeed({ _tag: "None" })
  if (word === "all" || word === "*") return Result.succeed({ _tag: "All" })
  const networks = Result.all(members.map(parseNetwork))
  return Result.isSuccess(networks)
    ? Result.succeed({ _tag: "Networks", networks: networks.success })
    : invalid(
      "contains something that is not an IP network",
      "Write none, all, or networks such as 10.0.0.0/8, with no bits set behind the prefix"
    )
}

/** `none`, `all`, or addresses and networks in CIDR notation. */
export const trustedProxies: Kind<TrustedProxies, string | ReadonlyArray<string>> = makeKind<
  TrustedProxies,
  string | ReadonlyArray<string>
>({
  ...listForms({ label: "`none`, `all`, or comma list", separator: /,/, parse: parseProxies }),
  show: (proxies) => proxies._tag === "Networks" ? proxies.networks.map(IpNetwork.format) : proxies._tag.toLowerCase()
})

const isOrigin = (text: string): boolean => {
  const url = Result.getOrUndefined(Result.try(() => new URL(text)))
  return url !== undefined && /^https?:$/.test(url.protocol) && url.origin === text && !text.includes("*")
}

const parseOrigins = (members: ReadonlyArray<string>): Checked<AllowedOrigins> => {
  if (members.length === 1 && members[0] === "*") return Result.succeed({ _tag: "Any" })
  return members.every(isOrigin)
    ? Result.succeed({ _tag: "List", origins: members })
    : invalid(
      "contains something that is not an origin as browsers send it",
      "Write https://app.example.com: lower case, no default port, no path, no slash at the end; or * alone"
    )
}

const showOrigins = (origins: AllowedOrigins): string | ReadonlyArray<string> => {
  switch (origins._tag) {
    case "Any":
      return "*"
    case "Loopback":
      return "(loopback origins)"
    case "List":
      return origins.origins
  }
}

/** `*`, or serialised origins (RFC 6454, section 6.2). */
export const allowedOrigins: Kind<AllowedOrigins, string | ReadonlyArray<string>> = makeKind<
  AllowedOrigins,
  string | ReadonlyArray<string>
>({
  ...listForms({ label: "`*`, or comma list", separator: /,/, parse: parseOrigins }),
  show: showOrigins
})

export const host: Kind<string, string> = string("host", (text) =>
  /^[A-Za-z0-9._:%-]+$/.test(text)
    ? Result.succeed(text)
    : invalid("is not a host name or address", "Write a name or an address without port and brackets"))

/** Returns whether a value of `HOST` makes the gateway reachable from this machine only. */
export const isLoopbackAddress = (host: string): boolean =>
  /^(?:localhost|127(?:\.[0-9]{1,3}){3}|::1)$/.test(host.toLowerCase())
