/** Ways to add one defect to the gateway: to its inputs, or to its responses. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { GatewayConfig } from "../../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../../src/config/GatewaySettings.ts"
import type { InvalidConfiguration } from "../../../src/config/InvalidConfiguration.ts"
import { GatewayClient, type UpstreamRequest } from "../../../src/forward/GatewayClient.ts"
import { HttpApp } from "../../../src/http/HttpApp.ts"
import type { HttpAppNeeds } from "../../../src/testing/HttpAppTest.ts"
import { TokenVerifier } from "../../../src/verify/TokenVerifier.ts"

type Handle = HttpApp["Service"]["handle"]
type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** An app that the suite can run. */
export type App = Layer.Layer<HttpApp, InvalidConfiguration, HttpAppNeeds>

/** A defect, the requirements that it violates, and the gateway that has it. */
export type Defect = readonly [name: string, ids: ReadonlyArray<string>, app: App]

/** Does something before or instead of the gateway. */
export const around = (
  wrap: (handle: Handle, client: GatewayClient["Service"], settings: GatewaySettings) => Handle
): App =>
  Layer.effect(
    HttpApp,
    Effect.gen(function*() {
      const app = yield* HttpApp
      return HttpApp.of({ ...app, handle: wrap(app.handle, yield* GatewayClient, yield* GatewayConfig) })
    })
  ).pipe(Layer.provide(HttpApp.layer))

/** Changes the gateway's responses. */
export const changingResponse = (
  change: (response: Response, request: Request, settings: GatewaySettings) => Response
): App =>
  around((handle, _client, settings) =>
    Effect.flatMap(
      HttpServerRequest.HttpServerRequest,
      (request) => Effect.map(handle, (response) => change(response, request, settings))
    )
  )

/** Changes the requests that the gateway gets. */
export const receiving = (change: (request: Request) => Request): App =>
  around((handle) => Effect.updateService(handle, HttpServerRequest.HttpServerRequest, change))

/** Changes one field of the responses that have it. */
export const field = (name: string, change: (value: string, request: Request) => string): App =>
  changingResponse((response, request) => {
    const value = response.headers[name]
    return value === undefined ? response : HttpServerResponse.setHeader(response, name, change(value, request))
  })

/** Changes the JSON text of the gateway's own responses. */
export const json = (change: (text: string, request: Request) => string): App =>
  changingResponse((response, request) => {
    const { body, headers, status } = response
    return body._tag === "Uint8Array" && headers["x-content-type-options"] === "nosniff"
      ? HttpServerResponse.text(change(new TextDecoder().decode(body.body), request), { status, headers })
      : response
  })

/** The gateway with other settings than it was given. */
export const misconfigured = (wrong: Partial<GatewaySettings>): App =>
  HttpApp.layer.pipe(
    Layer.provide(Layer.effect(GatewayConfig, Effect.map(GatewayConfig, (settings) => ({ ...settings, ...wrong }))))
  )

type Verify = TokenVerifier["Service"]["verify"]

/** The current request. */
const current = Effect.map(
  Effect.serviceOption(HttpServerRequest.HttpServerRequest),
  (request) => Option.getOrThrow(request)
)

/** Misinterprets the verifier's result. */
export const verifying = (change: (verify: Verify, request: Request) => Verify): App =>
  HttpApp.layer.pipe(
    Layer.provide(Layer.effect(
      TokenVerifier,
      Effect.map(TokenVerifier, ({ verify }) => ({
        verify: (token) => Effect.flatMap(current, (request) => change(verify, request)(token))
      }))
    ))
  )

type Send = GatewayClient["Service"]["send"]

/** Sends upstream in a way of its own. */
export const sending = (change: (send: Send) => Send): App =>
  HttpApp.layer.pipe(
    Layer.provide(Layer.effect(GatewayClient, Effect.map(GatewayClient, ({ send }) => ({ send: change(send) }))))
  )

/** Sends another request upstream than it should; `text` is the client's own body. */
export const sendingOther = (
  change: (request: UpstreamRequest, client: Request, text: string) => Partial<UpstreamRequest>
): App =>
  sending((send) =>
    Effect.fnUntraced(function*(request) {
      const client = yield* current
      const text = client.method === "POST" ? yield* Effect.orDie(client.text) : ""
      return yield* send({ ...request, ...change(request, client, text) })
    })
  )
