import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { GatewayClient } from "../forward/GatewayClient.ts"
import type { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import type { TokenVerifier } from "../verify/TokenVerifier.ts"
import type { Course } from "./course/Course.ts"
import type { RequestHead } from "./requestHead.ts"

/** What the gateway serves one MCP server with: its settings, its course and its client. */
export interface ServedServer {
  readonly course: Course
  readonly client: GatewayClient["Service"]
  readonly settings: GatewaySettings
  readonly providers: ProviderRegistry["Service"]
  /** Verifies tokens; `undefined` for the app that serves requests for no MCP server. */
  readonly verifier: TokenVerifier["Service"] | undefined
}

/** Selects the server that a request is for, by its host and path. Everything else about the request is checked in its course. */
export type ServerOf = (request: RequestHead) => ServedServer
