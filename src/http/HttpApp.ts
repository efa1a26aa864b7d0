/**
 * The gateway as one effect, from the arrival of a request to its response.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { AuditLog } from "../audit/AuditLog.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { perConfiguration, requireOwnServices } from "../config/perConfiguration.ts"
import { hasTokenParameter } from "../credential/tokenInQuery.ts"
import { carriesSignIn } from "../facade/parameters.ts"
import { WaitUntil } from "../fairness/WaitUntil.ts"
import { GatewayClient } from "../forward/GatewayClient.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { brokenOff, logFault } from "./accessLog.ts"
import { awaitMemory } from "./bodyMemory.ts"
import { makeCourse } from "./course/Course.ts"
import type { ReadBody, Sending } from "./course/steps.ts"
import { drive } from "./drive.ts"
import type { OnError } from "./errorResponse.ts"
import { forward } from "./forward.ts"
import { readBody } from "./readBody.ts"
import { inTrace, tracingOf } from "./RequestTrace.ts"
import type { ServedServer, ServerOf } from "./ServedServer.ts"

/** Handles requests by carrying out the steps of the course as effects. */
export const handleWith = (serverOf: ServerOf): HttpApp["Service"]["handle"] =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const { client, course: { begin, log, measure, memory, next, perform, responses } } = serverOf(request)
    const clock = yield* Clock.Clock
    const tracing = yield* Effect.withFiber((fiber) => Effect.succeed(tracingOf(fiber, clock)))
    const exchange = begin(request, clock.currentTimeNanosUnsafe(), tracing)
    const read = (step: ReadBody<Sending>) =>
      Effect.matchEffect(awaitMemory(memory, request.headers, step.owner), {
        onSuccess: () => readBody(request, step),
        onFailure: (error) => Effect.succeed(step.rejected(error))
      })
    // The finalizer runs after the body, not after the head, so that the duration includes the whole stream.
    yield* Effect.addFinalizer((exit) => {
      measure?.ended(exchange)
      return log(exchange, exchange.ended ?? brokenOff(exit))
    })
    return yield* inTrace(
      exchange,
      Effect.suspend(() => drive(perform, read, next(exchange))).pipe(
        Effect.flatMap((last) =>
          last._tag === "Respond"
            ? Effect.succeed(last.response)
            : forward(client, perform, exchange, last.value)
        ),
        Effect.catchDefect((defect) => Effect.as(logFault(exchange, defect), responses.fault(exchange).response)),
        // The server runs handlers uninterruptibly, but a client that disconnects before the head of the response
        // cancels the request.
        Effect.interruptible
      )
    )
  })

const severalServers = new Error(
  "the configuration has several servers, and an HttpApp.layer is for one of them: use layerServers"
)

const make = Effect.fnUntraced(function*(onError: OnError | undefined) {
  const settings = yield* GatewayConfig
  if (settings.servers.length > 0) return yield* Effect.die(severalServers)
  const server: ServedServer = {
    settings,
    providers: yield* ProviderRegistry,
    verifier: yield* TokenVerifier,
    client: yield* GatewayClient,
    course: yield* makeCourse(settings, onError)
  }
  const serverOf = () => server
  return HttpApp.of({ handle: handleWith(serverOf), serverOf, servers: [server] })
})

const requireOwn = Effect.gen(function*() {
  yield* requireOwnServices(yield* GatewayConfig, {
    TokenVerifier: yield* TokenVerifier,
    GatewayClient: yield* GatewayClient
  })
})

const webCrypto = Layer.mergeAll(
  Digest.layerWebCrypto,
  Layer.provideMerge(Mac.layerWebCrypto, SecureRandom.layerWebCrypto)
)

/**
 * Effect's own server span contains the whole URL, so it is disabled for queries in which a client may have written a
 * token, and for the codes of a sign-in.
 */
const untracedTokens = Layer.succeed(HttpMiddleware.TracerDisabledWhen)(({ url }) => {
  const mark = url.indexOf("?")
  const query = mark === -1 ? "" : url.slice(mark + 1)
  return hasTokenParameter(query) || carriesSignIn(query)
})

/** Options in addition to the services. */
export interface HttpAppOptions {
  /**
   * Changes the response to any error of the gateway's own (`GatewayError`). What it throws is a fault: 500.
   *
   * The log entry shows the error and the changed status.
   */
  readonly onError?: OnError | undefined
  /** Seals session ids and computes the digests of callers in the log. Default: Web Crypto. */
  readonly crypto?: Layer.Layer<Digest.Digest | Mac.Mac | SecureRandom.SecureRandom> | undefined
  /** Where audit entries go. Default: to the console, if `MCP_AUDIT_LOG` is set. */
  readonly audit?: Layer.Layer<never, InvalidConfiguration, GatewayConfig> | undefined
}

