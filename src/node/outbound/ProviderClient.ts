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

/**
 * How this process reaches providers: whom it trusts, and through which proxies.
 *
 * Fails with `InvalidConfiguration` for a CA file or a proxy that is of no use. A proxy is not looked at where no provider
 * has to be asked.
 */
export const readOutbound = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const { caFile, providers } = settings
  const secureContext = yield* readAuthorities(caFile)
  const asksOthers = providers.some((provider) => typeOf(settings, provider).asks !== undefined)
  const proxyFor = asksOthers
    // Not settings of ours, but of the machine: they have no names in the file.
    ? yield* Effect.mapError(
      Effect.fromResult(readProxies(process.env)),
      (problems) => new InvalidConfiguration({ problems })
    )
    : straight
  return { secureContext, proxyFor }
})

const refusedByProxy = /^Proxy (?:response|Authentication Required) \((\d{3})\)/

/** What happened on the way through a proxy, said so: its own refusal, or that it cannot be reached. */
const throughProxy = ({ origin }: Proxy, cause: unknown): ProxyFailed => {
  const status = cause instanceof Error ? refusedByProxy.exec(cause.message)?.[1] : undefined
  return status === undefined
    ? new ProxyFailed({ proxy: origin, cause })
    : new ProxyFailed({ proxy: origin, code: `PROXY_${status}` })
}

type Request = Dispatcher["request"]

const make = Effect.gen(function*() {
  const { proxyFor, secureContext } = yield* readOutbound(yield* GatewayConfig)
  const trust = secureContext === undefined ? {} : { secureContext }
  const opened = new Map<string, Dispatcher>()
  yield* Effect.addFinalizer(() => Effect.promise(() => Promise.all([...opened.values()].map((one) => one.destroy()))))

  /** One for each proxy, and one for all that is asked straight. */
  const dispatcherFor = (proxy: Proxy | undefined): Dispatcher => {
    const name = proxy === undefined ? "" : `${proxy.origin} ${proxy.authorization ?? ""}`
    const known = opened.get(name)
    if (known !== undefined) return known
    const dispatcher = proxy === undefined ? new Agent({ connect: trust }) : new ProxyAgent({
      uri: proxy.origin,
      ...(proxy.authorization === undefined ? {} : { token: proxy.authorization }),
      requestTls: trust,
      proxyTls: trust,
      // What is plain http anyway goes as it is; many proxies have tunnels for port 443 only.
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
  // All that the client asks for; its type is that of another version of undici, whose requests are the same.
  return NodeHttpClient.Dispatcher.of({ request } as unknown as NodeHttpClient.Dispatcher["Service"])
})

/**
 * The `HttpClient` for everything that asks providers: through the proxy that the environment names, trusting the
 * authorities of `MCP_CA_FILE` too.
 *
 * Fails with `InvalidConfiguration` where the proxy or the file is of no use.
 */
export const layer: Layer.Layer<HttpClient.HttpClient, InvalidConfiguration, GatewayConfig> = perConfiguration(
  NodeHttpClient.layerUndiciNoDispatcher.pipe(Layer.provide(Layer.effect(NodeHttpClient.Dispatcher, make)))
)
