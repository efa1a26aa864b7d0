/**
 * The table of the admin port: each path is one row.
 *
 * To add a path, add its row. What it shows comes from `AdminSource`, so that one port covers all workers.
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { formatPoints, prometheusType } from "../metrics/prometheus.ts"
import type { AdminRoute } from "./AdminRoute.ts"
import { AdminSource } from "./AdminSource.ts"
import { pageRoutes } from "./page/pageRoutes.ts"

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

export const adminRoutes: ReadonlyArray<AdminRoute> = [metricsRoute, healthRoute, ...pageRoutes]
