import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type { Digest } from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as Result from "effect/Result"
import type * as Http from "node:http"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { perConfiguration } from "../../config/perConfiguration.ts"
import { ByteBudget } from "../../fairness/ByteBudget.ts"
import { makePrepare } from "../../forward/prepare.ts"
import { makeSessionSeal } from "../../forward/SessionSeal.ts"
import { makeAccessLog } from "../../http/accessLog.ts"
import { begin } from "../../http/Exchange.ts"
import { makeReceive } from "../../http/receive.ts"
import { makeRoute } from "../../http/route.ts"
import { TokenVerifier } from "../../verify/TokenVerifier.ts"
import { OpenSet } from "../OpenSet.ts"
import { UpstreamPool } from "../UpstreamPool.ts"
import { McpExchange } from "./McpExchange.ts"
import type { Means } from "./Means.ts"
import { NodeRequestHead } from "./NodeRequestHead.ts"

const make = Effect.gen(function*() {
  const settings = yield* GatewayConfig
  const context = yield* Effect.context<Digest>()
  const clock = yield* Clock.Clock
  const accessLog = yield* makeAccessLog
  const run = Effect.runForkWith(context)
  const logsAll = yield* LogLevel.isEnabled("Info")
  const receive = makeReceive(settings, makeRoute(settings.path, settings.publicUrl))
  const means: Means = {
    settings,
    clock,
    run,
    verifier: yield* TokenVerifier,
    pool: yield* UpstreamPool,
    prepare: makePrepare(settings, () => clock.currentTimeMillisUnsafe()),
    sessions: yield* makeSessionSeal(settings),
    log: (exchange, ended) => {
      if (logsAll || (exchange.status ?? 0) >= 500) run(accessLog(exchange, ended))
    },
    buffered: new ByteBudget(settings.maxBufferedBytes),
    open: new OpenSet()
  }

  /** The exchange of a request for the protected endpoint. A fault of ours is left to `HttpApp`, which has it too. */
  const arrive = (request: Http.IncomingMessage) => {
    try {
      if (request.method === "OPTIONS") return undefined
      const exchange = begin(settings, new NodeRequestHead(request), clock.currentTimeNanosUnsafe())
      const received = receive(exchange)
      return Result.isFailure(received) || received.success._tag !== "Mcp"
        ? undefined
        : { exchange, route: received.success }
    } catch {
      return undefined
    }
  }

  return McpEndpoint.of({
    answer: (request, response, awaitsContinue) => {
      const arrived = arrive(request)
      if (arrived === undefined) return false
      new McpExchange(means, { ...arrived, request, response, awaitsContinue }).start()
      return true
    },
    shutDown: Effect.sync(() => means.open.now().forEach((exchange) => exchange.shutDown()))
  })
})

/**
 * The protected endpoint on Node's own requests and responses.
 *
 * The way of a request is that of `HttpApp`, by the same rules, without fibers and streams where none are needed: this is
 * what every call of a tool goes through. What is not for the MCP server is left to `HttpApp`.
 */
export class McpEndpoint extends Context.Service<McpEndpoint, {
  /**
   * Answers a request for the protected endpoint; `false`: it is for someone else, and has not been touched.
   *
   * @param awaitsContinue the client sends its body when it is told to (RFC 9110, section 10.1.1)
   */
  readonly answer: (request: Http.IncomingMessage, response: Http.ServerResponse, awaitsContinue: boolean) => boolean
  /** Ends all exchanges that are not over: with an answer where there was none yet. */
  readonly shutDown: Effect.Effect<void>
}>()("mcp-authorizer/node/McpEndpoint") {
  static readonly layer = perConfiguration(
    Layer.effect(McpEndpoint, make).pipe(
      Layer.provide(NodeCrypto.layerMac),
      Layer.provide(NodeCrypto.layerSecureRandom)
    )
  )
}
