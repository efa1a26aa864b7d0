/** Warnings about connections over plain http. Pure. */
import type { GatewaySettings, Provider } from "./GatewaySettings.ts"
import { isLoopbackHost } from "./kinds/loopback.ts"

const isPlain = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { hostname, protocol } = new URL(url)
  return protocol === "http:" && !isLoopbackHost(hostname)
}

const aboutProvider = ({ allowHttp, name }: Provider): ReadonlyArray<string> =>
  allowHttp === undefined ? [] : [
    `Provider ${JSON.stringify(name)}: MCP_ALLOW_HTTP permits to ask ${
      allowHttp.join(", ")
    } over http. Anyone who can respond ` +
    "in place of such a host can let any caller in, and anyone who can listen sees tokens and secrets. Use https wherever " +
    "the network is not yours alone."
  ]

/** Returns one warning for each provider that may be requested over http, and one for an http public URL. */
export const httpWarnings = ({ providers, publicUrl }: GatewaySettings): ReadonlyArray<string> => [
  ...providers.flatMap(aboutProvider),
  ...(publicUrl === undefined || !isPlain(publicUrl) ? [] : [
    "MCP_PUBLIC_URL is an http URL, so that clients send their tokens in clear text, and many clients do not do that. Put a proxy with " +
    "TLS in front of the gateway."
  ])
]
