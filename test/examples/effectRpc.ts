/** An RPC server of Effect whose handlers know the caller of each call. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { CurrentIdentity, GatewayConfig, type GatewayConfigInput, layerVerifier } from "mcp-authorizer"
import { RpcAuthentication } from "mcp-authorizer/middleware/RpcAuthentication"

/** The calls, for the server and its clients. */
export const Notes = RpcGroup.make(
  Rpc.make("whoami", { success: Schema.String }),
  Rpc.make("count", { payload: { to: Schema.Finite }, success: Schema.String, stream: true })
).middleware(RpcAuthentication).add(Rpc.make("hello", { success: Schema.String }))

const Handlers = Notes.toLayer({
  hello: () => Effect.succeed("not protected"),
  whoami: () => Effect.map(CurrentIdentity, ({ subject }) => subject),
  count: ({ to }) =>
    Stream.unwrap(
      Effect.map(CurrentIdentity, ({ subject }) => Stream.map(Stream.range(1, to), (n) => `${n} for ${subject}`))
    )
})

/** The server, as a route at `/rpc`. */
export const makeRoutes = (settings: GatewayConfigInput, protocol: "http" | "websocket" = "http") =>
  RpcServer.layerHttp({ group: Notes, path: "/rpc", protocol }).pipe(
    Layer.provide(Handlers),
    Layer.provide(RpcAuthentication.layer),
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(layerVerifier),
    Layer.provide(GatewayConfig.layer(settings))
  )
