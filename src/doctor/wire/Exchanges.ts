import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Reply, ToSend } from "./Reply.ts"

/**
 * The requests of one examination.
 *
 * Never fails: problems are part of the reply. Each request is limited in time and size, redirects are not followed,
 * and the number of requests is limited. The token is sent only to the origin of the MCP server, and never appears in a
 * reply, even if the server repeats it.
 */
export class Exchanges extends Context.Service<Exchanges, {
  readonly send: (request: ToSend) => Effect.Effect<Reply>
  /** How many requests were sent so far. */
  readonly sent: Effect.Effect<number>
}>()("mcp-authorizer/doctor/wire/Exchanges") {}
