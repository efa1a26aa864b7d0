/**
 * The MCP server of the demo: small, but real, and reachable from this machine only.
 *
 * It does not handle tokens: it takes its caller from the gateway's `x-auth-*` headers.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import type { IllegalArgumentError } from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"

// All three tools only read, as hosts that ask their user before a call can see.
const harmless = Context.empty().pipe(
  Context.add(Tool.Readonly, true),
  Context.add(Tool.Destructive, false),
  Context.add(Tool.Idempotent, true),
  Context.add(Tool.OpenWorld, false)
)

const Echo = Tool.make("echo", {
  description: "Returns the message",
  parameters: Schema.Struct({ message: Schema.String }),
  success: Schema.Struct({ message: Schema.String })
}).annotateMerge(harmless)

const Add = Tool.make("add", {
  description: "Adds two numbers",
  parameters: Schema.Struct({ a: Schema.Finite, b: Schema.Finite }),
  success: Schema.Struct({ sum: Schema.Finite })
}).annotateMerge(harmless)

const WhoAmI = Tool.make("whoami", {
  description: "Returns the caller that the gateway has verified",
  success: Schema.Record(Schema.String, Schema.String),
  dependencies: [HttpServerRequest]
}).annotateMerge(harmless)

const Tools = Toolkit.make(Echo, Add, WhoAmI)

const isIdentity = ([name]: readonly [string, string]): boolean => name.startsWith("x-auth-")

const Registrations = McpServer.toolkit(Tools).pipe(
  Layer.provide(Tools.toLayer({
    echo: ({ message }) => Effect.succeed({ message }),
    add: ({ a, b }) => Effect.succeed({ sum: a + b }),
    whoami: () =>
      Effect.map(HttpServerRequest, ({ headers }) => Object.fromEntries(Object.entries(headers).filter(isIdentity)))
  }))
)

// The gateway in front has already checked the origin; this endpoint would reject all of them.
const WithoutOrigin = HttpRouter.middleware((app) =>
  Effect.updateService(
    app,
    HttpServerRequest,
    (request) => request.modify({ headers: Headers.remove(request.headers, "origin") })
  )
).layer

const Endpoint = McpServer.layerHttp({
  name: "mcp-authorizer-demo",
  version: "1.0.0",
  instructions: "A demonstration server behind mcp-authorizer. Try whoami.",
  path: "/mcp",
  protocols: [McpProtocol.v2026_07_28, McpProtocol.v2025_11_25],
  registrations: Registrations
}).pipe(Layer.provide(WithoutOrigin))

const Listening = HttpRouter.serve(Endpoint, { disableListenLog: true, disableLogger: true }).pipe(
  Layer.provideMerge(
    NodeHttpServer.layerServer(() => createServer(), {
      host: "127.0.0.1",
      port: 0,
      gracefulShutdownTimeout: "1 second"
    })
  )
)

/**
 * The running demo server.
 *
 * Tools: `echo`, `add`, `whoami` (the `x-auth-*` headers of the call). Protocol revisions: 2026-07-28, without sessions,
 * and 2025-11-25, with them.
 */
export class DemoMcpServer extends Context.Service<DemoMcpServer, {
  /** The MCP endpoint, `http://127.0.0.1:<port>/mcp`: the value for `gatewayUrl`. */
  readonly url: string
}>()("mcp-authorizer/node/demo/DemoMcpServer") {
  /** Listens on a loopback port that the system chooses, for the lifetime of the layer. */
  static readonly layer: Layer.Layer<DemoMcpServer, ServeError | IllegalArgumentError> = Layer.effect(
    DemoMcpServer,
    HttpServer.addressFormattedWith((origin) => Effect.succeed(DemoMcpServer.of({ url: `${origin}/mcp` })))
  ).pipe(
    Layer.provide(Listening)
  )
}
