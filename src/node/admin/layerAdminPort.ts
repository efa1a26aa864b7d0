import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Http from "node:http"
import { makeAdminApp } from "../../admin/adminApp.ts"
import type { AdminSource } from "../../admin/AdminSource.ts"
import { ConfigurationState } from "../../admin/ConfigurationState.ts"
import type { ConfigurationStatus } from "../../admin/page/Status.ts"
import { StatusBoard } from "../../admin/StatusBoard.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { perConfiguration } from "../../config/perConfiguration.ts"
import { annotate } from "../../log/logFields.ts"
import { errorCode } from "../errorCode.ts"
import { Reloader } from "../reload/Reloader.ts"

// Only a few people and collectors read the admin port. More connections are an attack or a mistake.
const maxConnections = 128

// Space for the other fields of a request, in addition to its token.
const otherFieldBytes = 16 * 1024

// Open responses of the admin port do not delay the end of the process.
const drainMillis = 1_000

const makeServer = ({ maxTokenBytes }: GatewaySettings): Http.Server => {
  const server = Http.createServer({
    maxHeaderSize: maxTokenBytes + otherFieldBytes,
    headersTimeout: 10_000,
    requestTimeout: 30_000
  })
  server.maxConnections = maxConnections
  return server
}

const unusable = (settings: GatewaySettings, cause: unknown) =>
  new InvalidConfiguration({
    problems: [{
      setting: "MCP_ADMIN_PORT",
      source: undefined,
      problem: `cannot be listened on: ${settings.adminHost}:${settings.adminPort} (${errorCode(cause)})`,
      fix: "Choose a free port, and an address of this machine as MCP_ADMIN_HOST"
    }]
  })

const announceAdmin = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  yield* Effect.logInfo("admin port").pipe(annotate({ admin: NetAddress.formatUrlUnsafe(address) }))
})

const stateOf = (reloader: Reloader["Service"] | undefined): Effect.Effect<ConfigurationStatus | undefined> =>
  reloader === undefined ? Effect.undefined : Effect.map(reloader.status, ({ generation, last, since }) => ({
    generation,
    since,
    failed: last?.outcome === "rejected" ? { at: last.at, problems: last.problems } : undefined
  }))

/**
 * Listens on the admin port, if the settings have one.
 *
 * Needs the `AdminSource` of this process, or of all workers. Fails with `InvalidConfiguration` if it cannot listen.
 */
export const layerAdminPort: Layer.Layer<never, InvalidConfiguration, AdminSource | GatewayConfig> = perConfiguration(
  Effect.gen(function*() {
    const settings = yield* GatewayConfig
    // Read for each request, because a reload may change who may read the admin port.
    const reloader = Option.getOrUndefined(yield* Effect.serviceOption(Reloader))
    const current = () => reloader?.current().settings ?? settings
    const { adminHost, adminPort } = settings
    if (adminPort === undefined) return Layer.empty
    return Layer.mergeAll(HttpServer.serve(makeAdminApp(current)), Layer.effectDiscard(announceAdmin)).pipe(
      Layer.provide(StatusBoard.layer.pipe(Layer.provide(Layer.succeed(ConfigurationState, stateOf(reloader))))),
      Layer.provide(NodeHttpServer.layerServer(() => makeServer(settings), {
        host: adminHost,
        port: adminPort,
        gracefulShutdownTimeout: drainMillis
      })),
      Layer.catchTag("ServeError", ({ cause }) => Layer.effectDiscard(Effect.fail(unusable(settings, cause))))
    )
  }).pipe(Layer.unwrap)
)
