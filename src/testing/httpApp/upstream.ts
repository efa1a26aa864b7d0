/** The behaviour of the MCP server. */
import * as Arbitrary from "effect/Arbitrary"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { UpstreamUnavailable } from "../../errors/GatewayError.ts"
import type { UpstreamRequest, UpstreamResponse } from "../../forward/GatewayClient.ts"
import { oneOf } from "../arbitrary.ts"

/** How a scripted MCP server responds to a request. The scope ends with the exchange. */
export type Respond = (request: UpstreamRequest) => Effect.Effect<UpstreamResponse, UpstreamUnavailable, Scope.Scope>

/** A response of the MCP server, or a failure. */
export type UpstreamBehaviour =
  | {
    readonly _tag: "Responds"
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    /** The body is sent in chunks instead of at once. */
    readonly streamed: boolean
  }
  | { readonly _tag: "Unavailable" }
  | { readonly _tag: "TimedOut" }
  /** The client has a defect. */
  | { readonly _tag: "Faulty" }
  /** Calls a function for each request. */
  | { readonly _tag: "Scripted"; readonly respond: Respond }

/** A field of every response of the MCP server, to distinguish them from the app's own. */
export const upstreamMark = "x-from-upstream"

export const respondWith = (
  status: number,
  body = "",
  headers: Readonly<Record<string, string>> = {},
  streamed = false
): UpstreamBehaviour => ({ _tag: "Responds", status, headers, body, streamed })

const json = { "content-type": "application/json" }

/** An ordinary response. */
export const ordinary: UpstreamBehaviour = respondWith(200, `{"jsonrpc":"2.0","id":1,"result":{}}`, json)

/** The MCP server redirects, or asks for credentials: responses that must not be relayed. */
export const misleading: Arbitrary.Arbitrary<UpstreamBehaviour> = Arbitrary.map(
  Arbitrary.all([
    oneOf([300, 301, 302, 303, 307, 308, 401, 403]),
    oneOf([
      "Bearer resource_metadata=\"https://evil.example/.well-known/oauth-protected-resource\"",
      "Basic realm=\"inner\"",
      "Bearer"
    ])
  ]),
  ([status, challenge]) =>
    respondWith(status, "", { location: "https://evil.example/login", "www-authenticate": challenge })
)

/** Any behaviour. */
export const anyUpstream: Arbitrary.Arbitrary<UpstreamBehaviour> = oneOf<UpstreamBehaviour>([
  ordinary,
  respondWith(200, "data: {}\n\n", { "content-type": "text/event-stream" }, true),
  respondWith(202),
  respondWith(401, "{}", { ...json, "www-authenticate": "Bearer realm=\"inner\"" }),
  respondWith(403, "{}", { ...json, "www-authenticate": "Bearer error=\"insufficient_scope\"" }),
  respondWith(404, "{}", json),
  respondWith(307, "", { location: "https://evil.example/login" }),
  respondWith(500, "inner fault", { "content-type": "text/plain" }),
  { _tag: "Unavailable" },
  { _tag: "TimedOut" },
  { _tag: "Faulty" }
])
