/** Asks the MCP server something harmless, the way the gateway forwards requests to it, and says what it found. */
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { GatewayClient, type UpstreamResponse } from "../../forward/GatewayClient.ts"
import { isRedirect, redirectTarget } from "../../forward/redirect.ts"
import { ServerPath } from "../../forward/ServerPath.ts"
import { hintOf } from "../../remote/failureCause.ts"
import { error, type Finding, note, ok, warning } from "./Finding.ts"

/** Begins nothing and changes nothing, with a session or without one. */
const ping = new TextEncoder().encode("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}")

const headers = {
  accept: "application/json, text/event-stream",
  "content-type": "application/json",
  "content-length": String(ping.length),
  "user-agent": "mcp-authorizer"
}

type Head = Pick<UpstreamResponse, "headers" | "status">

const judge = (head: Head, target: string, settings: GatewaySettings, path: ServerPath): Finding => {
  const { status } = head
  const { forwardAuthorization, gatewayUrl } = settings
  if (isRedirect(status)) {
    const to = redirectTarget(head)
    return path.learns("", target, head)
      ? note(`it redirects ${gatewayUrl} to ${to}, which the gateway follows. Set MCP_SERVER_URL to that.`)
      : error(
        `it redirects (${status}) to ${to}, which the gateway does not follow. Set MCP_SERVER_URL to where it answers.`
      )
  }
  if ((status === 401 || status === 403) && !forwardAuthorization) {
    return warning(
      `it answers ${status} to a request without a token and without a caller. Behind the gateway it gets x-auth-* fields, ` +
        "and never a token; if it asks for one, each request will be answered 502. Switch its own authentication off."
    )
  }
  if (status === 404 || status === 405 || status === 410) {
    return warning(
      `it answers ${status} to POST ${gatewayUrl}. Check the path: that of an MCP endpoint is mostly /mcp.`
    )
  }
  if (status >= 500) return warning(`it answers ${status}: the server, or a proxy in front of it, is in trouble`)
  return String(head.headers["content-type"]).startsWith("text/html")
    ? warning(`it answers with a page for people (${status}). Check MCP_SERVER_URL.`)
    : ok(`it answers (${status})`)
}

const withHint = (detail: string): string => {
  const code = /\(([A-Z][A-Z0-9_]+)\)$/.exec(detail)?.[1]
  const hint = code === undefined ? undefined : hintOf(code)
  return hint === undefined ? detail : `${detail}: ${hint}`
}

/** Asks the MCP server; never fails. Any answer in HTTP says that it can be reached. */
export const askServer = Effect.fnUntraced(
  function*(settings: GatewaySettings): Effect.fn.Return<ReadonlyArray<Finding>, never, GatewayClient> {
    const client = yield* GatewayClient
    const path = new ServerPath(settings.gatewayUrl)
    const target = path.target("", "")
    return yield* client.send({ method: "POST", target, headers, body: ping }).pipe(
      Effect.map((head) => [judge(head, target, settings, path)]),
      Effect.catchTags({
        UpstreamUnavailable: ({ detail }) =>
          Effect.succeed([error(`${withHint(detail)}. Start the MCP server, or correct MCP_SERVER_URL.`)]),
        UpstreamTimeout: ({ millis }) =>
          Effect.succeed([error(`it does not answer within ${millis / 1000} seconds (MCP_UPSTREAM_TIMEOUT)`)])
      }),
      Effect.scoped
    )
  }
)
