import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { carryOver } from "../config/carryOver.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { noteSettings, perConfiguration } from "../config/perConfiguration.ts"
import {
  type UpstreamInput,
  upstreamOnly,
  type UpstreamSettings,
  upstreamSettings
} from "../config/upstreamSettings.ts"
import type { UpstreamError } from "../errors/GatewayError.ts"
import {
  GatewayClient,
  type PendingCall,
  type ResponseReceiver,
  type UpstreamResponse
} from "../forward/GatewayClient.ts"
import { readUpstreamTls, type UpstreamTls } from "./outbound/upstreamTls.ts"
import { ResponseBody } from "./ResponseBody.ts"
import { makeDispatch } from "./UpstreamPool.ts"

type Resume = (effect: Effect.Effect<UpstreamResponse, UpstreamError>) => void

/** Converts the callbacks of a call to one response, whose body is a stream unless it is short. */
const receive = (resume: Resume): ResponseReceiver => {
  let body: ResponseBody | undefined
  return {
    whole: (head, bytes) =>
      resume(Effect.succeed({ ...head, body: bytes === undefined ? { _tag: "Empty" } : { _tag: "Bytes", bytes } })),
    begin: (head, flow) => {
      body = new ResponseBody(flow)
      resume(Effect.succeed({ ...head, body: { _tag: "Stream", stream: body.stream } }))
    },
    piece: (chunk) => body?.push(chunk),
    end: () => body?.end(),
    fail: (error) => body === undefined ? resume(Effect.fail(error)) : body.fail(error),
    fault: (defect) => body === undefined ? resume(Effect.die(defect)) : body.fault(defect)
  }
}

const fromSettings = Effect.fnUntraced(function*(settings: UpstreamSettings, tls: UpstreamTls | undefined) {
  const dispatch = yield* makeDispatch(settings, tls)
  return GatewayClient.of({
    dispatch,
    send: (request) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.suspend(() => {
          let call: PendingCall | undefined
          const cancel = Effect.sync(() => call?.cancel())
          const sent = Effect.callback<UpstreamResponse, UpstreamError>((resume) => {
            call = dispatch(request, receive(resume))
            return cancel
          })
          return Effect.tap(restore(sent), (response) =>
            // Until the head has arrived, an interruption cancels the call. Afterwards, only a response whose body is
            // still arriving has to be cancelled.
            response.body._tag === "Stream" ? Effect.addFinalizer(() => cancel) : Effect.void)
        })
      )
  })
})

/**
 * A client of one MCP server, with its own connections until its scope closes. It needs no `GatewayConfig`.
 *
 * Use it for a second MCP server, or to route requests. Settings have the names and defaults of the gateway's settings;
 * times are in seconds, or a `Duration`. Fails with `InvalidConfiguration`, with all problems at once.
 */
export const make = (
  input: UpstreamInput
): Effect.Effect<GatewayClient["Service"], InvalidConfiguration, Scope.Scope> =>
  Effect.flatMap(
    upstreamSettings(input),
    (settings) => Effect.flatMap(readUpstreamTls(settings), (tls) => fromSettings(settings, tls))
  )

/** `make` as a layer: the client of one MCP server, without a `GatewayConfig`. */
export const layerWith = (input: UpstreamInput): Layer.Layer<GatewayClient, InvalidConfiguration> =>
  Layer.effect(GatewayClient, make(input))

/**
 * `GatewayClient` on `undici`, with its own connections: a keep-alive pool for the one upstream origin or Unix socket.
 *
 * When the configuration changes, the next generation takes over the pool if nothing about the MCP server has changed.
 */
export const layer: Layer.Layer<GatewayClient, InvalidConfiguration, GatewayConfig> = perConfiguration(
  Layer.effect(
    GatewayClient,
    Effect.gen(function*() {
      const settings = upstreamOnly(yield* GatewayConfig)
      const tls = yield* readUpstreamTls(settings)
      const client = yield* carryOver(
        "upstream",
        [settings, tls?.digest],
        fromSettings(settings, tls)
      )
      return noteSettings(client, { gatewayUrl: settings.gatewayUrl })
    })
  )
)
