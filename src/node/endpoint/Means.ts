import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Http from "node:http"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { ByteBudget } from "../../fairness/ByteBudget.ts"
import type { Prepare } from "../../forward/prepare.ts"
import type { SessionSeal } from "../../forward/SessionSeal.ts"
import type { Ending, Exchange } from "../../http/Exchange.ts"
import type { Route } from "../../http/route.ts"
import type { TokenVerifier } from "../../verify/TokenVerifier.ts"
import type { OpenSet } from "../OpenSet.ts"
import type { UpstreamPool } from "../UpstreamPool.ts"
import type { McpExchange } from "./McpExchange.ts"

/** What all exchanges share. */
export interface Means {
  readonly settings: GatewaySettings
  readonly clock: Clock.Clock
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  readonly verifier: TokenVerifier["Service"]
  readonly pool: UpstreamPool["Service"]
  readonly prepare: Prepare
  readonly sessions: SessionSeal
  readonly log: (exchange: Exchange, ended: Ending | undefined) => void
  /** The memory for messages that are not sent yet. */
  readonly buffered: ByteBudget
  /** The exchanges that are not over. */
  readonly open: OpenSet<McpExchange>
}

/** A request for the protected endpoint, as Node hands it over. */
export interface ArrivedRequest {
  readonly exchange: Exchange
  readonly route: Extract<Route, { _tag: "Mcp" }>
  readonly request: Http.IncomingMessage
  readonly response: Http.ServerResponse
  /** The client sends its body when it is told to (RFC 9110, section 10.1.1). */
  readonly awaitsContinue: boolean
}
