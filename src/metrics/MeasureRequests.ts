import * as Context from "effect/Context"

/**
 * Whether requests are counted and timed. Off unless someone reads the metrics, because every request would pay for it.
 *
 * The Node service switches it on for an admin port or an exporter. Switch it on in a program with its own exporter.
 *
 * **Example**
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { MeasureRequests } from "mcp-authorizer"
 *
 * const Measured = Layer.succeed(MeasureRequests, true)
 * ```
 */
export const MeasureRequests = Context.Reference<boolean>("mcp-authorizer/metrics/MeasureRequests", {
  defaultValue: () => false
})
