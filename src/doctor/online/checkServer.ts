/** Checks the MCP server with a harmless request, which is sent like a forwarded one. */
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { GatewayClient, type UpstreamResponse } from "../../forward/GatewayClient.ts"
import { isRedirect, redirectTarget } from "../../forward/redirect.ts"
import { ServerPath } from "../../forward/ServerPath.ts"
import { hintOf } from "../../remote/failureCause.ts"
import { error, note, ok, type OnlineFinding, warning } from "./OnlineFinding.ts"

/** A message that starts and changes nothing, with or without a session. */
const ping = new TextEncoder().encode("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}")

const headers = {
  accept: "application/json, text/event-stream",
  "content-type": "application/json",
  "content-length": String(ping.length),
  "user-agent": "mcp-authorizer"
}

const urlSetting = ({ serverName }: GatewaySettings): string => serverName === "" ? "MCP_SERVER_URL" : "its url"

type Head = Pick<UpstreamResponse, "headers" | "status">

const check = (head: Head, target: string, settings: GatewaySettings, path: ServerPath): OnlineFinding => {
  const { status } = head
  const { forwardAuthorization, gatewayUrl } = settings
  const setting = urlSetting(settings)
  if (isRedirect(status)) {
    const to = redirectTarget(head)
    return path.learns("", target, head)
      ? note(`it redirects ${gatewayUrl} to ${to}, which the gateway follows. Set ${setting} to that URL.`)
      : error(
        `it redirects (${status}) to ${to}, which the gateway does not follow. Set ${setting} to the URL that responds.`
      )
  }
  if ((status === 401 || status === 403) && !forwardAuthorization) {
    return warning(
      `it responds with ${status} to a request without a token and without a caller. Behind the gateway it gets x-auth-* fields, ` +
        "and never a token; if it asks for one, each request will result in 502. Disable its own authentication."
    )
  }
  if (status === 404 || status === 405 || status === 410) {
    return warning(
      `it responds with ${status} to POST ${gatewayUrl}. Check the path: that of an MCP endpoint is usually /mcp.`
    )
  }
  if (status >= 500) return warning(`it responds with ${status}: the server, or a proxy in front of it, is failing`)
  return String(head.headers["content-type"]).startsWith("text/html")
    ? warning(`it responds with an HTML page (${status}). Check ${setting}.`)
    : ok(`it responds (${status})`)
}

const withHint = (detail: string): string => {
  const code = /\(([A-Z][A-Z0-9_]+)\)$/.exec(detail)?.[1]
  const hint = code === undefined ? undefined : hintOf(code)
  return hint === undefined ? detail : `${detail}: ${hint}`
}

/** Checks the MCP server. Never fails. Any HTTP response shows that the server is reachable. */
export const checkServer = Effect.fnUntraced(
  function*(settings: GatewaySettings): Effect.fn.Return<ReadonlyArray<OnlineFinding>, never, GatewayClient> {
    const client = yield* GatewayClient
    const path = new ServerPath(settings.gatewayUrl)
    const target = path.target("", "")
    return yield* client.send({ method: "POST", target, headers, body: ping }).pipe(
      Effect.map((head) => [check(head, target, settings, path)]),
      Effect.catchTags({
        UpstreamUnavailable: ({ detail }) =>
          Effect.succeed([error(`${withHint(detail)}. Start the MCP server, or correct ${urlSetting(settings)}.`)]),
        UpstreamTimeout: ({ millis }) =>
          Effect.succeed([error(`it does not respond within ${millis / 1000} seconds (MCP_UPSTREAM_TIMEOUT)`)])
      }),
      Effect.scoped
    )
  }
)
