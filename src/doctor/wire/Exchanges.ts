import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Reply, ToSend } from "./Reply.ts"

/**
 * The requests of one examination.
 *
 * Never fails: what went wrong is part of the reply. Each request is bounded in time and size, no redirect is followed,
 * and the number of all requests is bounded. The token goes to the origin of the MCP server only, and never appears in a
 * reply, even if the server repeats it.
 */
export class Exchanges extends Context.Service<Exchanges, {
  readonly send: (request: ToSend) => Effect.Effect<Reply>
  /** How many requests were sent so far. */
  readonly sent: Effect.Effect<number>
}>()("mcp-authorizer/doctor/wire/Exchanges") {}
