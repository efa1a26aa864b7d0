import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { TestIssuer } from "../../issuer/TestIssuer.ts"
import { banner } from "../demo/banner.ts"
import { DemoMcpServer } from "../demo/DemoMcpServer.ts"
import { freePort } from "../freePort.ts"
import { layerLogging } from "../logging.ts"
import * as NodeGateway from "../NodeGateway.ts"
import { StartupFailed } from "../StartupFailed.ts"

const tokenLifeSeconds = 8 * 3600

/** The only user of the development identity provider. */
const user = { subject: "demo-user", claims: { email: "demo-user@example.com", name: "Demo User" } }

/** The gateway in front of the demo's MCP server, with the demo's identity provider. */
const gateway = (mcpUrl: string, port: number) =>
  Effect.gen(function*() {
    const issuer = yield* TestIssuer
    const upstream = yield* DemoMcpServer
    return NodeGateway.layer().pipe(
      Layer.provide(GatewayConfig.layer({
        server_url: upstream.url,
        port,
        public_url: new URL(mcpUrl).origin,
        providers: [{ type: "oidc", name: "development", issuer: issuer.issuer, audience: [mcpUrl] }]
      }))
    )
  }).pipe(Layer.unwrap)

const printBanner = (mcpUrl: string) =>
  Effect.gen(function*() {
    const { client, issuer, sign, tokenEndpoint } = yield* TestIssuer
    const token = yield* sign()
    yield* Console.log(banner({ mcpUrl, token, tokenLifeSeconds, issuer, tokenEndpoint, client }))
  })

const wantedPort = Config.withDefault(Config.Int("PORT"), 3000).pipe(
  Effect.filterOrFail((port) => port >= 0 && port <= 65_535),
  Effect.catch(() =>
    Effect.andThen(
      Console.error("PORT: is not a whole number from 0 to 65535. Write digits only."),
      Effect.fail(new StartupFailed())
    )
  )
)

/**
 * `mcp-authorizer demo`: a development identity provider, a small MCP server and the gateway in front, on loopback.
 *
 * Listens on `PORT` (default: 3000), or on a free port if that one is in use. Runs until the process is stopped.
 */
export const demo = Effect.gen(function*() {
  const port = yield* freePort(yield* wantedPort)
  const mcpUrl = `http://localhost:${port}/mcp`
  return yield* Layer.launch(
    Layer.effectDiscard(printBanner(mcpUrl)).pipe(
      Layer.provide(gateway(mcpUrl, port)),
      Layer.provide([
        DemoMcpServer.layer,
        TestIssuer.layer({ ...user, audience: mcpUrl, expiresIn: Duration.seconds(tokenLifeSeconds) })
      ]),
      Layer.provide(layerLogging({ logFormat: "pretty", logLevel: "info", logNames: "default" }))
    )
  )
})
