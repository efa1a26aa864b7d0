/** The servers of the benchmark, each a process of its own on a port of this machine. */
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { closedPort } from "../node/support/ports.ts"
import { Bench } from "./Bench.ts"
import { type Cores, findFastmcp, placement, tools } from "./machine.ts"
import { startFastmcp } from "./peers/fastmcp.ts"
import { startHaproxy } from "./peers/haproxy.ts"
import { startNginx } from "./peers/nginx.ts"
import { startOauth2Proxy } from "./peers/oauth2Proxy.ts"
import { serve } from "./processes.ts"
import { audience } from "./tokens.ts"

const startPeer = Effect.fnUntraced(function*(name: string, args: ReadonlyArray<string>, cores: Cores) {
  const port = yield* closedPort
  const file = fileURLToPath(new URL(`peers/${name}.js`, import.meta.url))
  const env = { NODE_ENV: "production" }
  return yield* serve({ file: process.execPath, args: [file, String(port), ...args], cores, env }, port)
})

/** The MCP server that can do everything. */
export const nodeUpstream = startPeer("nodeUpstream", [], placement.upstream)

/** The MCP server that responds fastest. */
export const upstream = tools.nginx === undefined ? nodeUpstream : startNginx(tools.nginx)

export const bareProxy = (target: string) => startPeer("bareProxy", [target], placement.server)

export const emptyServer = startPeer("emptyServer", [], placement.server)

/** Accepts telemetry and discards it. */
export const collector = startPeer("emptyServer", [], placement.upstream)

export const expressProxy = Effect.fnUntraced(function*(target: string) {
  const { issuer, jwksUri } = yield* TestIssuer
  return yield* startPeer("expressProxy", [target, issuer, jwksUri, audience], placement.server)
})

/** `undefined` where it is not installed, as for those below. */
export const haproxy = (target: string) =>
  tools.haproxy === undefined ? Effect.undefined : startHaproxy(tools.haproxy, target)

export const oauth2Proxy = (target: string) =>
  tools.oauth2Proxy === undefined ? Effect.undefined : startOauth2Proxy(tools.oauth2Proxy, target)

export const fastmcp = () => {
  const found = findFastmcp()
  return found === undefined ? Effect.undefined : startFastmcp(found.python)
}

export interface GatewayOptions {
  readonly settings?: Readonly<Record<string, string>>
  readonly args?: ReadonlyArray<string>
  readonly cores?: Cores
}

/** The settings of a gateway before an MCP server, for tokens of the test issuer. */
export const gatewaySettings = Effect.fnUntraced(function*(port: number, target: string) {
  const { issuer, jwksUri } = yield* TestIssuer
  return {
    PORT: String(port),
    MCP_PUBLIC_URL: `http://127.0.0.1:${port}`,
    MCP_SERVER_URL: `${target}/mcp`,
    MCP_PROVIDER_TYPE: "oidc",
    MCP_JWT_ISSUER: issuer,
    MCP_JWT_JWKS_URI: jwksUri,
    MCP_JWT_AUDIENCE: audience
  }
})

/** The gateway with the settings of a production service, but for the log, which no peer writes either. */
export const gateway = Effect.fnUntraced(function*(target: string, options: GatewayOptions = {}) {
  const { gatewayFile, profileDirectory } = yield* Bench
  const port = yield* closedPort
  const profiling = profileDirectory === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profileDirectory]
  return yield* serve({
    file: process.execPath,
    args: [...profiling, gatewayFile, ...options.args ?? []],
    cores: "cores" in options ? options.cores : placement.server,
    env: {
      ...yield* gatewaySettings(port, target),
      MCP_REQUIRED_SCOPES: "mcp:read",
      MCP_LOG_LEVEL: "error",
      ...options.settings
    }
  }, port)
})