/** The chosen layers, or the defaults. */
export const consoleAndWebCrypto = (
  { audit = AuditLog.layerConsole, crypto = webCrypto }: Pick<HttpAppOptions, "audit" | "crypto">
) => Layer.mergeAll(crypto, Layer.provide(Aead.layerWebCrypto, crypto), audit)

/** A gateway as a function of the Web platform. */
export interface WebHandler {
  /**
   * Responds to a request.
   *
   * @param platform keeps work alive after the response, such as the `ExecutionContext` of Cloudflare Workers. With it,
   * keys and verdicts are renewed before they expire, even on hosts that end the I/O of a request with its response
   */
  readonly handler: (
    request: Request,
    platform?: { readonly waitUntil: (work: Promise<unknown>) => void }
  ) => Promise<Response>
  /** Closes the layers; every call returns the same promise. */
  readonly dispose: () => Promise<void>
}

/** The services that the gateway of one MCP server needs. */
export type HttpAppNeeds = GatewayClient | GatewayConfig | ProviderMetadata | ProviderRegistry | TokenVerifier

/**
 * The gateway as one effect from a request to its response.
 *
 * Serve it with `HttpServer.serve`, or as a Web handler with `HttpApp.toWebHandler`. The layers that it needs decide
 * everything that differs between deployments: settings, token verification, and the client of the MCP server.
 */
export class HttpApp extends Context.Service<HttpApp, {
  /**
   * Responds to the current request, and never fails. The scope must stay open until the body of the response has ended.
   */
  readonly handle: Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    never,
    HttpServerRequest.HttpServerRequest | Scope.Scope
  >
  /** Returns the server and the course of a request, for hosts with their own driver, such as Node. */
  readonly serverOf: ServerOf
  /** All servers that `serverOf` may return. */
  readonly servers: ReadonlyArray<ServedServer>
}>()("mcp-authorizer/http/HttpApp") {
  /**
   * The gateway for the provided settings, with your own responses to its errors.
   *
   * **Example** (tell people whom to ask for a scope)
   *
   * ```ts
   * import { HttpApp } from "mcp-authorizer"
   *
   * const App = HttpApp.layerWith({
   *   onError: (error, response) =>
   *     error._tag === "InsufficientScope"
   *       ? { ...response, body: { error: "insufficient_scope", ask: "security@example.com", scopes: error.required } }
   *       : response
   * })
   * ```
   */
  static readonly layerWith = (
    { audit, crypto, onError }: HttpAppOptions
  ): Layer.Layer<HttpApp, InvalidConfiguration, HttpAppNeeds> =>
    perConfiguration(
      Layer.effect(HttpApp, Effect.andThen(requireOwn, make(onError))).pipe(
        Layer.provide(consoleAndWebCrypto({ audit, crypto }))
      )
    )

  /** The gateway for the provided settings. */
  static readonly layer: Layer.Layer<HttpApp, InvalidConfiguration, HttpAppNeeds> = HttpApp.layerWith({})

  /**
   * Turns a gateway into a plain `(request: Request) => Promise<Response>`: for Workers, Deno, Bun, a Next.js route, or
   * a test without a socket.
   *
   * The layers are built at once. If that fails, for example with `InvalidConfiguration`, every request rejects with
   * the error.
   *
   * **Example**
   *
   * ```ts
   * import * as Layer from "effect/Layer"
   * import { GatewayConfig, HttpApp, layerGateway } from "mcp-authorizer"
   *
   * const { dispose, handler } = HttpApp.toWebHandler(layerGateway.pipe(
   *   Layer.provide(GatewayConfig.layer({
   *     server_url: "https://mcp.internal.example/mcp",
   *     jwt_issuer: "https://your-tenant.authkit.app"
   *   }))
   * ))
   * ```
   */
  static readonly toWebHandler = <E>(layer: Layer.Layer<HttpApp, E>): WebHandler => {
    const { dispose, handler } = HttpEffect.toWebHandlerLayerWith(Layer.merge(layer, untracedTokens), {
      toHandler: (context) => Effect.succeed(Context.get(context, HttpApp).handle)
    })
    return {
      dispose,
      handler: (request, platform) =>
        // Called as a method, because `waitUntil` of an `ExecutionContext` needs its `this`.
        handler(request, Context.make(WaitUntil, platform && ((work) => platform.waitUntil(work))))
    }
  }
}
