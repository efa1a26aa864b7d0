/**
 * The table of the admin port: each path is one row.
 *
 * To add one, add its row; what it shows comes from `AdminSource`, so that one port speaks for all workers.
 */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { formatPoints, prometheusType } from "../metrics/prometheus.ts"
import { AdminSource } from "./AdminSource.ts"

/** One row. `HEAD` is served wherever `GET` is. */
export interface AdminRoute {
  readonly method: "GET" | "POST"
  readonly path: `/${string}`
  /** Needs no credentials, from anywhere: for probes. */
  readonly isOpen?: true
  /** The response; fields that all responses have are added. */
  readonly respond: Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    never,
    AdminSource | HttpServerRequest.HttpServerRequest
  >
}

const metricsRoute: AdminRoute = {
  method: "GET",
  path: "/metrics",
  respond: Effect.gen(function*() {
    const source = yield* AdminSource
    return HttpServerResponse.text(formatPoints(yield* source.metrics), { contentType: prometheusType })
  })
}

const healthRoute: AdminRoute = {
  method: "GET",
  path: "/healthz",
  isOpen: true,
  respond: Effect.succeed(HttpServerResponse.jsonUnsafe({ status: "ok" }))
}

/** The table. */
export const adminRoutes: ReadonlyArray<AdminRoute> = [metricsRoute, healthRoute]
