/** What the MCP server behind does. */
import * as Arbitrary from "effect/Arbitrary"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { UpstreamUnavailable } from "../../errors/GatewayError.ts"
import type { UpstreamRequest, UpstreamResponse } from "../../forward/GatewayClient.ts"
import { oneOf } from "../arbitrary.ts"

/** How a scripted MCP server responds to a request; the scope ends with the exchange. */
export type Respond = (request: UpstreamRequest) => Effect.Effect<UpstreamResponse, UpstreamUnavailable, Scope.Scope>

/** An answer of the MCP server, or none. */
export type UpstreamBehaviour =
  | {
    readonly _tag: "Answers"
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    /** The body comes in pieces instead of whole. */
    readonly streamed: boolean
  }
  | { readonly _tag: "Unavailable" }
  | { readonly _tag: "TimedOut" }
  /** The client has a fault. */
  | { readonly _tag: "Faulty" }
  /** Whatever this says, for each request. */
  | { readonly _tag: "Scripted"; readonly respond: Respond }

/** Is on every answer of the MCP server, so that they can be told from the app's own. */
export const upstreamMark = "x-answered-by-upstream"

export const answers = (
  status: number,
  body = "",
  headers: Readonly<Record<string, string>> = {},
  streamed = false
): UpstreamBehaviour => ({ _tag: "Answers", status, headers, body, streamed })

const json = { "content-type": "application/json" }

/** An ordinary answer. */
export const ordinary: UpstreamBehaviour = answers(200, `{"jsonrpc":"2.0","id":1,"result":{}}`, json)

/** The MCP server redirects, or asks for credentials of its own: nothing that may be handed on. */
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
    answers(status, "", { location: "https://evil.example/login", "www-authenticate": challenge })
)

/** Any behaviour. */
export const anyUpstream: Arbitrary.Arbitrary<UpstreamBehaviour> = oneOf<UpstreamBehaviour>([
  ordinary,
  answers(200, "data: {}\n\n", { "content-type": "text/event-stream" }, true),
  answers(202),
  answers(401, "{}", { ...json, "www-authenticate": "Bearer realm=\"inner\"" }),
  answers(403, "{}", { ...json, "www-authenticate": "Bearer error=\"insufficient_scope\"" }),
  answers(404, "{}", json),
  answers(307, "", { location: "https://evil.example/login" }),
  answers(500, "inner fault", { "content-type": "text/plain" }),
  { _tag: "Unavailable" },
  { _tag: "TimedOut" },
  { _tag: "Faulty" }
])
