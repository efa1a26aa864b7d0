import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { Agent, type Dispatcher, ProxyAgent } from "undici"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { perConfiguration } from "../../config/perConfiguration.ts"
import { typeOf } from "../../providers/types.ts"
import { ProxyFailed } from "../../remote/ProxyFailed.ts"
import { readAuthorities } from "./authorities.ts"
import { type Proxy, type ProxyFor, readProxies } from "./proxies.ts"

const straight: ProxyFor = () => undefined

// Settings of the machine, not of the gateway: they have no names in the config file.
const environmentProxies = Effect.suspend(() =>
  Effect.mapError(
    Effect.fromResult(readProxies(process.env)),
    (problems) => new InvalidConfiguration({ problems })
  )
)

/**
 * Reads how this process reaches providers: the authorities that it trusts, and the proxies.
 *
 * Fails with `InvalidConfiguration` for an unusable CA file or proxy. A proxy is not checked if no provider needs
 * requests.
 */
export const readOutbound = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const { caFile, providers } = settings
  const authorities = yield* readAuthorities(caFile)
  const sendsRequests = providers.some((provider) => typeOf(settings, provider).onlineChecks !== undefined)
  const proxyFor = sendsRequests ? yield* environmentProxies : straight
  return { authorities, proxyFor, sendsRequests }
})

/** How this process reaches providers. */
export type Outbound = Effect.Success<ReturnType<typeof readOutbound>>

const rejectedByProxy = /^Proxy (?:response|Authentication Required) \((\d{3})\)/

/** Converts an error of a request through a proxy: the proxy's own rejection, or that the proxy is unreachable. */
const throughProxy = ({ origin }: Proxy, cause: unknown): ProxyFailed => {
  const status = cause instanceof Error ? rejectedByProxy.exec(cause.message)?.[1] : undefined
  return status === undefined
    ? new ProxyFailed({ proxy: origin, cause })
    : new ProxyFailed({ proxy: origin, code: `PROXY_${status}` })
}

type Request = Dispatcher["request"]

const make = Effect.fnUntraced(function*({ authorities, proxyFor }: Outbound) {
  const trust = authorities === undefined ? {} : { secureContext: authorities.secureContext }
  const opened = new Map<string, Dispatcher>()
  yield* Effect.addFinalizer(() => Effect.promise(() => Promise.all([...opened.values()].map((one) => one.destroy()))))

  /** One dispatcher for each proxy, and one for direct requests. */
  const dispatcherFor = (proxy: Proxy | undefined): Dispatcher => {
    const name = proxy === undefined ? "" : `${proxy.origin} ${proxy.authorization ?? ""}`
    const known = opened.get(name)
    if (known !== undefined) return known
    const dispatcher = proxy === undefined ? new Agent({ connect: trust }) : new ProxyAgent({
      uri: proxy.origin,
      ...(proxy.authorization === undefined ? {} : { token: proxy.authorization }),
      requestTls: trust,
      proxyTls: trust,
      // Plain http goes to the proxy without a tunnel; many proxies permit tunnels to port 443 only.
      proxyTunnel: false
    })
    opened.set(name, dispatcher)
    return dispatcher
  }

  const request = async (options: Parameters<Request>[0]) => {
    const proxy = proxyFor(new URL(String(options.origin)))
    try {
      return await dispatcherFor(proxy).request(options)
    } catch (cause) {
      throw proxy === undefined ? cause : throughProxy(proxy, cause)
    }
  }
  // Everything that the client uses. Its type belongs to another version of undici, whose requests are the same.
  return NodeHttpClient.Dispatcher.of({ request } as unknown as NodeHttpClient.Dispatcher["Service"])
})

/** The `HttpClient` for requests to providers, by what `readOutbound` has read. */
export const layerWith = (outbound: Outbound): Layer.Layer<HttpClient.HttpClient> =>
  NodeHttpClient.layerUndiciNoDispatcher.pipe(
    Layer.provide(Layer.effect(NodeHttpClient.Dispatcher, make(outbound)))
  )

/**
 * The `HttpClient` for all requests to providers: through the proxy of the environment, with the authorities of
 * `MCP_CA_FILE` trusted in addition.
 *
 * Fails with `InvalidConfiguration` if the proxy or the file is unusable.
 */
export const layer: Layer.Layer<HttpClient.HttpClient, InvalidConfiguration, GatewayConfig> = perConfiguration(
  Layer.unwrap(Effect.map(Effect.flatMap(GatewayConfig, readOutbound), layerWith))
)

/**
 * An `HttpClient` for requests of a command to any server, without a configuration: through the proxy of the environment.
 *
 * Fails with `InvalidConfiguration` if the proxy is unusable.
 */
export const layerEnvironment: Layer.Layer<HttpClient.HttpClient, InvalidConfiguration> = Layer.unwrap(
  Effect.map(environmentProxies, (proxyFor) => layerWith({ authorities: undefined, proxyFor, sendsRequests: true }))
)
