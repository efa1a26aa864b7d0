import { gatewaySocket } from "../config/kinds/gatewaySocket.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"
import { respelledPath } from "./redirect.ts"

/**
 * The path of `MCP_SERVER_URL`, as configured or, after a redirect of the MCP server, with the slash at its end added
 * or removed.
 *
 * Web frameworks serve one of the two spellings and redirect the other. Such a redirect is followed only for the
 * configured URL itself, and remembered; paths below it are never changed.
 */
export class ServerPath {
  readonly #origin: string
  readonly #configured: string
  #spelling: string

  constructor(gatewayUrl: string) {
    const { origin, pathname } = new URL(gatewayUrl)
    this.#origin = gatewaySocket(gatewayUrl) === undefined ? origin : "http://localhost"
    this.#configured = pathname
    this.#spelling = pathname
  }

  /**
   * Builds the target of an upstream request.
   *
   * @param rest the part of the path after the MCP path: empty, or beginning with a slash
   * @param query the query as received, without its `?`
   */
  target(rest: string, query: string): string {
    const base = this.#configured
    const path = rest === "" ? this.#spelling : (base.endsWith("/") ? base.slice(0, -1) : base) + rest
    return query === "" ? path : `${path}?${query}`
  }

  /**
   * Learns from a response which spelling the server serves, and returns whether it differs from the requested one.
   *
   * @param rest the part of the requested path after the MCP path
   * @param target the requested target
   */
  learns(rest: string, target: string, head: Pick<UpstreamResponse, "headers" | "status">): boolean {
    const path = rest === "" ? respelledPath(head, this.#origin, target) : undefined
    if (path === undefined) return false
    this.#spelling = path
    return true
  }
}
