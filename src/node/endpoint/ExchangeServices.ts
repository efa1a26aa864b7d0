import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as LogLevel from "effect/LogLevel"
import type * as Http from "node:http"
import type { Dispatch } from "../../forward/GatewayClient.ts"
import type { Course } from "../../http/course/Course.ts"
import type { OpenSet } from "../OpenSet.ts"
import type { NodeExchange } from "./NodeExchange.ts"

export interface ExchangeServices {
  readonly course: Course
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  readonly dispatch: Dispatch
  /** Whether `dispatch` can send a message while it arrives. */
  readonly sendsArriving: boolean
  readonly minimumLevel: LogLevel.LogLevel
  readonly open: OpenSet<NodeExchange>
}

export interface ArrivedRequest {
  readonly request: Http.IncomingMessage
  readonly response: Http.ServerResponse
  /** Whether the client waits for `100 Continue` before it sends its body (RFC 9110, section 10.1.1). */
  readonly awaitsContinue: boolean
}
