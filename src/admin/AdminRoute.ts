import type * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { AdminSource } from "./AdminSource.ts"
import type { StatusBoard } from "./StatusBoard.ts"

/** One row. `HEAD` is served for every path with `GET`. */
export interface AdminRoute {
  readonly method: "GET" | "POST"
  readonly path: `/${string}`
  /** Whether it needs no credentials, from anywhere, because it is for probes. */
  readonly isOpen?: true
  /** The response. The fields of all responses are added to it. */
  readonly respond: Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    never,
    AdminSource | StatusBoard | HttpServerRequest.HttpServerRequest
  >
}
